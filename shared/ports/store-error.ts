/**
 * What is wrong with a store:
 * - `NotWritable` no permission, a read-only medium, or a store that was opened for reading
 * - `DiskFull` the operation stored nothing; it can be repeated once there is space
 * - `Corrupt` damaged, or changed by another program; left as it is
 * - `ForeignFile` a database that is not Rollcall's; left as it is
 * - `ForeignSchema` a Rollcall database in which another program created or changed tables, indexes, triggers or views; left as it is
 * - `NewerVersion`, `OlderVersion` written by another version of Rollcall; left as it is
 * - `Busy` another process held the lock for too long
 * - `NotADirectory`, `Exists` the path is not a directory, or something already exists there
 * - `NotFound` no such file, table or queue
 * - `Moved` the file was moved or deleted while it was open: further writes would be lost
 * - `Closed` the store was closed before
 * - `Io` the disk reported an error
 * - `Throttled` throttling outlasted the retries
 * - `Unavailable` the service or the network failed for longer than the retries
 * - `Denied`, `Unauthenticated` the credentials lack a permission, or are missing or invalid
 * - `WrongShape` a table or queue exists, but is not what Rollcall needs
 * - `ClockSkew` this machine's clock differs from the store's by more than leases and claims allow
 * - `TooLarge` more than the service accepts in one item or message; nothing of it was stored
 * - `Rejected` the service refuses the request permanently
 * - `Internal` a defect of Rollcall
 */
export type StoreErrorCode =
  | 'NotWritable'
  | 'DiskFull'
  | 'Corrupt'
  | 'ForeignFile'
  | 'ForeignSchema'
  | 'NewerVersion'
  | 'OlderVersion'
  | 'Busy'
  | 'NotADirectory'
  | 'Exists'
  | 'NotFound'
  | 'Moved'
  | 'Closed'
  | 'Io'
  | 'Throttled'
  | 'Unavailable'
  | 'Denied'
  | 'Unauthenticated'
  | 'WrongShape'
  | 'ClockSkew'
  | 'TooLarge'
  | 'Rejected'
  | 'Internal';

/** Codes that concern the store as a whole, not the item that was read or written. */
const WHOLE_STORE: ReadonlySet<StoreErrorCode> = new Set([
  'NotWritable',
  'DiskFull',
  'ForeignFile',
  'ForeignSchema',
  'NewerVersion',
  'OlderVersion',
  'NotFound',
  'Moved',
  'Closed',
  'Io',
  'Unauthenticated',
  'ClockSkew',
]);

export interface StoreErrorDetails {
  readonly code: StoreErrorCode;
  /** The file, directory, table or queue concerned: a path, `table X`, `queue https://…`. */
  readonly resource: string;
  readonly found: string;
  readonly expected?: string;
  /** What the user can do. */
  readonly remedy: string;
  /** The error code of the service or of the network, if the error came from there. */
  readonly vendorCode?: string;
  /** How long the service asks to wait before the call is repeated, ms. */
  readonly retryAfterMs?: number;
}

/** The only error of every store adapter. Never contains what was sent or signed. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly details: StoreErrorDetails;

  constructor(details: StoreErrorDetails, options?: ErrorOptions) {
    const { resource, found, expected, remedy } = details;
    super(`${resource}: ${found}${expected === undefined ? '' : `, expected ${expected}`}. ${remedy}`, options);
    this.details = details;
  }

  get code(): StoreErrorCode {
    return this.details.code;
  }

  get resource(): string {
    return this.details.resource;
  }

  /** Whether the cause is the store as a whole (a full disk, a missing table), so that no work can finish until it is fixed. */
  get affectsAllWork(): boolean {
    return WHOLE_STORE.has(this.code);
  }

  /** Whether the same call may succeed a little later. */
  get retryable(): boolean {
    return this.code === 'Throttled' || this.code === 'Unavailable';
  }
}
