import { readFileSync, statSync } from 'node:fs';
import { type PolicyResult, parsePolicy } from '../domain/policy/index.ts';

/** A file that should have been read could not be. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly path: string;

  constructor(path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.path = path;
  }
}

/** A policy larger than this is refused before it is read into memory. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Reads and checks a policy file.
 * @throws FileError if it cannot be read at all; what is wrong inside comes as findings.
 */
export function readPolicyFile(
  path: string,
  now: number,
  env: Readonly<Record<string, string | undefined>>,
): PolicyResult {
  return parsePolicy(readBytes(path), { file: path, now, env });
}

export function readBytes(path: string): Uint8Array {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) throw new FileError(path, `${path} is a directory; name the policy file in it`);
    if (stats.size > MAX_BYTES)
      throw new FileError(path, `${path} has ${stats.size} bytes; at most ${MAX_BYTES} are read`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof FileError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new FileError(path, `${path} cannot be read (${code}): ${ADVICE[code] ?? 'see the code'}`, { cause: error });
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; `rollcall policy init` writes a first one',
  EACCES: 'this user has no permission to read it',
};
