import { StoreError, type StoreErrorDetails } from '../../ports/store-error.ts';

type Translation = Omit<StoreErrorDetails, 'resource'>;

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
/** SQLITE_IOERR_SHMSIZE: the shared memory file could not grow, which is how a full disk shows there. */
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
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode;
}

/** Whether a retry may succeed. Node's `backup` reports a lock that it could not get as result 0. */
export function isBusy(error: unknown): boolean {
  if (error instanceof StoreError) return error.code === 'Busy';
  const result = sqliteResult(error);
  return result !== null && (result === 0 || [5, 6].includes(result & 0xff));
}

function changedOutside(error: unknown, path: string): StoreError {
  const reason = error instanceof Error ? error.message.slice(0, 200) : '';
  return new StoreError(
    { ...CORRUPT, resource: path, found: `the database is damaged or was changed from outside (${reason})` },
    { cause: error },
  );
}

/** Translates an error of SQLite or the file system into a {@link StoreError}, by its code, never by its text. */
export function toStoreError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const result = sqliteResult(error);
  if (result !== null) {
    // SQLITE_ERROR: the statements fit the schema, so the schema or the header has been changed.
    if (result === 1) return changedOutside(error, path);
    const known = result === IOERR_SHMSIZE ? DISK_FULL : BY_RESULT.get(result === 0 ? 5 : result & 0xff);
    if (known !== undefined) return new StoreError({ ...known, resource: path }, { cause: error });
  }
  // A number beyond JavaScript's range, and Rollcall stores none that large.
  if (error instanceof RangeError && 'code' in error && error.code === 'ERR_OUT_OF_RANGE')
    return changedOutside(error, path);
  const errno = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = BY_ERRNO.get(errno);
  if (known !== undefined) return new StoreError({ ...known, resource: path }, { cause: error });
  const found = `unexpected: ${error instanceof Error ? error.message : String(error)}`;
  const remedy = 'This is a defect of Rollcall; please report it with this message.';
  return new StoreError({ code: 'Internal', resource: path, found, remedy }, { cause: error });
}
