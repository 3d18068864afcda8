import { ArchiveError, type CheckpointArchive, type KeptCheckpoint } from '../../../ports/checkpoint-archive.ts';
import { Bucket, type BucketOptions, type KeyPage, type Retention } from './bucket.ts';

export interface S3ArchiveOptions extends Omit<BucketOptions, 'label'> {
  /** Without slashes at its ends; empty: none. */
  readonly prefix: string;
}

export interface S3Archive extends CheckpointArchive {
  /** How the bucket protects new objects. @throws ArchiveError `invalid` if it does not */
  protection(): Promise<Retention>;
}

/** Numbers of this width sort as texts: it is that of 2^53 − 1. */
const DIGITS = 16;
const KEY = /^(\d{16})\.txt$/;

/** Keeps checkpoints in a bucket with Object Lock. Opens no connection yet. */
export function s3Archive({ prefix, ...options }: S3ArchiveOptions): S3Archive {
  const label = `s3://${options.bucket}${prefix === '' ? '' : `/${prefix}`}`;
  const bucket = new Bucket({ ...options, label });
  const newest = new Map<string, number>();
  const folderOf = (origin: string): string => `${prefix === '' ? '' : `${prefix}/`}${escaped(origin)}/`;
  const protection = async (): Promise<Retention> => {
    const found = await bucket.retention();
    if (found === null) throw new ArchiveError('invalid', `${label}: ${UNPROTECTED}`);
    return found;
  };
  return {
    label,
    protection,
    async newest(origin) {
      const folder = folderOf(origin);
      const known = newest.get(origin);
      // The list can begin with the last known checkpoint, because the bucket protects it. If it was removed nevertheless, the whole list is read.
      const size =
        (known === undefined ? null : await lastSize(bucket, folder, keyBefore(folder, known))) ??
        (await lastSize(bucket, folder, folder));
      if (size === null) return null;
      newest.set(origin, size);
      return bucket.get(keyOf(folder, size));
    },
    async keep(checkpoint) {
      await protection();
      const key = keyOf(folderOf(checkpoint.origin), checkpoint.size);
      if (await bucket.create(key, checkpoint.note)) return;
      if (textOf(await bucket.get(key)) !== textOf(checkpoint.note)) throw conflict(label, key, checkpoint);
    },
    close: () => bucket.close(),
  };
}

/** The largest size in the folder, of keys after `after`. Other objects in it are ignored. */
async function lastSize(bucket: Bucket, folder: string, after: string): Promise<number | null> {
  let size: number | null = null;
  for (let token: string | null | undefined; token !== null; ) {
    const page: KeyPage = await bucket.list({ prefix: folder, after, ...(token !== undefined && { token }) });
    for (const key of page.keys) {
      const digits = KEY.exec(key.slice(folder.length))?.[1];
      if (digits !== undefined) size = Number(digits);
    }
    token = page.next;
  }
  return size;
}

function keyOf(folder: string, size: number): string {
  return `${folder}${String(size).padStart(DIGITS, '0')}.txt`;
}

/** Sorts right before the key of this size: a dot sorts after the end of a text. */
function keyBefore(folder: string, size: number): string {
  return keyOf(folder, size).slice(0, -'.txt'.length);
}

/** Each part of an origin as one part of a key, so that two origins never share a folder. */
function escaped(origin: string): string {
  return origin.split('/').map(encodeURIComponent).join('/');
}

/** What the signatures of a note cover: two notes with the same text are the same checkpoint. */
function textOf(note: string): string {
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
}

const UNPROTECTED =
  'the bucket has no default retention by Object Lock, so kept checkpoints could be replaced or removed. Enable it with: aws s3api put-object-lock-configuration --bucket BUCKET --object-lock-configuration \'{"ObjectLockEnabled":"Enabled","Rule":{"DefaultRetention":{"Mode":"COMPLIANCE","Days":400}}}\'';

function conflict(label: string, key: string, { origin, size }: KeptCheckpoint): ArchiveError {
  const found = `${key} is another checkpoint of the log ${origin} with ${size} entries`;
  const meaning = 'The store was changed or replaced after that one was signed, or two stores sign for the same log.';
  return new ArchiveError('conflict', `${label}: ${found}. ${meaning} Compare both before anything is signed again.`);
}
