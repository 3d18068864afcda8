import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';

interface LockedBucket {
  readonly owner: string;
  /** The `ObjectLockConfiguration` element; `null`: the bucket has no Object Lock. */
  lock: string | null;
  /** By key. */
  readonly objects: Map<string, string>;
}

interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface S3Call {
  readonly operation: string;
  /** The Region that the request was signed for. */
  readonly region: string | undefined;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

export interface ObjectLockServer {
  readonly endpoint: string;
  readonly calls: S3Call[];
  readonly buckets: Map<string, LockedBucket>;
  /** How many keys a page has. */
  pageSize: number;
  /** An answer in place of the real one; `'lost'`: the call takes effect, and its answer does not arrive. */
  answer: (call: S3Call) => Reply | 'lost' | undefined;
  close(): void;
}

export const OWNER = '111122223333';
const PROTECTED = lockOf('<Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>400</Days></DefaultRetention></Rule>');

export function lockOf(rule: string): string {
  return `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>${rule}</ObjectLockConfiguration>`;
}

export const failing = (status: number, code: string): Reply => ({
  status,
  body: `<Error><Code>${code}</Code><Message>no</Message></Error>`,
});

export function addBucket({ buckets }: ObjectLockServer, name: string, lock: string | null = PROTECTED): LockedBucket {
  const bucket: LockedBucket = { owner: OWNER, lock, objects: new Map() };
  buckets.set(name, bucket);
  return bucket;
}

/** Speaks the part of the S3 protocol that an archive of checkpoints needs, with conditional writes, checksums and Object Lock. */
export async function objectLockServer(): Promise<ObjectLockServer> {
  const state: Omit<ObjectLockServer, 'endpoint' | 'close'> = {
    ...{ calls: [], buckets: new Map(), pageSize: 1_000, answer: () => undefined },
  };
  const server = createServer((request, response) => {
    void bytesOf(request).then((body) => {
      const call = callOf(request);
      state.calls.push(call);
      const given = state.answer(call);
      const reply = given === undefined || given === 'lost' ? replyTo(call, body, state) : given;
      if (given === 'lost') return void request.socket.destroy();
      response.writeHead(reply.status, { 'content-type': 'application/xml', ...reply.headers }).end(reply.body);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a TCP port');
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return Object.assign(state, { endpoint: `http://127.0.0.1:${address.port}`, close });
}

function callOf({ url = '', method, headers }: IncomingMessage): S3Call {
  const { pathname, searchParams: query } = new URL(url, 'http://127.0.0.1');
  const [, bucket = '', ...rest] = pathname.split('/');
  const key = rest.map(decodeURIComponent).join('/');
  const ofBucket = query.has('object-lock') ? 'GetObjectLockConfiguration' : 'ListObjectsV2';
  const ofObject = method === 'PUT' ? 'PutObject' : 'GetObject';
  const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1];
  return { operation: key === '' ? ofBucket : ofObject, region, bucket, key, query, headers };
}

type Answers = Pick<ObjectLockServer, 'buckets' | 'pageSize'>;

function replyTo(call: S3Call, body: Buffer, { buckets, pageSize }: Answers): Reply {
  const bucket = buckets.get(call.bucket);
  if (bucket === undefined) return failing(404, 'NoSuchBucket');
  const expected = call.headers['x-amz-expected-bucket-owner'];
  if (expected !== undefined && expected !== bucket.owner) return failing(403, 'AccessDenied');
  switch (call.operation) {
    case 'GetObjectLockConfiguration':
      return bucket.lock === null
        ? failing(404, 'ObjectLockConfigurationNotFoundError')
        : { status: 200, body: bucket.lock };
    case 'ListObjectsV2':
      return list(call, bucket, pageSize);
    case 'PutObject':
      return put(call, body, bucket);
    default:
      return get(call, bucket);
  }
}

function put({ key, headers }: S3Call, body: Buffer, { lock, objects }: LockedBucket): Reply {
  const checksum = headers['x-amz-checksum-sha256'];
  if (lock !== null && checksum === undefined) return failing(400, 'InvalidRequest');
  if (checksum !== createHash('sha256').update(body).digest('base64')) return failing(400, 'BadDigest');
  if (headers['if-none-match'] === '*' && objects.has(key)) return failing(412, 'PreconditionFailed');
  objects.set(key, body.toString());
  return { status: 200, headers: { etag: '"1"' } };
}

function get({ key }: S3Call, { objects }: LockedBucket): Reply {
  const body = objects.get(key);
  if (body === undefined) return failing(404, 'NoSuchKey');
  const checksum = createHash('sha256').update(body).digest('base64');
  return { status: 200, headers: { etag: '"1"', 'x-amz-checksum-sha256': checksum }, body };
}

function list({ query }: S3Call, { objects }: LockedBucket, pageSize: number): Reply {
  const prefix = query.get('prefix') ?? '';
  const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
  const found = [...objects.keys()]
    .filter((key) => key.startsWith(prefix) && key > after && !key.slice(prefix.length).includes('/'))
    .sort();
  const page = found.slice(0, pageSize);
  const isTruncated = page.length < found.length;
  const next = isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  const contents = page.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join('');
  const head = `<Name>b</Name><Prefix>${prefix}</Prefix><IsTruncated>${isTruncated}</IsTruncated>`;
  return { status: 200, body: `<ListBucketResult>${head}${next}${contents}</ListBucketResult>` };
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
