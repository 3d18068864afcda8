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

/** What to do if the file already exists. */
export type IfPresent = 'replace' | 'refuse';

/**
 * Writes a file with owner-only permissions, completely or not at all: writes a draft and then gives it the file's name.
 * @param unique makes the draft's name unique
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
    throw unwritable(path, error);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Whether the path is a device or a pipe, such as `/dev/stdout`. It is written to directly, because a rename would replace it by a file. */
export function isSpecial(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}

/**
 * Opens a device or a pipe for writing without waiting for a reader, because such a wait could not be interrupted. While it is open, an ordinary open
 * of the same pipe does not wait either. Throws ENXIO for a pipe without a reader.
 */
export function holdSpecial(path: string): number {
  return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
}

/** Advice for a write that failed with this error code. */
export function writeAdvice(code: string): string {
  return ADVICE[code] ?? 'check the path and the disk';
}

export function unwritable(path: string, cause: unknown, code: string = codeOf(cause)): FileError {
  return new FileError(path, `${path} cannot be written (${code}): ${writeAdvice(code)}`, { cause });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

const ADVICE: Readonly<Record<string, string>> = {
  EEXIST: 'the file already exists; name another, or replace it with --force',
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
