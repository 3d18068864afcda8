import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreError } from '../../ports/store-error.ts';
import { fileErrorCode, toStoreError } from './errors.ts';

/** Makes a directory and its missing parents with owner-only permissions. @throws StoreError `NotADirectory`, `NotWritable`, `DiskFull` */
export function makeDirectory(path: string): void {
  if (assertDirectory(path)) return;
  try {
    makeWithAncestors(path);
  } catch (error) {
    throw toStoreError(error, path);
  }
}

/** Replaces mkdir's `recursive: true`, with which Node 24 retries forever if ENOENT is returned although the parent exists (in `/proc`). */
function makeWithAncestors(path: string): void {
  const parent = dirname(path);
  if (parent !== path && statSync(parent, { throwIfNoEntry: false }) === undefined) makeWithAncestors(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const code = fileErrorCode(error);
    // Another process has made the directory meanwhile.
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT') throw error;
    const remedy = 'Choose another directory with --data-dir.';
    throw new StoreError(
      { code: 'NotWritable', resource: path, found: 'no directory can be made there', remedy },
      { cause: error },
    );
  }
}

/** @returns `undefined` if the path does not exist @throws StoreError if this cannot be determined */
export function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw toStoreError(error, path);
  }
}

/** @returns whether the directory exists @throws StoreError `NotADirectory` if the path is something else */
export function assertDirectory(path: string): boolean {
  const stats = statsOf(path);
  if (stats?.isDirectory() !== false) return stats !== undefined;
  const remedy = 'Choose another directory with --data-dir.';
  throw new StoreError({ code: 'NotADirectory', resource: path, found: 'a file', expected: 'a directory', remedy });
}

/** Makes an empty file with owner-only permissions, which SQLite then copies to its log files. @throws StoreError also if the file exists */
export function makePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    throw toStoreError(error, path);
  }
}

/** Renames a complete draft to its final name, durably. @returns `false` if the name is taken; the draft then keeps its own name. */
export function publishFile(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
  } catch (error) {
    // Other errors mean that the file system has no hard links.
    if (fileErrorCode(error) === 'EEXIST' || statSync(path, { throwIfNoEntry: false }) !== undefined) return false;
    renameSync(draft, path);
  }
  rmSync(draft, { force: true });
  syncPath(path);
  syncPath(dirname(path));
  return true;
}

/** Syncs a file's content, or a directory's list of names, to the disk. */
export function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
