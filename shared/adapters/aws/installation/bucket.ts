import {
  BucketLocationConstraint,
  CreateBucketCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { InstallationError } from '../../../ports/installation.ts';
import { calling, isDenied, isMissing } from './errors.ts';

/** Creates the bucket if it does not exist. Only its owner may use it: a bucket of this name in another account is an error. */
export async function ensureBucket(s3: S3Client, name: string, owner: string, region: string): Promise<void> {
  if (!(await exists(s3, name, owner))) {
    // us-east-1 accepts no location.
    const where =
      region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: locationOf(region) } };
    await calling('s3:CreateBucket', () => s3.send(new CreateBucketCommand({ Bucket: name, ...where })));
  }
  const closed = {
    BlockPublicAcls: true,
    BlockPublicPolicy: true,
    IgnorePublicAcls: true,
    RestrictPublicBuckets: true,
  };
  const input = { Bucket: name, ExpectedBucketOwner: owner, PublicAccessBlockConfiguration: closed };
  await calling('s3:PutBucketPublicAccessBlock', () => s3.send(new PutPublicAccessBlockCommand(input)));
}

/** @throws InstallationError for a Region that the SDK does not know */
function locationOf(region: string): BucketLocationConstraint {
  const known = Object.values(BucketLocationConstraint).find((each) => each === region);
  if (known !== undefined) return known;
  throw new InstallationError('UnknownRegion', `S3 has no Region ${region}`, {
    hints: ['Fix: set AWS_REGION to the Region that Rollcall should run in'],
  });
}

async function exists(s3: S3Client, name: string, owner: string): Promise<boolean> {
  try {
    await s3.send(new HeadBucketCommand({ Bucket: name, ExpectedBucketOwner: owner }));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    if (isDenied(error)) throw notOurs(name, error);
    return calling('s3:ListBucket', () => Promise.reject(error));
  }
}

/** S3 gives the same answer for a bucket of another account and for a missing permission. Anyone can take the name first, because it is predictable. */
function notOurs(name: string, cause: unknown): InstallationError {
  const message = `the bucket ${name} belongs to another account, or these credentials may not call s3:ListBucket`;
  const hints = [
    'Fix: if `aws s3api list-buckets` does not list it, another account has taken the name; then install with another --stage',
    'Otherwise, use credentials with the permissions of infra/examples/install-permissions.json',
  ];
  return new InstallationError('BucketRefused', message, { hints, cause });
}

/**
 * Uploads an object unless one with this key exists: keys contain a hash of the content.
 *
 * @param owner the account that the bucket must belong to
 * @returns whether it was uploaded
 */
export async function upload(
  s3: S3Client,
  owner: string,
  { bucket, key, content }: { readonly bucket: string; readonly key: string; readonly content: Uint8Array },
): Promise<boolean> {
  const object = { Bucket: bucket, Key: key, ExpectedBucketOwner: owner };
  try {
    await s3.send(new HeadObjectCommand(object));
    return false;
  } catch (error) {
    if (!isMissing(error)) return calling('s3:GetObject', () => Promise.reject(error));
  }
  await calling('s3:PutObject', () => s3.send(new PutObjectCommand({ ...object, Body: content })));
  return true;
}
