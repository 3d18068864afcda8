import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { FileError } from './file-error.ts';

export interface ReadLimits {
  readonly maxBytes: number;
  /** Advice in the error if the file does not exist. */
  readonly ifMissing?: string;
}

/** Reads a regular file. Refuses pipes and devices, which may never end. @throws FileError that says why the file cannot be read */
export function readBytes(path: string, { maxBytes, ifMissing }: ReadLimits): Uint8Array {
  try {
    // Checks before opening too, because opening a device can have side effects.
    refuseSpecial(path, statSync(path));
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(file);
      refuseSpecial(path, stats);
      if (stats.size > maxBytes) {
        throw new FileError(path, `${path} has ${stats.size} bytes; at most ${maxBytes} are read`);
      }
      const bytes = readAtMost(file, maxBytes + 1);
      if (bytes.length > maxBytes) throw tooLarge(path, maxBytes);
      return bytes;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof FileError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const advice = (code === 'ENOENT' ? ifMissing : undefined) ?? ADVICE[code] ?? 'see the code';
    throw new FileError(path, `${path} cannot be read (${code}): ${advice}`, { cause: error });
  }
}

export function tooLarge(path: string, maxBytes: number): FileError {
  return new FileError(path, `${path} has more than ${maxBytes} bytes; at most ${maxBytes} are read`);
}

function refuseSpecial(path: string, stats: Stats): void {
  if (stats.isFile()) return;
  if (stats.isDirectory()) throw new FileError(path, `${path} is a directory; name the file in it`);
  const kind = stats.isFIFO() ? 'a pipe' : stats.isSocket() ? 'a socket' : 'a device';
  const advice = 'Write its content to a file first; a policy can also come from stdin, with --policy -.';
  throw new FileError(path, `${path} is ${kind}, expected a regular file. ${advice}`);
}

const CHUNK_BYTES = 65_536;

/** Reads to the end of the file and ignores its reported size, which is 0 for files in /proc. */
function readAtMost(file: number, most: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let total = 0; total < most; ) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, most - total));
    const read = readSync(file, chunk);
    if (read === 0) break;
    chunks.push(chunk.subarray(0, read));
    total += read;
  }
  return Buffer.concat(chunks);
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'part of its path is a file',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its symbolic links lead in a circle',
  EACCES: 'this user has no permission to read it',
};
