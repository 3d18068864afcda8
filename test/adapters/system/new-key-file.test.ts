import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { keyFileSigner } from '../../../shared/adapters/system/key-file-signer.ts';
import { createKeyFile } from '../../../shared/adapters/system/new-key-file.ts';
import { newCheckpointKey } from '../../../shared/compose/checkpoints.ts';
import { publicKeyOf } from '../../../shared/domain/transparency/public-key.ts';
import { parseVerifierKey, signatureMatches } from '../../../shared/domain/transparency/verifier-key.ts';
import { SignerError } from '../../../shared/ports/checkpoint-signer.ts';

const ORIGIN = 'rollcall/o-abc1234567/k3v9x2ab';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'new-key-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function refusal(path: string): Promise<SignerError> {
  const error = await createKeyFile(path).catch((thrown: unknown) => thrown);
  if (!(error instanceof SignerError)) return expect.fail('no SignerError');
  expect(error.message).toContain(`${path}: the new key cannot be written (`);
  return error;
}

describe('a new key file', () => {
  it('has a key that signs, and only its owner can read it', async () => {
    const path = join(folder(), 'checkpoint.pem');
    const { pem, verifierKey } = await newCheckpointKey(path, ORIGIN);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const message = new TextEncoder().encode('checkpoint\n');
    const signature = await keyFileSigner({ path }).sign(message);
    const key = parseVerifierKey(verifierKey ?? '');
    expect(key).toMatchObject({ name: ORIGIN, type: 'ed25519' });
    expect(signatureMatches(key)(message, signature)).toBe(true);
    expect(publicKeyOf(createPublicKey(pem))?.publicKey).toEqual(key.publicKey);
    expect(pem + verifierKey).not.toContain(readFileSync(path, 'utf8').split('\n')[1]);
  });

  it('is another key each time', async () => {
    const directory = folder();
    expect(await createKeyFile(join(directory, 'a'))).not.toEqual(await createKeyFile(join(directory, 'b')));
  });

  it('never replaces a file or what a link names', async () => {
    const directory = folder();
    const path = join(directory, 'checkpoint.pem');
    writeFileSync(path, 'precious');
    const link = join(directory, 'link.pem');
    symlinkSync(join(directory, 'elsewhere.pem'), link);
    for (const taken of [path, link, directory]) {
      const error = await refusal(taken);
      expect(error.kind).toBe('invalid');
      expect(error.message).toContain('a key is never overwritten');
    }
    expect(readFileSync(path, 'utf8')).toBe('precious');
    expect(existsSync(join(directory, 'elsewhere.pem'))).toBe(false);
  });

  it('is not written into a directory that does not exist', async () => {
    expect((await refusal(join(folder(), 'none', 'key.pem'))).message).toMatch(/ENOENT.*Create it, or name another/);
    expect((await refusal('/dev/null/key.pem')).message).toMatch(/ENOTDIR/);
  });

  it.skipIf(process.getuid?.() === 0)('is not written where this user may not write', async () => {
    const directory = folder();
    chmodSync(directory, 0o500);
    expect((await refusal(join(directory, 'key.pem'))).kind).toBe('denied');
  });

  it('is always an Ed25519 key', async () => {
    const path = join(folder(), 'key.pem');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await expect(createKeyFile(path, () => privateKey)).rejects.toThrow('not an Ed25519 key');
    expect(existsSync(path)).toBe(false);
  });
});
