import { closeSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { FileError } from './file-error.ts';
import { holdSpecial, type IfPresent, isSpecial, writeAdvice } from './text-file.ts';

/**
 * Writes a file with owner-only permissions piece by piece: each piece is written before the next is requested. The file gets its name only
 * when it is complete and synced to the disk. `unique` makes the name of the draft unique.
 * @throws FileError if the file cannot be written, or exists and must not be replaced; any error that `pieces` throws
 */
export async function writeTextStream(
  path: string,
  pieces: AsyncIterable<string>,
  unique: string,
  ifPresent: IfPresent,
): Promise<void> {
  const special = isSpecial(path);
  const draft = special ? path : `${path}.${unique}.partial`;
  try {
    // Check before writing, which may take long. The link at the end decides, because a file may appear meanwhile.
    if (!special && ifPresent === 'refuse' && existsSync(path)) throw unwritable(path, 'EEXIST', null);
    const file = await opened(path, draft, special ? 'w' : 'wx');
    try {
      for await (const piece of pieces) await written(path, file, piece);
      if (!special) await file.sync();
    } finally {
      await file.close();
    }
    if (!special) name(draft, path, ifPresent);
  } finally {
    if (!special) rmSync(draft, { force: true });
  }
}

async function opened(path: string, draft: string, flags: string): Promise<FileHandle> {
  try {
    if (flags !== 'w') return await open(draft, flags, 0o600);
    const held = holdSpecial(draft);
    try {
      return await open(draft, flags);
    } finally {
      closeSync(held);
    }
  } catch (error) {
    throw unwritable(path, codeOf(error), error);
  }
}

async function written(path: string, file: FileHandle, piece: string): Promise<void> {
  try {
    await file.writeFile(piece);
  } catch (error) {
    throw unwritable(path, codeOf(error), error);
  }
}

function name(draft: string, path: string, ifPresent: IfPresent): void {
  try {
    if (ifPresent === 'replace') renameSync(draft, path);
    else linkSync(draft, path);
  } catch (error) {
    throw unwritable(path, codeOf(error), error);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

function unwritable(path: string, code: string, cause: unknown): FileError {
  return new FileError(path, `${path} cannot be written (${code}): ${writeAdvice(code)}`, { cause });
}
