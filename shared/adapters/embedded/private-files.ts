import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreError } from '../../ports/store-error.ts';
import { toStoreError } from './errors.ts';

/**
 * Makes a directory for the owner only, and those above it; one that exists already is the user's and stays as it is.
 * @throws StoreError `NotADirectory`, `NotWritable`, `DiskFull`
 */
export function makeDirectory(path: string): void {
  if (assertDirectory(path)) return;
  try {
    makeWithAncestors(path);
  } catch (error) {
    throw toStoreError(error, path);
  }
}

/**
 * Not `recursive: true`: where a file system answers ENOENT although all above is there (`/proc` does), Node 24 tries again for ever.
 */
function makeWithAncestors(path: string): void {
  const parent = dirname(path);
  if (parent !== path && statSync(parent, { throwIfNoEntry: false }) === undefined) makeWithAncestors(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    // Another process was faster.
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT') throw error;
    const remedy = 'Choose another directory with --data-dir.';
    throw new StoreError(
      { code: 'NotWritable', resource: path, found: 'no directory can be made there', remedy },
      { cause: error },
    );
  }
}

/** @throws StoreError where not even that can be told. */
export function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw toStoreError(error, path);
  }
}

/** @returns whether it exists. @throws StoreError `NotADirectory` if it is something else. */
export function assertDirectory(path: string): boolean {
  const stats = statsOf(path);
  if (stats?.isDirectory() !== false) return stats !== undefined;
  const remedy = 'Choose another directory with --data-dir.';
  throw new StoreError({ code: 'NotADirectory', resource: path, found: 'a file', expected: 'a directory', remedy });
}

/**
 * Makes an empty file for the owner only. SQLite would make it readable for all; its log takes over the permissions of the file.
 * @throws StoreError also if it exists.
 */
export function makePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    throw toStoreError(error, path);
  }
}

/** Gives a complete file its name, durably; does nothing if the name is taken. @returns whether it has it now. */
export function publishFile(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'EEXIST') return false;
    // A file system without hard links.
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) return false;
    renameSync(draft, path);
  }
  rmSync(draft, { force: true });
  syncPath(path);
  syncPath(dirname(path));
  return true;
}

/** Puts a file's content, or a directory's names, on the disk. */
export function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
