import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { kmsSigner } from '../../../shared/adapters/aws/kms/checkpoint-signer.ts';
import { SignerError } from '../../../shared/ports/checkpoint-signer.ts';
import { checkpointSignerContract } from '../../contract/checkpoint-signer.contract.ts';
import { type KmsKey, type KmsServer, kmsServer, refused } from '../../support/kms-server.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { immediateClock } from './stores.ts';

const ID = '1234abcd-12ab-34cd-56ef-1234567890ab';
const ARN = `arn:aws:kms:eu-central-1:111122223333:key/${ID}`;
const ALIAS = 'alias/rollcall-checkpoints';
const SECRET = 'wJalrXUtnFEMI';

const ed25519 = (): KmsKey => ({
  ...{ arn: ARN, spec: 'ECC_NIST_EDWARDS25519', usage: 'SIGN_VERIFY' },
  secret: generateKeyPairSync('ed25519').privateKey,
});
const p256 = (): KmsKey => ({
  ...{ arn: ARN, spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' },
  secret: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
});

function signerOf(server: KmsServer, keyId: string) {
  const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: SECRET };
  const network = { proxy: null, ca: null, region: 'eu-central-1' };
  const kms = { endpoint: server.endpoint, credentials };
  return kmsSigner({ keyId, clock: immediateClock(), random: () => 0.5, network, kms });
}

for (const [name, make] of [
  ['KMS, Ed25519', ed25519],
  ['KMS, P-256', p256],
] as const) {
  checkpointSignerContract(name, async () => {
    const server = await kmsServer();
    const key = make();
    for (const each of [ID, ARN, ALIAS]) server.keys.set(each, key);
    return {
      port: signerOf(server, ALIAS),
      another: async () => signerOf(server, ID),
      clock: manualClock(),
      close: async () => server.close(),
    };
  });
}

describe('a key in KMS', () => {
  let server: KmsServer;
  beforeEach(async () => {
    server = await kmsServer();
    onTestFinished(() => server.close());
    const key = ed25519();
    for (const each of [ID, ARN, ALIAS]) server.keys.set(each, key);
  });

  const failure = async (keyId = ID): Promise<SignerError> => {
    const error = await signerOf(server, keyId)
      .sign(new Uint8Array([1, 2, 3]))
      .catch((thrown: unknown) => thrown);
    if (!(error instanceof SignerError)) return expect.fail(`no SignerError: ${inspect(error)}`);
    expect(error.message).toContain(`KMS key ${keyId}: `);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET);
    return error;
  };

  it('is read once, and signs by its ARN, so that an alias cannot change it in between', async () => {
    const signer = signerOf(server, ALIAS);
    await signer.sign(new Uint8Array([1]));
    await signer.sign(new Uint8Array([2]));
    expect(server.calls.map(({ operation, input }) => [operation, input['KeyId']])).toEqual([
      ['GetPublicKey', ALIAS],
      ['Sign', ARN],
      ['Sign', ARN],
    ]);
    expect(server.calls[1]?.input).toMatchObject({ MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' });
  });

  it.each([
    ['RSA_2048', 'SIGN_VERIFY'],
    ['ECC_NIST_P384', 'SIGN_VERIFY'],
    ['ECC_SECG_P256K1', 'SIGN_VERIFY'],
    ['RSA_2048', 'ENCRYPT_DECRYPT'],
    ['ECC_NIST_P256', 'KEY_AGREEMENT'],
  ])('of the specification %s for %s is refused', async (spec, usage) => {
    server.keys.set(ID, { ...ed25519(), spec, usage });
    const error = await failure();
    expect(error.kind).toBe('invalid');
    expect(error.message).toContain(
      `found a key for ${usage} with the specification ${spec}, expected SIGN_VERIFY with`,
    );
    expect(error.message).toContain('aws kms create-key');
  });

  it.each([
    ['NotFoundException', 'invalid', 'Check the key id, the Region and the account'],
    ['InvalidArnException', 'invalid', 'Name the key by its id'],
    ['DisabledException', 'invalid', 'aws kms enable-key'],
    ['KMSInvalidStateException', 'invalid', 'aws kms cancel-key-deletion'],
    ['InvalidKeyUsageException', 'invalid', 'SIGN_VERIFY'],
    ['UnsupportedOperationException', 'invalid', 'SIGN_VERIFY'],
    ['AccessDeniedException', 'denied', 'kms:GetPublicKey and kms:Sign'],
    ['UnrecognizedClientException', 'denied', 'Sign in'],
    ['ThrottlingException', 'unavailable', 'service quotas'],
    ['KMSInternalException', 'unavailable', 'check the network'],
    ['DependencyTimeoutException', 'unavailable', 'check the network'],
    ['KeyUnavailableException', 'unavailable', 'check the network'],
  ])('%s: the error is of kind %s and says what to do', async (code, kind, advice) => {
    for (const refusing of ['GetPublicKey', 'Sign']) {
      server.answer = ({ operation }) => (operation === refusing ? refused(code) : undefined);
      const error = await failure();
      expect(error.kind).toBe(kind);
      expect(error.message).toContain(`${refusing} failed (${code}`);
      expect(error.message).toContain(advice);
    }
  });

  it('that is throttled is tried again a few times', async () => {
    let left = 2;
    server.answer = () => {
      left -= 1;
      return left >= 0 ? refused('ThrottlingException') : undefined;
    };
    expect(await signerOf(server, ID).open()).toMatchObject({ type: 'ed25519' });
    server.answer = () => refused('ThrottlingException');
    server.calls.length = 0;
    expect((await failure()).kind).toBe('unavailable');
    expect(server.calls).toHaveLength(3);
  });

  it.each([
    ['an empty answer', {}, /the answer lacks/],
    ['no key', { KeyId: ARN, KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }, /the answer lacks PublicKey/],
    [
      'a key that is not one',
      { KeyId: ARN, KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', PublicKey: 'AAAA' },
      /public key that is not of the specification ECC_NIST_P256/,
    ],
  ])('is unavailable after %s', async (_what, body, message) => {
    server.answer = () => ({ status: 200, body });
    const error = await failure();
    expect(error.kind).toBe('unavailable');
    expect(error.message).toMatch(message);
  });

  it('is unavailable if its public key is of another kind than it says', async () => {
    server.keys.set(ID, { ...p256(), spec: 'ECC_NIST_EDWARDS25519' });
    expect((await failure()).message).toContain('not of the specification ECC_NIST_EDWARDS25519');
  });

  it('returns no signature that its public key does not verify', async () => {
    server.answer = ({ operation }) =>
      operation === 'Sign'
        ? { status: 200, body: { KeyId: ARN, Signature: 'AAAA', SigningAlgorithm: 'ED25519_SHA_512' } }
        : undefined;
    const error = await failure();
    expect(error.kind).toBe('unavailable');
    expect(error.message).toContain('does not match the public key');
  });

  it('is found in the Region of its ARN', async () => {
    const far = 'arn:aws:kms:us-west-2:111122223333:key/x';
    server.keys.set(far, { ...ed25519(), arn: far });
    expect(await signerOf(server, far).open()).toMatchObject({ type: 'ed25519' });
    expect(server.calls[0]?.region).toBe('us-west-2');
  });
});
