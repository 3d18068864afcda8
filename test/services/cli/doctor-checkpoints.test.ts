import { generateKeyPairSync } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createKeyFile } from '../../../shared/adapters/system/new-key-file.ts';
import { verifierKey, writeVerifierKey } from '../../../shared/domain/transparency/verifier-key.ts';
import { kmsServer, refused } from '../../support/kms-server.ts';
import { addBucket, lockOf, objectLockServer } from '../../support/object-lock-server.ts';
import { misbehaving, startWitness } from '../../support/witness.ts';
import { doctorShape } from './shapes.ts';
import { EVERYTHING_ON, json, place, rollcall, world } from './support.ts';

const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

async function bed() {
  const { env } = await world({ accounts: 4, drift: 0 });
  const cwd = place({ 'rollcall.yaml': EVERYTHING_ON });
  const examined = async (own: Readonly<Record<string, string>> = {}) => {
    const result = await rollcall(['doctor', '--json', '--sample', '0'], { cwd, env: { ...env, ...own } });
    const { checks } = doctorShape.parse(json(result));
    const of = (id: string) => checks.find(({ check }) => check === id) ?? expect.fail(`no check ${id}`);
    return { key: of('checkpointKey'), archive: of('checkpointArchive'), state: of('checkpoints'), of };
  };
  return { env, cwd, examined, text: () => rollcall(['doctor', '--sample', '0'], { cwd, env }) };
}

describe('doctor, on checkpoints', () => {
  test('says nothing if they are not configured', async () => {
    const { examined, text } = await bed();
    const { key, archive } = await examined();
    for (const each of [key, archive]) expect(each).toMatchObject({ status: 'skipped', reason: 'notUsed' });
    expect((await text()).stdout).not.toContain('heckpoint');
  });

  test('says how to sign checkpoints if the store has none, without failing', async () => {
    const { cwd, env, examined, text } = await bed();
    await rollcall(['scan'], { cwd, env });
    expect((await examined()).state).toMatchObject({ status: 'skipped', reason: 'notUsed' });
    const { code, stdout } = await text();
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /- Checkpoints +skipped: none is signed; to create a key: rollcall audit checkpoint --new-key FILE/,
    );
  });

  test('signs with the key file, and names its wrong permissions', async () => {
    const { cwd, examined } = await bed();
    await createKeyFile(join(cwd, 'key.pem'));
    const own = { ROLLCALL_CHECKPOINT_KEY: 'key.pem' };
    expect((await examined(own)).key).toMatchObject({
      ...{ status: 'pass', message: 'an Ed25519 key signed a test message' },
    });
    chmodSync(join(cwd, 'key.pem'), 0o644);
    expect((await examined(own)).key).toMatchObject({ status: 'fail', reason: 'wrong' });
  });

  test('reports a wrong variable like any other finding', async () => {
    const { examined } = await bed();
    const { key, archive } = await examined({ ROLLCALL_CHECKPOINT_KEY: 'awskms:' });
    expect(key).toMatchObject({ status: 'fail', message: expect.stringContaining('ROLLCALL_CHECKPOINT_KEY is') });
    expect(archive).toMatchObject({ status: 'skipped', reason: 'notReached' });
  });

  test('signs with a key in KMS, and names what KMS refuses', async () => {
    const { examined } = await bed();
    const kms = await kmsServer();
    onTestFinished(() => kms.close());
    const { privateKey: secret } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    kms.keys.set(ARN, { arn: ARN, spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY', secret });
    const own = { ROLLCALL_CHECKPOINT_KEY: `awskms:${ARN}`, AWS_ENDPOINT_URL_KMS: kms.endpoint };
    expect((await examined(own)).key).toMatchObject({ status: 'pass', message: expect.stringContaining('P-256') });
    kms.answer = ({ operation }) => (operation === 'Sign' ? refused('AccessDeniedException') : undefined);
    expect((await examined(own)).key).toMatchObject({ status: 'fail', reason: 'denied' });
  });

  test('looks at the protection of the archive', async () => {
    const { cwd, examined } = await bed();
    await createKeyFile(join(cwd, 'key.pem'));
    const s3 = await objectLockServer();
    onTestFinished(() => s3.close());
    const bucket = addBucket(s3, 'checkpoints');
    const own = {
      ...{ ROLLCALL_CHECKPOINT_KEY: 'key.pem', ROLLCALL_CHECKPOINT_ARCHIVE: 's3://checkpoints/audit' },
      AWS_ENDPOINT_URL_S3: s3.endpoint,
    };
    expect((await examined(own)).archive).toMatchObject({
      ...{ status: 'pass', message: 's3://checkpoints/audit protects each new checkpoint for 400 days' },
    });
    const retention = '<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>';
    bucket.lock = lockOf(retention);
    const { message } = (await examined(own)).archive;
    expect(message).toMatch(/for 1 day, except from principals with s3:BypassGovernanceRetention/);
    bucket.lock = null;
    expect((await examined(own)).archive).toMatchObject({ status: 'fail', reason: 'wrong' });
    expect(bucket.objects.size).toBe(0);
  });

  test('says what became of the last checkpoint', async () => {
    const { env, cwd, examined } = await bed();
    const publicKey = await createKeyFile(join(cwd, 'key.pem'));
    const witness = await startWitness({
      ...{ name: 'witness.example/w1', now: () => 1_793_610_000 },
      logs: (name) => [verifierKey({ name, ...publicKey })],
    });
    onTestFinished(() => witness.close());
    const own = {
      ROLLCALL_CHECKPOINT_KEY: 'key.pem',
      ROLLCALL_CHECKPOINT_WITNESSES: `${writeVerifierKey(witness.key)}@${witness.url}`,
    };
    await rollcall(['scan'], { cwd, env });
    expect((await examined()).state).toMatchObject({ status: 'skipped', reason: 'notUsed' });
    await rollcall(['scan'], { cwd, env: { ...env, ...own } });
    expect((await examined()).state).toMatchObject({
      ...{ status: 'pass', message: expect.stringMatching(/^the newest covers \d+ entries and was signed at 20/) },
    });
    witness.behave = misbehaving.refusing(403);
    await rollcall(['scan'], { cwd, env: { ...env, ...own } });
    expect((await examined()).state).toMatchObject({
      ...{ status: 'warn', message: expect.stringContaining('witness witness.example/w1: ') },
    });
  });
});
