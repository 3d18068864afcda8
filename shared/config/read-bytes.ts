import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { FileError } from './file-error.ts';

export interface ReadLimits {
  readonly maxBytes: number;
  /** What to say where there is no such file. */
  readonly ifMissing?: string;
}

/** @throws FileError that says why the file cannot be read. */
export function readBytes(path: string, { maxBytes, ifMissing }: ReadLimits): Uint8Array {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) throw new FileError(path, `${path} is a directory; name the file in it`);
    if (stats.size > maxBytes) {
      throw new FileError(path, `${path} has ${stats.size} bytes; at most ${maxBytes} are read`);
    }
    const bytes = readAtMost(path, maxBytes + 1);
    if (bytes.length > maxBytes) {
      throw new FileError(path, `${path} has more than ${maxBytes} bytes; at most ${maxBytes} are read`);
    }
    return bytes;
  } catch (error) {
    if (error instanceof FileError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const advice = (code === 'ENOENT' ? ifMissing : undefined) ?? ADVICE[code] ?? 'see the code';
    throw new FileError(path, `${path} cannot be read (${code}): ${advice}`, { cause: error });
  }
}

const CHUNK_BYTES = 65_536;

/** A device or a pipe (`/dev/stdin`, `<(…)`) does not say how much it has, and some have no end. */
function readAtMost(path: string, most: number): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const chunks: Uint8Array[] = [];
    for (let total = 0; total < most; ) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, most - total));
      const read = readSync(file, chunk);
      if (read === 0) break;
      chunks.push(chunk.subarray(0, read));
      total += read;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(file);
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'part of its path is a file',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its symbolic links lead in a circle',
  EACCES: 'this user has no permission to read it',
};
