import { StoreError, type StoreErrorCode, type StoreErrorDetails } from '../../ports/store-error.ts';

type Translation = Omit<StoreErrorDetails, 'resource'>;

/** An error that this adapter detects itself. */
export function storeError(code: StoreErrorCode, resource: string, found: string, remedy: string): StoreError {
  return new StoreError({ code, resource, found, remedy });
}

const CORRUPT: Translation = {
  code: 'Corrupt',
  found: 'the database is damaged',
  remedy: 'It was left as it is. Restore a backup with `rollcall restore FILE`; the damaged file is then set aside.',
};
const DISK_FULL: Translation = {
  code: 'DiskFull',
  found: 'the disk is full',
  remedy:
    'Nothing that was acknowledged is lost. Free some space: a daemon continues by itself; run other commands again.',
};
const NOT_WRITABLE: Translation = {
  code: 'NotWritable',
  found: 'it cannot be opened or written',
  expected: 'a file and directory that this user may read and write',
  remedy: 'Check owner and permissions, or choose another directory with --data-dir.',
};
const IO: Translation = {
  code: 'Io',
  found: 'the disk answered with an error',
  remedy: 'Nothing that was acknowledged is lost as far as the disk kept it. Check the disk and the system log.',
};
const BUSY: Translation = {
  code: 'Busy',
  found: 'another process holds the lock',
  remedy: 'Try again when its backup, restore or migration is done.',
};

/** By SQLite's primary result code [sqlite.org/rescode.html]. */
const BY_RESULT: ReadonlyMap<number, Translation> = new Map([
  [3, NOT_WRITABLE], // SQLITE_PERM
  [5, BUSY], // SQLITE_BUSY
  [6, BUSY], // SQLITE_LOCKED
  [8, NOT_WRITABLE], // SQLITE_READONLY
  [10, IO], // SQLITE_IOERR
  [11, CORRUPT], // SQLITE_CORRUPT
  [13, DISK_FULL], // SQLITE_FULL
  [14, NOT_WRITABLE], // SQLITE_CANTOPEN
  [23, NOT_WRITABLE], // SQLITE_AUTH
  [26, { ...CORRUPT, found: 'this is not an SQLite database' }], // SQLITE_NOTADB
]);
/** SQLITE_IOERR_SHMSIZE: the shared memory file could not grow, because the disk is full. */
const IOERR_SHMSIZE = 4874;

/** By the error code of Node's file functions. */
const BY_ERRNO: ReadonlyMap<string, Translation> = new Map([
  ['EACCES', NOT_WRITABLE],
  ['EPERM', NOT_WRITABLE],
  ['EROFS', NOT_WRITABLE],
  ['ENOSPC', DISK_FULL],
  ['EDQUOT', DISK_FULL],
  ['ENOTDIR', { code: 'NotADirectory', found: 'part of the path is a file', remedy: 'Choose another path.' }],
  ['ENOENT', { code: 'NotFound', found: 'there is no such file or directory', remedy: 'Check the path.' }],
  ['EEXIST', { code: 'Exists', found: 'it exists already', remedy: 'Choose another path.' }],
  ['ENAMETOOLONG', { code: 'NotFound', found: 'the name is too long', remedy: 'Choose a shorter path.' }],
  ['ELOOP', { code: 'NotFound', found: 'its symbolic links lead in a circle', remedy: 'Choose another path.' }],
  ['EISDIR', { code: 'Exists', found: 'it is a directory', expected: 'a file', remedy: 'Choose another path.' }],
]);

function sqliteResult(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : null;
}

/** The code of an error of Node's file functions; empty for other errors. */
export function fileErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whether another connection holds the lock, so that a retry may succeed. Node's `backup` reports that as result 0. */
export function isBusy(error: unknown): boolean {
  if (error instanceof StoreError) return error.code === 'Busy';
  const result = sqliteResult(error);
  return result !== null && (result === 0 || [5, 6].includes(result & 0xff));
}

function changedOutside(error: unknown, path: string): StoreError {
  const reason = error instanceof Error ? error.message.slice(0, 200) : '';
  const found = `the database is damaged or was changed from outside (${reason})`;
  return new StoreError({ ...CORRUPT, resource: path, found }, { cause: error });
}

/** Runs `work` and translates its errors. Errors that are not about the store's file are thrown unchanged. */
export function translating<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translated(error, path);
  }
}

/** The StoreError for an error about the store's file; any other error unchanged. */
export function translated(error: unknown, path: string): unknown {
  const known = toStoreError(error, path);
  return known.code === 'Internal' ? error : known;
}

/** Translates an error of SQLite or the file system by its code, never by its text. */
export function toStoreError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const result = sqliteResult(error);
  if (result !== null) {
    // SQLITE_ERROR: Rollcall's statements fit its schema, so another program has changed the schema or the header.
    if (result === 1) return changedOutside(error, path);
    const known = result === IOERR_SHMSIZE ? DISK_FULL : BY_RESULT.get(result === 0 ? 5 : result & 0xff);
    if (known !== undefined) return new StoreError({ ...known, resource: path }, { cause: error });
  }
  const code = fileErrorCode(error);
  // The file contains a number beyond JavaScript's range. Rollcall stores no such number.
  if (code === 'ERR_OUT_OF_RANGE') return changedOutside(error, path);
  const known = BY_ERRNO.get(code);
  if (known !== undefined) return new StoreError({ ...known, resource: path }, { cause: error });
  const found = `unexpected: ${error instanceof Error ? error.message : String(error)}`;
  const remedy = 'This is a defect of Rollcall; please report it with this message.';
  return new StoreError({ code: 'Internal', resource: path, found, remedy }, { cause: error });
}
