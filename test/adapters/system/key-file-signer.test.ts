import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { keyFileSigner } from '../../../shared/adapters/system/key-file-signer.ts';
import { SignerError } from '../../../shared/ports/checkpoint-signer.ts';
import { checkpointSignerContract } from '../../contract/checkpoint-signer.contract.ts';
import { manualClock } from '../../support/manual-clock.ts';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'key-file-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const pemOf = (key: KeyObject): string => String(key.export({ format: 'pem', type: 'pkcs8' }));
const newPem = (): string => pemOf(generateKeyPairSync('ed25519').privateKey);

function keyFile(content: string, mode = 0o600): string {
  const path = join(folder(), 'checkpoint.pem');
  writeFileSync(path, content, { mode });
  chmodSync(path, mode);
  return path;
}

checkpointSignerContract('key file', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'key-file-'));
  const path = join(directory, 'checkpoint.pem');
  writeFileSync(path, newPem(), { mode: 0o600 });
  return {
    port: keyFileSigner({ path }),
    another: async () => keyFileSigner({ path }),
    clock: manualClock(),
    close: async () => rmSync(directory, { recursive: true, force: true }),
  };
});

async function refusal(path: string, userId?: number | null): Promise<SignerError> {
  const signer = keyFileSigner({ path, ...(userId !== undefined && { userId }) });
  const errors = await Promise.all([
    signer.open().catch((error: unknown) => error),
    signer.sign(new Uint8Array([1])).catch((error: unknown) => error),
  ]);
  const [first, second] = errors;
  if (!(first instanceof SignerError) || !(second instanceof SignerError)) return expect.fail('no SignerError');
  expect(second.message).toBe(first.message);
  expect(first.message).toContain(`checkpoint key ${path}: `);
  return first;
}

const { privateKey: p256 } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const { privateKey: x25519 } = generateKeyPairSync('x25519');
const pair = generateKeyPairSync('ed25519');
const encrypted = pair.privateKey.export({
  ...{ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'hunter2' },
});
const damaged = newPem().replace(/\n([^-]{20})/, '\nAAAA');

const WRONG: readonly (readonly [what: string, content: string, message: RegExp])[] = [
  ['an empty file', '', /found no key in PEM format, expected one Ed25519 private key.*--new-key FILE/],
  ['any text', 'hello\n', /found no key in PEM format/],
  ['a public key', String(pair.publicKey.export({ format: 'pem', type: 'spki' })), /found "PUBLIC KEY", expected/],
  ['an encrypted key', String(encrypted), /the key is encrypted, .* openssl pkey/],
  ['a damaged key', damaged, /the key is damaged/],
  ['a truncated key', newPem().slice(0, 60), /the key is damaged/],
  ['a P-256 key', pemOf(p256), /found a key of type EC \(prime256v1\), expected one Ed25519 private key/],
  ['an RSA key', pemOf(rsa), /found a key of type RSA \(2048 bits\)/],
  ['a key for key agreement', pemOf(x25519), /found a key of type X25519/],
  ['a key in another format', String(p256.export({ format: 'pem', type: 'sec1' })), /found "EC PRIVATE KEY"/],
  ['two keys', newPem() + newPem(), /found 2 keys or certificates/],
  ['a long file', 'x'.repeat(20_000), /more than 16384 bytes/],
];

describe('a key file', () => {
  it.each(WRONG)('with %s is refused', async (_what, content, message) => {
    const error = await refusal(keyFile(content));
    expect(error.kind).toBe('invalid');
    expect(error.message).toMatch(message);
    for (const line of content.split('\n').filter((each) => each.length > 20 && !each.startsWith('--'))) {
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(line);
    }
  });

  it.each([0o640, 0o604, 0o644, 0o660, 0o666, 0o777])('with the permissions %o is refused', async (mode) => {
    const path = keyFile(newPem(), mode);
    const error = await refusal(path);
    expect(error.kind).toBe('invalid');
    expect(error.message).toContain(`permissions are 0${mode.toString(8)}, so other users can use the key`);
    expect(error.message).toContain(`chmod 600 ${path}`);
  });

  it.each([0o600, 0o400])('with the permissions %o is used', async (mode) => {
    expect(await keyFileSigner({ path: keyFile(newPem(), mode) }).open()).toMatchObject({ type: 'ed25519' });
  });

  it('of another user may be readable by a group, and never by everybody', async () => {
    const userId = 4_242_424;
    expect(await keyFileSigner({ path: keyFile(newPem(), 0o440), userId }).open()).toMatchObject({ type: 'ed25519' });
    for (const mode of [0o444, 0o460, 0o644])
      expect((await refusal(keyFile(newPem(), mode), userId)).kind).toBe('invalid');
  });

  it('has no permissions to check on a system without them', async () => {
    expect(await keyFileSigner({ path: keyFile(newPem(), 0o666), userId: null }).open()).toMatchObject({
      type: 'ed25519',
    });
  });

  it('that is missing, a directory or a pipe is refused', async () => {
    const directory = folder();
    expect((await refusal(join(directory, 'none.pem'))).message).toMatch(/there is no such file \(ENOENT\).*--new-key/);
    expect((await refusal(directory)).message).toMatch(/found a directory, expected a file/);
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect((await refusal(pipe)).message).toMatch(/found a pipe or device/);
  });

  it('may be a symbolic link, as in Kubernetes, and comments may precede the key', async () => {
    const link = join(folder(), 'link.pem');
    symlinkSync(keyFile(`key of the audit log\n${newPem()}`), link);
    expect(await keyFileSigner({ path: link }).open()).toMatchObject({ type: 'ed25519' });
  });

  it('that is corrected is used without a restart, and a replaced one only after it', async () => {
    const path = keyFile('not yet');
    const signer = keyFileSigner({ path });
    await expect(signer.open()).rejects.toThrow(SignerError);
    writeFileSync(path, newPem());
    const first = await signer.open();
    writeFileSync(path, newPem());
    expect(await signer.open()).toEqual(first);
    expect(await keyFileSigner({ path }).open()).not.toEqual(first);
  });

  it('is not shown by a signer', async () => {
    const pem = newPem();
    const signer = keyFileSigner({ path: keyFile(pem) });
    await signer.open();
    expect(inspect(signer, { depth: 9, showHidden: true })).not.toContain(pem.split('\n')[1]);
  });
});
