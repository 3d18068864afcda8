import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { Network } from '../../../domain/network.ts';
import { type PolicySource, type PolicyText, PolicyUnreadableError } from '../../../ports/policy-source.ts';
import { clientSettings } from '../client-settings.ts';
import { isObject, withCompleteAnswers } from '../complete-answers.ts';
import { codeOf, toStoreError } from '../store-errors.ts';
import { createStoreRetry, type RetryOptions } from '../store-retry.ts';

/** Where the policy is stored, from the variable `ROLLCALL_POLICY`. */
export type Location =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly key: string }
  | { readonly kind: 'ssm'; readonly name: string };

/** A policy larger than this is refused before it is parsed. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface PolicySourceOptions extends RetryOptions {
  /** Default: direct connections. */
  readonly network?: Network;
}

const CONNECT_MS = 2_000;
const REQUEST_MS = 10_000;

/** Reads the policy from a file in the function's bundle, an S3 object or an SSM parameter. Loads an SDK client only if it is needed. */
export function policySource(location: Location, taskRoot: string, options: PolicySourceOptions): PolicySource {
  switch (location.kind) {
    case 'file':
      return fileSource(resolve(taskRoot, location.path));
    case 's3':
      return s3Source(location.bucket, location.key, options);
    case 'ssm':
      return ssmSource(location.name, options);
  }
}

function fileSource(path: string): PolicySource {
  return {
    async read(known) {
      try {
        const stats = await stat(path);
        const { mtimeMs, size } = stats;
        // Reading a pipe could block forever.
        if (!stats.isFile()) throw new PolicyUnreadableError(`the policy ${path} is not a regular file`);
        const version = `${mtimeMs} ${size}`;
        if (version === known) return null;
        checkSize(path, size);
        return { version, bytes: await readFile(path), name: path };
      } catch (cause) {
        throw unreadable(path, cause);
      }
    },
    close: () => undefined,
  };
}

function s3Source(bucket: string, key: string, options: PolicySourceOptions): PolicySource {
  const retry = createStoreRetry(options);
  const name = `s3://${bucket}/${key}`;
  let client: S3Client | null = null;
  return {
    async read(known) {
      const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
      client ??= withCompleteAnswers('s3', new S3Client(clientSettings(CONNECT_MS, REQUEST_MS, options.network)));
      const s3 = client;
      const command = new GetObjectCommand({ Bucket: bucket, Key: key, ...(known !== null && { IfNoneMatch: known }) });
      try {
        const answer = await retry.run(name, 'GetObject', async (): Promise<GetObjectCommandOutput | null> => {
          try {
            return await s3.send(command);
          } catch (error) {
            if (isNotModified(error)) return null;
            throw error;
          }
        });
        return answer === null ? null : await objectText(name, answer);
      } catch (cause) {
        throw unreadable(name, cause);
      }
    },
    close: () => client?.destroy(),
  };
}

/** Whether S3 answered 304, which the SDK throws as an error, often without a name [API_GetObject]. */
function isNotModified(error: unknown): boolean {
  const metadata = isObject(error) ? error['$metadata'] : undefined;
  return codeOf(error) === 'NotModified' || (isObject(metadata) && metadata['httpStatusCode'] === 304);
}

async function objectText(name: string, { Body, ETag, ContentLength }: GetObjectCommandOutput): Promise<PolicyText> {
  checkSize(name, ContentLength ?? 0);
  if (Body === undefined || ETag === undefined) throw new PolicyUnreadableError(`${name}: S3 answered without content`);
  return { version: ETag, bytes: await Body.transformToByteArray(), name };
}

function ssmSource(parameter: string, options: PolicySourceOptions): PolicySource {
  const retry = createStoreRetry(options);
  const name = `ssm:${parameter}`;
  let client: SSMClient | null = null;
  return {
    async read(known) {
      const { GetParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm');
      client ??= withCompleteAnswers('ssm', new SSMClient(clientSettings(CONNECT_MS, REQUEST_MS, options.network)));
      const ssm = client;
      try {
        const command = new GetParameterCommand({ Name: parameter, WithDecryption: true });
        const { Parameter } = await retry.run(name, 'GetParameter', () => ssm.send(command));
        if (Parameter?.Value === undefined) throw new PolicyUnreadableError(`${name}: SSM answered without a value`);
        const version = String(Parameter.Version ?? '');
        if (version !== '' && version === known) return null;
        return { version, bytes: new TextEncoder().encode(Parameter.Value), name };
      } catch (cause) {
        throw unreadable(name, cause);
      }
    },
    close: () => client?.destroy(),
  };
}

function checkSize(name: string, bytes: number): void {
  if (bytes <= MAX_BYTES) return;
  throw new PolicyUnreadableError(`the policy ${name} has ${bytes} bytes; the maximum is ${MAX_BYTES}`);
}

function unreadable(name: string, cause: unknown): PolicyUnreadableError {
  if (cause instanceof PolicyUnreadableError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  const text = name.startsWith('s3:') || name.startsWith('ssm:') ? toStoreError(cause, name, 'reading').message : code;
  return new PolicyUnreadableError(`the policy ${name} cannot be read: ${text}`, { cause });
}
