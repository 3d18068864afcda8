/**
 * Keeps checkpoints where those who can write the store cannot change or remove them, for example in an S3 bucket with Object Lock.
 *
 * Promises:
 * - `keep` is durable when it returns, and refuses a place that does not protect what it holds.
 * - A kept checkpoint is never replaced. The same checkpoint may be kept again, with any signatures; another one of the same origin and size is a `conflict`.
 * - `newest` sees every checkpoint for which `keep` returned before.
 */
export interface CheckpointArchive {
  /** Where checkpoints are kept, for people: `s3://bucket/prefix`. */
  readonly label: string;

  /** The kept checkpoint of this origin with the most entries, as a signed note, unverified; `null`: there is none. @throws ArchiveError */
  newest(origin: string): Promise<string | null>;

  /** @throws ArchiveError */
  keep(checkpoint: KeptCheckpoint): Promise<void>;

  close(): void;
}

export interface KeptCheckpoint {
  readonly origin: string;
  /** The number of entries that it covers. */
  readonly size: number;
  /** The signed note. */
  readonly note: string;
}

/**
 * - `unavailable`: it may work later.
 * - `denied`: permission is missing.
 * - `invalid`: the bucket does not exist, belongs to another account, or does not protect its objects.
 * - `conflict`: another checkpoint of this origin and size is kept.
 */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
  readonly kind: 'unavailable' | 'denied' | 'invalid' | 'conflict';

  /** @param message says where, what was found, what was expected and what to do; without secrets */
  constructor(kind: ArchiveError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
