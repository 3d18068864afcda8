import { closeSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { holdSpecial, type IfPresent, isSpecial, unwritable } from './text-file.ts';

/**
 * Like `writeTextFile`, but piece by piece: each piece is written before the next is requested.
 * @throws FileError as `writeTextFile`; any error that `pieces` throws
 */
export async function writeStream(
  path: string,
  pieces: AsyncIterable<string | Uint8Array>,
  unique: string,
  ifPresent: IfPresent,
): Promise<void> {
  const special = isSpecial(path);
  const draft = special ? path : `${path}.${unique}.partial`;
  try {
    // Writing may take long, so an existing file is refused before it. The file may also appear later, which `linkSync` refuses.
    if (!special && ifPresent === 'refuse' && existsSync(path)) throw unwritable(path, null, 'EEXIST');
    const file = await writing(path, () => (special ? openSpecial(draft) : open(draft, 'wx', 0o600)));
    try {
      for await (const piece of pieces) await writing(path, () => file.writeFile(piece));
      if (!special) await file.sync();
    } finally {
      await file.close();
    }
    if (!special) await writing(path, () => (ifPresent === 'replace' ? renameSync : linkSync)(draft, path));
  } finally {
    if (!special) rmSync(draft, { force: true });
  }
}

async function openSpecial(path: string): Promise<FileHandle> {
  const held = holdSpecial(path);
  try {
    return await open(path, 'w');
  } finally {
    closeSync(held);
  }
}

/** @throws FileError for any error of `step` */
async function writing<T>(path: string, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw unwritable(path, error);
  }
}
