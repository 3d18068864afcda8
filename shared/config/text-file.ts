import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { FileError } from './file-error.ts';
import { readBytes } from './read-bytes.ts';

/** What to do if a file of this name exists already. */
export type IfPresent = 'replace' | 'refuse';

/**
 * Writes a file with owner-only permissions, completely or not at all: a draft is synced to the disk and then gets the file's name.
 * `unique` makes the draft's name unique.
 * @throws FileError if the file cannot be written, or exists and must not be replaced
 */
export function writeTextFile(path: string, text: string, unique: string, ifPresent: IfPresent): void {
  const draft = `${path}.${unique}.partial`;
  try {
    if (isSpecial(path)) {
      const held = holdSpecial(path);
      try {
        writeFileSync(path, text);
      } finally {
        closeSync(held);
      }
      return;
    }
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (ifPresent === 'replace') renameSync(draft, path);
    else linkSync(draft, path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const what = `${path} cannot be written (${code})`;
    throw new FileError(path, `${what}: ${writeAdvice(code)}`, { cause: error });
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Whether the path is a device or a pipe (`/dev/stdout`, `>(…)`): it must be written to directly, because a rename would replace it by a file. */
export function isSpecial(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}

/**
 * Opens a device or a pipe without blocking. While it is held open, a second open does not block either; otherwise it would wait for a reader, and no
 * signal could interrupt it. Throws ENXIO for a pipe without a reader.
 */
export function holdSpecial(path: string): number {
  return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
}

/** Advice for a write that failed with this error code. */
export function writeAdvice(code: string): string {
  return ADVICE[code] ?? 'check the path and the disk';
}

const ADVICE: Readonly<Record<string, string>> = {
  EEXIST: 'there is such a file already; name another, or replace it with --force',
  ENOENT: 'there is no such directory',
  ENOTDIR: 'part of its path is a file',
  EISDIR: 'it is a directory',
  ENOTEMPTY: 'it is a directory',
  EACCES: 'this user has no permission to write there',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  ENXIO: 'no process reads from that pipe',
};

/** Maximum size of a JSON file. A plan of 20,000 changes has about 10 MB. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** @throws FileError if the file cannot be read or is not JSON */
export function readJsonFile(path: string): unknown {
  const text = new TextDecoder().decode(readBytes(path, { maxBytes: MAX_JSON_BYTES }));
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FileError(path, `${path} is not JSON: ${reason}`, { cause: error });
  }
}
