import { ArchiveError } from '../../../ports/checkpoint-archive.ts';
import type { StoreError, StoreErrorCode } from '../../../ports/store-error.ts';

/** What to do about the errors of the bucket itself, by S3's code [API/ErrorResponses]. */
const REMEDIES: Readonly<Record<string, string>> = {
  NoSuchBucket: 'Correct ROLLCALL_CHECKPOINT_ARCHIVE, or create the bucket with Object Lock.',
  NoSuchKey: 'The object was removed after it was listed. Find out who removed it.',
  InvalidBucketName: 'Correct ROLLCALL_CHECKPOINT_ARCHIVE.',
  AccessDenied:
    'Allow s3:PutObject, s3:GetObject, s3:ListBucket and s3:GetBucketObjectLockConfiguration in the policy of the role and, for a bucket of another account, in the bucket policy. S3 gives the same answer if the bucket does not belong to the account in ROLLCALL_CHECKPOINT_ARCHIVE_OWNER.',
};

const KINDS: Readonly<Partial<Record<StoreErrorCode, ArchiveError['kind']>>> = {
  Throttled: 'unavailable',
  Unavailable: 'unavailable',
  Denied: 'denied',
  Unauthenticated: 'denied',
};

/** Every other refusal of S3 concerns the bucket, so a retry would be refused too. */
export function archiveError(error: StoreError): ArchiveError {
  const { resource, found, vendorCode = '', remedy } = error.details;
  const advice = Object.hasOwn(REMEDIES, vendorCode) ? REMEDIES[vendorCode] : remedy;
  return new ArchiveError(KINDS[error.code] ?? 'invalid', `${resource}: ${found}. ${advice}`, { cause: error });
}
