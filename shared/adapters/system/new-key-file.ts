import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type PublicKey, publicKeyOf } from '../../domain/transparency/public-key.ts';
import { SignerError } from '../../ports/checkpoint-signer.ts';

/**
 * Creates an Ed25519 key and writes it to a new file with owner-only permissions, in PKCS#8 PEM format.
 * @param newKey a private Ed25519 key; default: a random one
 * @returns its public part
 * @throws SignerError; a file that exists is not changed
 */
export async function createKeyFile(path: string, newKey: () => KeyObject = randomKey): Promise<PublicKey> {
  const key = newKey();
  const publicKey = publicKeyOf(key);
  if (publicKey?.type !== 'ed25519') throw new TypeError('the new key is not an Ed25519 key');
  await writeNew(path, String(key.export({ format: 'pem', type: 'pkcs8' })));
  return publicKey;
}

function randomKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

async function writeNew(path: string, text: string): Promise<void> {
  let isOurs = false;
  try {
    const file = await open(path, 'wx', 0o600);
    isOurs = true;
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(dirname(path));
  } catch (error) {
    if (isOurs) await rm(path, { force: true });
    throw unwritable(path, error);
  }
}

/** Makes the new name durable too: a key that is lost after checkpoints were signed cannot be made again. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function unwritable(path: string, cause: unknown): SignerError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  const fail = (kind: SignerError['kind'], words: string): SignerError =>
    new SignerError(kind, `${path}: the new key cannot be written (${code}): ${words}`, { cause });
  switch (code) {
    case 'EEXIST':
      return fail('invalid', 'the file already exists. Name another; a key is never overwritten.');
    case 'ENOENT':
    case 'ENOTDIR':
      return fail('invalid', 'there is no such directory. Create it, or name another.');
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return fail('denied', 'this user has no permission to write there.');
    default:
      return fail('unavailable', 'no key was created. Check the path and the disk.');
  }
}
