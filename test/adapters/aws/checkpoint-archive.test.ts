import { inspect } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  type S3Archive,
  type S3ArchiveOptions,
  s3Archive,
} from '../../../shared/adapters/aws/s3/checkpoint-archive.ts';
import { ArchiveError } from '../../../shared/ports/checkpoint-archive.ts';
import { checkpointArchiveContract, noteOf } from '../../contract/checkpoint-archive.contract.ts';
import { manualClock } from '../../support/manual-clock.ts';
import {
  addBucket,
  failing,
  lockOf,
  type ObjectLockServer,
  OWNER,
  objectLockServer,
} from '../../support/object-lock-server.ts';
import { immediateClock } from './stores.ts';

const BUCKET = 'checkpoints';
const ORIGIN = 'rollcall/o-abc1234567/k3v9x2ab';
const FOLDER = `audit/${ORIGIN}`;

function archiveOf({ endpoint }: ObjectLockServer, options: Partial<S3ArchiveOptions> = {}): S3Archive {
  const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI' };
  return s3Archive({
    ...{ bucket: BUCKET, prefix: 'audit', owner: OWNER, clock: immediateClock(), random: () => 0.5 },
    ...{ network: { proxy: null, ca: null, region: 'eu-central-1' }, s3: { endpoint, credentials } },
    ...options,
  });
}

for (const [name, prefix, pageSize] of [
  ['S3', 'audit', 1_000],
  ['S3 without a prefix, in pages of two keys', '', 2],
] as const) {
  checkpointArchiveContract(name, async () => {
    const server = await objectLockServer();
    server.pageSize = pageSize;
    addBucket(server, BUCKET);
    const open = () => archiveOf(server, { prefix });
    return { port: open(), another: async () => open(), clock: manualClock(), close: async () => server.close() };
  });
}

describe('an archive in S3', () => {
  let server: ObjectLockServer;
  beforeEach(async () => {
    server = await objectLockServer();
    onTestFinished(() => server.close());
  });
  const keep = (size: number, archive = archiveOf(server)) =>
    archive.keep({ origin: ORIGIN, size, note: noteOf(size) });
  const failure = async (promise: Promise<unknown>): Promise<ArchiveError> => {
    const error = await promise.catch((thrown: unknown) => thrown);
    if (!(error instanceof ArchiveError)) return expect.fail(`no ArchiveError: ${inspect(error).slice(0, 500)}`);
    expect(error.message).toContain(`s3://${BUCKET}/audit: `);
    return error;
  };

  it('writes readable keys that sort by size, with a checksum, only if there is no such key', async () => {
    const bucket = addBucket(server, BUCKET);
    await keep(9);
    await keep(123_456);
    expect([...bucket.objects.keys()]).toEqual([`${FOLDER}/0000000000000009.txt`, `${FOLDER}/0000000000123456.txt`]);
    expect(server.calls.map(({ operation }) => operation).slice(0, 2)).toEqual([
      'GetObjectLockConfiguration',
      'PutObject',
    ]);
    expect(server.calls[1]?.headers).toMatchObject({
      'if-none-match': '*',
      'x-amz-checksum-sha256': expect.any(String),
      'x-amz-expected-bucket-owner': OWNER,
      'content-type': 'text/plain; charset=utf-8',
    });
  });

  it.each([
    ['no Object Lock', null],
    ['Object Lock without default retention', lockOf('')],
    ['an empty rule', lockOf('<Rule></Rule>')],
    [
      'a default retention without a period',
      lockOf('<Rule><DefaultRetention><Mode>GOVERNANCE</Mode></DefaultRetention></Rule>'),
    ],
  ])('refuses a bucket with %s, and writes nothing', async (_what, lock) => {
    const bucket = addBucket(server, BUCKET, lock);
    const error = await failure(keep(1));
    expect(error.kind).toBe('invalid');
    expect(error.message).toMatch(/no default retention by Object Lock.* aws s3api put-object-lock-configuration/);
    expect(bucket.objects.size).toBe(0);
  });

  it.each([
    ['<Mode>GOVERNANCE</Mode><Days>30</Days>', { mode: 'GOVERNANCE', days: 30 }],
    ['<Mode>COMPLIANCE</Mode><Years>7</Years>', { mode: 'COMPLIANCE', days: 2_555 }],
  ])('says how objects are protected by %s', async (retention, expected) => {
    addBucket(server, BUCKET, lockOf(`<Rule><DefaultRetention>${retention}</DefaultRetention></Rule>`));
    expect(await archiveOf(server).protection()).toEqual(expected);
  });

  it('refuses a bucket that lost its protection meanwhile', async () => {
    const bucket = addBucket(server, BUCKET);
    const archive = archiveOf(server);
    await keep(1, archive);
    bucket.lock = lockOf('');
    expect((await failure(keep(2, archive))).kind).toBe('invalid');
  });

  it('refuses a bucket of another account', async () => {
    addBucket(server, BUCKET);
    const archive = archiveOf(server, { owner: '444455556666' });
    for (const error of [await failure(keep(1, archive)), await failure(archive.newest(ORIGIN))]) {
      expect(error.kind).toBe('denied');
      expect(error.message).toContain('ROLLCALL_CHECKPOINT_ARCHIVE_OWNER');
    }
    await keep(1, archiveOf(server, { owner: null }));
  });

  it('follows the bucket into its Region', async () => {
    const { objects } = addBucket(server, BUCKET);
    const elsewhere = { ...failing(301, 'PermanentRedirect'), headers: { 'x-amz-bucket-region': 'us-west-2' } };
    server.answer = ({ region }) => (region === 'us-west-2' ? undefined : elsewhere);
    const archive = archiveOf(server);
    await keep(5, archive);
    expect(await archive.newest(ORIGIN)).toBe(noteOf(5));
    expect(objects.size).toBe(1);
  });

  it('refuses a bucket that does not exist', async () => {
    for (const error of [await failure(keep(1)), await failure(archiveOf(server).newest(ORIGIN))]) {
      expect(error.kind).toBe('invalid');
      expect(error.message).toContain('NoSuchBucket');
      expect(error.message).toContain('ROLLCALL_CHECKPOINT_ARCHIVE');
    }
  });

  it.each([
    [403, 'AccessDenied', 'denied'],
    [403, 'InvalidAccessKeyId', 'denied'],
    [403, 'ExpiredToken', 'denied'],
    [503, 'SlowDown', 'unavailable'],
    [500, 'InternalError', 'unavailable'],
    [409, 'ConditionalRequestConflict', 'unavailable'],
  ])('translates HTTP %i %s', async (status, code, kind) => {
    addBucket(server, BUCKET);
    for (const refusing of ['GetObjectLockConfiguration', 'PutObject', 'ListObjectsV2', 'GetObject']) {
      await keep(1);
      server.answer = ({ operation }) => (operation === refusing ? failing(status, code) : undefined);
      const archive = archiveOf(server);
      const reads = refusing === 'ListObjectsV2' || refusing === 'GetObject';
      const error = await failure(reads ? archive.newest(ORIGIN) : keep(2, archive));
      expect([refusing, error.kind]).toEqual([refusing, kind]);
      expect(error.message).toContain(`${refusing} failed (${code}`);
      server.answer = () => undefined;
    }
  });

  it('keeps a checkpoint once if the answer to a write was lost', async () => {
    const bucket = addBucket(server, BUCKET);
    let lost = 1;
    server.answer = ({ operation }) => (operation === 'PutObject' && lost-- > 0 ? 'lost' : undefined);
    await keep(5);
    expect([...bucket.objects.values()]).toEqual([noteOf(5)]);
  });

  it.each([
    ['GetObjectLockConfiguration', '<x/>'],
    ['ListObjectsV2', '<ListBucketResult></ListBucketResult>'],
    ['ListObjectsV2', '<ListBucketResult><Prefix>p</Prefix><IsTruncated>true</IsTruncated></ListBucketResult>'],
  ])('never takes a broken answer to %s for an empty one', async (operation, body) => {
    addBucket(server, BUCKET);
    server.answer = (call) => (call.operation === operation ? { status: 200, body } : undefined);
    const archive = archiveOf(server);
    const error = await failure(operation === 'ListObjectsV2' ? archive.newest(ORIGIN) : keep(1, archive));
    expect(['unavailable', 'invalid']).toContain(error.kind);
  });

  it('ignores objects that are not checkpoints', async () => {
    const { objects } = addBucket(server, BUCKET);
    server.pageSize = 2;
    await keep(5);
    for (const name of ['0.txt', '0000000000000007.txt.bak', '00000000000000010.txt', 'README', 'zzz', '']) {
      objects.set(`${FOLDER}/${name}`, 'x');
    }
    expect(await archiveOf(server).newest(ORIGIN)).toBe(noteOf(5));
  });

  it('refuses to read an enormous object', async () => {
    const { objects } = addBucket(server, BUCKET);
    objects.set(`${FOLDER}/0000000000000007.txt`, 'x'.repeat(2_000_000));
    expect((await failure(archiveOf(server).newest(ORIGIN))).message).toContain('more than 1048576 bytes');
  });

  it('lists only what may be new after the first time', async () => {
    addBucket(server, BUCKET);
    server.pageSize = 2;
    const archive = archiveOf(server);
    for (const size of [1, 2, 3, 4, 5, 6]) await keep(size, archive);
    await archive.newest(ORIGIN);
    server.calls.length = 0;
    expect(await archive.newest(ORIGIN)).toBe(noteOf(6));
    expect(server.calls.map(({ operation }) => operation)).toEqual(['ListObjectsV2', 'GetObject']);
  });

  it('finds what is left if the newest checkpoint was removed', async () => {
    const { objects } = addBucket(server, BUCKET);
    const archive = archiveOf(server);
    await keep(1, archive);
    await keep(2, archive);
    await archive.newest(ORIGIN);
    objects.delete(`${FOLDER}/0000000000000002.txt`);
    expect(await archive.newest(ORIGIN)).toBe(noteOf(1));
  });
});
