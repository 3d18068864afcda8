import type { StoreErrorCode } from '../../shared/ports/store-error.ts';

/** Message (`…` for names), cause and fix, each as users read it. */
export type Explanation = readonly [message: string, cause: string, fix: string];

/** Errors of the store, by code. */
export const STORE_ERRORS: Readonly<
  Record<
    StoreErrorCode | 'Tampered' | 'NotKept' | 'StoreNotAvailable' | 'ClockDifference' | 'PolicyReplaced',
    Explanation
  >
> = {
  NotFound: [
    'there is no store in …',
    'No scan has created the store yet, or a file, table or queue does not exist.',
    'If the folder is wrong, use --data-dir DIR or --store aws. rollcall scan creates a new store.',
  ],
  NotWritable: [
    '…: it cannot be opened or written',
    'Permission is missing, or the file system is read-only.',
    'Give the user that runs Rollcall write permission.',
  ],
  DiskFull: ['…: the disk is full', 'The operation stored nothing.', 'Free space, then run the command again.'],
  Corrupt: [
    '…: the database is damaged',
    'The file was changed by another program, or the disk lost data. It is left as it is.',
    'Restore a backup: rollcall restore FILE',
  ],
  Tampered: [
    'Audit log chain …',
    'An entry does not match its hash.',
    'rollcall audit verify shows what else was changed; restore an earlier backup.',
  ],
  NotKept: [
    '… was written, but is missing when read back',
    'Something undoes writes, such as a foreign trigger in the database.',
    'Restore a backup into a new folder.',
  ],
  ForeignFile: [
    '…: this is not an SQLite database',
    'The file is another database. It is left as it is.',
    'Name another folder with --data-dir.',
  ],
  ForeignSchema: [
    '…: the database has …',
    'Another program changed the schema.',
    'Restore a backup; keep other programs away from .rollcall.',
  ],
  NewerVersion: [
    '…: schema version …, written by a newer Rollcall',
    'An older Rollcall opens a newer store.',
    'Update Rollcall.',
  ],
  OlderVersion: [
    '…: schema version …',
    'The store cannot be upgraded while it is opened for reading.',
    'Run a command that writes, such as rollcall scan',
  ],
  Busy: [
    '…: another process holds the lock',
    'Another process held the lock for too long.',
    'Run the command again; look for a process that hangs.',
  ],
  NotADirectory: [
    '…: a file, expected a directory',
    'A file stands where the data directory should be.',
    'Name another folder with --data-dir.',
  ],
  Exists: ['…: it exists already', 'The command does not overwrite files.', 'Choose another name.'],
  Moved: [
    '… was moved or deleted while it was open',
    'Further writes would be lost.',
    'Put the file back, then start again.',
  ],
  Closed: ['… is closed', 'The process is ending.', 'Run the command again.'],
  Io: ['…: the disk answered with an error', 'The disk failed.', 'Check the disk, then restore a backup if needed.'],
  Throttled: [
    '… was throttled',
    'DynamoDB or SQS throttled a call until its retries were used up.',
    'Run the command again later.',
  ],
  Unavailable: [
    '… is not available',
    'The service or the network failed until the retries were used up.',
    'Run the command again later.',
  ],
  Denied: [
    '… access denied',
    'The credentials lack a permission for table, queue or bus.',
    'rollcall doctor with --store aws names it.',
  ],
  Unauthenticated: [
    '… credentials are missing or invalid',
    'The credentials for the store are missing or expired.',
    'Sign in again.',
  ],
  WrongShape: [
    '… is not what Rollcall needs',
    'A table or queue has other keys or settings.',
    'rollcall doctor with --store aws prints the command that fixes it.',
  ],
  ClockSkew: [
    "this machine's clock differs from the store's",
    'Leases and claims need clocks that agree.',
    'Turn time synchronization on.',
  ],
  ClockDifference: [
    "This machine's clock is off by …",
    'A worker with a wrong clock makes no calls.',
    'Turn time synchronization on; work resumes by itself.',
  ],
  TooLarge: [
    '… is too large',
    'An item or message is larger than the service accepts. Nothing was stored.',
    'Report this defect.',
  ],
  Rejected: [
    '… refused the request',
    'The service refuses the request permanently.',
    'Compare table and queue with rollcall doctor',
  ],
  PolicyReplaced: [
    'Policy … is in force on this store',
    'Another process has put its own policy in force. This process makes no more changes.',
    'Start it again with the policy that is in force.',
  ],
  Internal: ['Unexpected: …', 'A defect of Rollcall.', 'Report it with the output of --verbose.'],
  StoreNotAvailable: [
    'backup is for the embedded store',
    'The table has point-in-time recovery instead.',
    'See [restoring](../how-to/stop-and-recover.md#restoring).',
  ],
};
