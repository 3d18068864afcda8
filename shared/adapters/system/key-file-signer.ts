import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { keyKindOf, publicKeyOf } from '../../domain/transparency/public-key.ts';
import { type CheckpointSigner, SignerError } from '../../ports/checkpoint-signer.ts';

/** A key has about 120 bytes; a file may have comments too. */
const MAX_BYTES = 16_384;

export interface KeyFileOptions {
  readonly path: string;
  /** The user that runs this process; `null`: the operating system has no such permissions. Default: as the process says. */
  readonly userId?: number | null;
}

/**
 * Signs with an Ed25519 key from a file in PKCS#8 PEM format. The file is read at the first use, and the key is then kept, so that a replaced file never
 * changes the key between `open` and `sign`.
 */
export function keyFileSigner({ path, userId = process.getuid?.() ?? null }: KeyFileOptions): CheckpointSigner {
  let known: Promise<KeyObject> | null = null;
  const key = (): Promise<KeyObject> => {
    known ??= readKey(path, userId).catch((error: unknown) => {
      known = null;
      throw error;
    });
    return known;
  };
  return {
    async open() {
      const found = publicKeyOf(await key());
      if (found === null) throw new TypeError('an Ed25519 key has no public part');
      return found;
    },
    sign: async (message) => new Uint8Array(sign(null, message, await key())),
    close: () => {
      known = null;
    },
  };
}

async function readKey(path: string, userId: number | null): Promise<KeyObject> {
  try {
    // Without O_NONBLOCK, opening a pipe waits for a writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      checkFile(path, stats, userId);
      return parseKey(path, await readText(path, file));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof SignerError ? error : unreadable(path, error);
  }
}

function checkFile(path: string, stats: Stats, userId: number | null): void {
  if (!stats.isFile()) {
    throw invalid(
      path,
      `found ${stats.isDirectory() ? 'a directory' : 'a pipe or device'}, expected a file with a key`,
    );
  }
  if (userId === null) return;
  // A file of another user may be readable by a group: Kubernetes mounts secrets this way for containers that do not run as root.
  const forbidden = stats.uid === userId ? 0o077 : 0o027;
  if ((stats.mode & forbidden) === 0) return;
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
  const fix = `Run: chmod 600 ${path}. If others may have read the key, create a new one.`;
  throw invalid(path, `its permissions are ${mode}, so other users can use the key; expected 0600 or 0400. ${fix}`);
}

async function readText(path: string, file: FileHandle): Promise<string> {
  const buffer = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    length += bytesRead;
    if (bytesRead === 0) return buffer.toString('utf8', 0, length);
    if (length > MAX_BYTES) throw invalid(path, `it has more than ${MAX_BYTES} bytes, ${EXPECTED}`);
  }
}

const EXPECTED = 'expected one Ed25519 private key in PKCS#8 PEM format (-----BEGIN PRIVATE KEY-----)';

function parseKey(path: string, text: string): KeyObject {
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label = '']) => label);
  const [label] = labels;
  if (label === undefined) throw invalid(path, `found no key in PEM format, ${EXPECTED}. ${CREATE}`);
  if (labels.length > 1) throw invalid(path, `found ${labels.length} keys or certificates, ${EXPECTED}`);
  if (label === 'ENCRYPTED PRIVATE KEY') {
    throw invalid(path, `the key is encrypted, ${EXPECTED}. Decrypt it with: openssl pkey -in ${path} -out NEW_FILE`);
  }
  if (label !== 'PRIVATE KEY') throw invalid(path, `found ${JSON.stringify(label)}, ${EXPECTED}. ${CREATE}`);
  const key = decode(text);
  if (key === null) throw invalid(path, 'the key is damaged: it cannot be decoded. Restore the file from its backup.');
  if (key.asymmetricKeyType !== 'ed25519') throw invalid(path, `found a key of type ${keyKindOf(key)}, ${EXPECTED}`);
  return key;
}

const CREATE = 'Create one with: rollcall audit checkpoint --new-key FILE';

function decode(pem: string): KeyObject | null {
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    return null; // The error of OpenSSL says nothing that a person could use.
  }
}

function unreadable(path: string, cause: unknown): SignerError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  if (code === 'EACCES' || code === 'EPERM') {
    const fix = 'Run Rollcall as the owner of the file, or change its owner.';
    return new SignerError('denied', `${nameOf(path)}: this user cannot read it (${code}). ${fix}`, { cause });
  }
  if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ENXIO'].includes(code)) {
    return invalid(
      path,
      `there is no such file (${code}). Correct ROLLCALL_CHECKPOINT_KEY, or create a key. ${CREATE}`,
    );
  }
  return new SignerError('unavailable', `${nameOf(path)}: it cannot be read (${code}); Rollcall tries again later`, {
    cause,
  });
}

function invalid(path: string, problem: string): SignerError {
  return new SignerError('invalid', `${nameOf(path)}: ${problem}`);
}

const nameOf = (path: string): string => `checkpoint key ${path}`;
