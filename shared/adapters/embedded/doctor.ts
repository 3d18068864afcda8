/** The checks of `doctor` for the embedded store. They write nothing and create no file. */
import { accessSync, closeSync, constants, openSync, readSync, type Stats, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type CheckResult, fail, pass, quoted, skipped, warn } from '../../domain/check-result.ts';
import { StoreError } from '../../ports/store-error.ts';
import type { Clock, Random } from '../../ports/system.ts';
import { databasePath, inspectFile } from './file.ts';
import { MIGRATIONS } from './schema.ts';

const MIB = 2 ** 20;
/** With less free space than this, bytes, the next scan of a large organization may fail. */
const LITTLE_SPACE = 64 * MIB;
const SOME_SPACE = 1024 * MIB;
/** Each checkpoint truncates the log to 64 MiB (`journal_size_limit`). A log above this size, bytes, means that checkpoints fail. */
const LONG_LOG = 256 * MIB;

/** Network file systems, by their number in statfs(2). Write-ahead logs do not work there: they need shared memory [sqlite.org/wal.html]. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9P'],
]);

export function lookAtEmbedded(dataDir: string, { clock, random }: { clock: Clock; random: Random }) {
  const path = databasePath(dataDir);
  return {
    dataDirectory: async () => directory(dataDir),
    database: (): Promise<CheckResult> => database(path, { clock, random, totalMs: 2_000 }),
    writeAheadLog: async () => log(path),
    disk: async () => disk(dataDir),
  };
}

function directory(dataDir: string): CheckResult {
  const stats = statSync(dataDir, { throwIfNoEntry: false });
  const named = quoted(dataDir);
  if (stats !== undefined && !stats.isDirectory()) {
    return fail('wrong', `${dataDir} is a file, expected a directory: name another with --data-dir, or move it away:`, [
      `mv ${named} ${quoted(`${dataDir}.old`)}`,
    ]);
  }
  const existing = stats === undefined ? nearest(dataDir) : dataDir;
  if (!mayWrite(existing)) {
    const command = `sudo chown -R "$(id -un)" ${quoted(existing)} && chmod u+rwx ${quoted(existing)}`;
    return fail('denied', `this user may not write in ${existing}`, [command]);
  }
  return pass(stats === undefined ? `${dataDir} will be created by the first scan` : `${dataDir} can be written`);
}

async function database(path: string, patience: Parameters<typeof inspectFile>[2]): Promise<CheckResult> {
  try {
    const state = await inspectFile(path, MIGRATIONS, patience);
    if (state === null) return skipped('missing', `there is no store yet; the first scan creates ${path}`);
    const stats = statSync(path);
    if ((stats.mode & 0o077) !== 0)
      return warn('wrong', `${path} can be read by other users`, [`chmod 600 ${quoted(path)}`]);
    if (!mayWrite(path)) return fail('denied', `this user may not write ${path}`, [`chmod u+rw ${quoted(path)}`]);
    const older = state.version < MIGRATIONS.length ? '; the next command that writes brings it up to date' : '';
    return pass(`${path} is sound: ${size(state.bytes)}, schema ${state.version}${older}`);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return storeResult(error);
  }
}

function storeResult(error: StoreError): CheckResult {
  switch (error.code) {
    case 'Busy':
      return warn('unavailable', error.message);
    case 'NotWritable':
      return fail('denied', error.message, [`chmod u+rw ${quoted(error.resource)}`]);
    case 'Corrupt':
    case 'ForeignSchema':
      return fail('wrong', error.message, ['rollcall restore BACKUP']);
    default:
      return fail('wrong', error.message);
  }
}

/** Offset in the header of the format's version number, which is 2 with a write-ahead log [sqlite.org/fileformat2.html, 1.3.3]. */
const VERSIONS_AT = 18;

function log(path: string): CheckResult {
  const stats = statSync(path, { throwIfNoEntry: false });
  const system = fileSystem(stats === undefined ? nearest(dirname(path)) : dirname(path));
  if (system !== null) {
    const message = `${dirname(path)} is on a network file system (${system}), where several processes cannot share a write-ahead log`;
    return fail('wrong', `${message}. Use a local disk: move it, and name it with --data-dir.`);
  }
  if (stats === undefined) return skipped('missing', 'there is no store yet');
  const mode = Buffer.alloc(2);
  const file = openSync(path, 'r');
  try {
    readSync(file, mode, 0, 2, VERSIONS_AT);
  } finally {
    closeSync(file);
  }
  if (mode[0] !== 2)
    return warn('wrong', `${path} is not in write-ahead mode; the next command that writes changes that`);
  const waiting = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (waiting <= LONG_LOG) return pass(`write-ahead mode, ${size(waiting)} of log`);
  const message = `${path}-wal has ${size(waiting)}: a process that keeps reading prevents SQLite from moving it into the database file. End that process, then:`;
  return warn('wrong', message, [`sqlite3 ${quoted(path)} 'PRAGMA wal_checkpoint(TRUNCATE)'`]);
}

function disk(dataDir: string): CheckResult {
  const at = nearest(dataDir);
  const { bavail, bsize } = statfsSync(at);
  const free = bavail * bsize;
  const message = `${size(free)} free at ${at}`;
  const look = [`du -xh ${quoted(at)} | sort -h | tail`];
  if (free < LITTLE_SPACE) return fail('wrong', `${message}: too little for the next run. Free some space.`, look);
  return free < SOME_SPACE ? warn('wrong', `${message}: it may run out soon. Free some space.`, look) : pass(message);
}

/** The path, or its nearest existing parent. */
function nearest(path: string): string {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (existing(at)?.isDirectory() === true || dirname(at) === at) return at;
  }
}

function existing(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // ENOTDIR: a part of the path is a file.
    return undefined;
  }
}

function mayWrite(path: string): boolean {
  const wanted = statSync(path).isDirectory() ? constants.W_OK | constants.X_OK : constants.R_OK | constants.W_OK;
  try {
    accessSync(path, wanted);
    return true;
  } catch {
    return false; // access(2) reports a missing permission as an error
  }
}

function fileSystem(path: string): string | null {
  return NETWORK_FILE_SYSTEMS.get(statfsSync(path).type >>> 0) ?? null;
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes / 1024;
  let at = 0;
  for (; value >= 1024 && at < units.length - 1; at += 1) value /= 1024;
  return `${value.toFixed(1)} ${units[at] ?? ''}`;
}
