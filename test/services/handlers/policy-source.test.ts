import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { buildApp } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { policySource } from '../../../shared/adapters/aws/lambda/policy-source.ts';
import { PolicyUnreadableError } from '../../../shared/ports/policy-source.ts';
import { timeScale, worldClock } from '../../support/world-clock.ts';

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const fast = { clock: worldClock(timeScale(1_000)), random: () => 0.5 };

describe('a policy in S3', () => {
  const app = buildApp({ logger: false });
  let client: S3Client;
  const put = (Body: string) => client.send(new PutObjectCommand({ Bucket: 'policies', Key: 'a/b.yaml', Body }));

  beforeAll(async () => {
    const endpoint = await app.listen({ port: 0, host: '127.0.0.1' });
    Object.assign(process.env, {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'y',
      AWS_ENDPOINT_URL_S3: endpoint,
    });
    client = new S3Client({});
    await client.send(new CreateBucketCommand({ Bucket: 'policies' }));
  });
  afterAll(async () => {
    client.destroy();
    await app.close();
  });

  it('is read, and read again after it changed', async () => {
    const source = policySource({ kind: 's3', bucket: 'policies', key: 'a/b.yaml' }, '/', fast);
    await put('version: 1');
    const first = await source.read(null);
    expect(text(first?.bytes)).toBe('version: 1');
    expect(first?.name).toBe('s3://policies/a/b.yaml');
    expect(await source.read(first?.version ?? '')).toBeNull();
    await put('version: 1 # changed');
    const second = await source.read(first?.version ?? '');
    expect(text(second?.bytes)).toBe('version: 1 # changed');
    source.close();
  });

  it('that does not exist is named in the error', async () => {
    for (const [bucket, key] of [
      ['policies', 'none.yaml'],
      ['nobucket', 'a.yaml'],
    ] as const) {
      const source = policySource({ kind: 's3', bucket, key }, '/', fast);
      const error = await source.read(null).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(PolicyUnreadableError);
      expect(String(error)).toContain(`s3://${bucket}/${key}`);
      source.close();
    }
  });
});

describe('a policy in the bundle', () => {
  it('must be a regular file, because reading a pipe would block', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'rollcall-policy-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    execFileSync('mkfifo', [join(directory, 'policy.yaml')]);
    const source = policySource({ kind: 'file', path: 'policy.yaml' }, directory, fast);
    await expect(source.read(null)).rejects.toThrow(/policy\.yaml is not a regular file/);
  });
});

describe('a policy in an SSM parameter', () => {
  let answer: { readonly status: number; readonly body: object } = { status: 200, body: {} };
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    asked.push(`${request.headers['x-amz-target']} ${await bodyOf(request)}`);
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(answer.body));
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    Object.assign(process.env, {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'y',
      AWS_ENDPOINT_URL_SSM: `http://127.0.0.1:${port}`,
    });
  });
  afterAll(() => server.close());

  it('is read, and read again after its version changed', async () => {
    const source = policySource({ kind: 'ssm', name: '/rollcall/policy' }, '/', fast);
    answer = { status: 200, body: { Parameter: { Name: '/rollcall/policy', Value: 'version: 1', Version: 7 } } };
    const first = await source.read(null);
    expect(text(first?.bytes)).toBe('version: 1');
    expect(asked.at(-1)).toBe('AmazonSSM.GetParameter {"Name":"/rollcall/policy","WithDecryption":true}');
    expect(await source.read(first?.version ?? '')).toBeNull();
    answer = { status: 200, body: { Parameter: { Name: '/rollcall/policy', Value: 'version: 1 # 8', Version: 8 } } };
    expect(text((await source.read(first?.version ?? ''))?.bytes)).toBe('version: 1 # 8');
    source.close();
  });

  it('that does not exist or has no value is named in the error', async () => {
    const source = policySource({ kind: 'ssm', name: '/rollcall/policy' }, '/', fast);
    answer = { status: 400, body: { __type: 'ParameterNotFound', message: 'no such parameter' } };
    await expect(source.read(null)).rejects.toThrow(/ssm:\/rollcall\/policy cannot be read: .*ParameterNotFound/);
    answer = { status: 200, body: { Parameter: {} } };
    await expect(source.read(null)).rejects.toThrow(/the answer lacks Parameter\.Value/);
    source.close();
  });
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}
