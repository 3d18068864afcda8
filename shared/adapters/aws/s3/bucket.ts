import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import type { Network } from '../../../domain/network.ts';
import { ArchiveError } from '../../../ports/checkpoint-archive.ts';
import { StoreError } from '../../../ports/store-error.ts';
import { clientSettings } from '../client-settings.ts';
import { withCompleteAnswers } from '../complete-answers.ts';
import { createStoreRetry, type RetryOptions } from '../store-retry.ts';
import { archiveError } from './errors.ts';

export interface BucketOptions extends RetryOptions {
  readonly bucket: string;
  /** The id of the account that the bucket must belong to; `null`: not known. */
  readonly owner: string | null;
  /** How errors name the bucket. */
  readonly label: string;
  /** Default: direct connections. */
  readonly network?: Network;
  /** Overrides of the SDK's own settings. */
  readonly s3?: S3ClientConfig;
}

/** A bucket's default retention. */
export interface Retention {
  /** With `GOVERNANCE`, some principals of the account can still remove objects; with `COMPLIANCE`, nobody can. */
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  readonly days: number;
}

export interface ListRequest {
  /** All keys begin with it. What follows has no slash. */
  readonly prefix: string;
  /** All keys sort after it. */
  readonly after: string;
  /** `next` of the page before. */
  readonly token?: string;
}

export interface KeyPage {
  readonly keys: readonly string[];
  /** `null`: this is the last page. */
  readonly next: string | null;
}

const CONNECT_MS = 2_000;
const REQUEST_MS = 5_000;
/** Few retries, because maintenance tries again a minute later. */
const MAX_RETRIES = 2;
/** A checkpoint with all the signatures that a note may have is smaller. */
const MAX_BYTES = 1_048_576;
const DAYS_A_YEAR = 365;

/** The calls for one bucket, each with few retries. All throw `ArchiveError`. */
export class Bucket {
  readonly #client: S3Client;
  readonly #retry: ReturnType<typeof createStoreRetry>;
  readonly #where: { readonly Bucket: string; readonly ExpectedBucketOwner?: string };
  readonly #label: string;

  constructor({ bucket, owner, label, clock, random, network, s3 }: BucketOptions) {
    // The bucket may be in another Region, for example in an account for logs.
    const settings = { ...clientSettings(CONNECT_MS, REQUEST_MS, network), followRegionRedirects: true, ...s3 };
    this.#client = withCompleteAnswers('s3', new S3Client(settings));
    this.#retry = createStoreRetry({ clock, random, maxRetries: MAX_RETRIES });
    this.#where = { Bucket: bucket, ...(owner !== null && { ExpectedBucketOwner: owner }) };
    this.#label = label;
  }

  /** @returns `null`: the bucket does not protect new objects by default */
  async retention(): Promise<Retention | null> {
    const command = new GetObjectLockConfigurationCommand(this.#where);
    const answer = await this.#calling('GetObjectLockConfiguration', async () => {
      try {
        return await this.#client.send(command);
      } catch (error) {
        if (nameOf(error) === 'ObjectLockConfigurationNotFoundError') return null;
        throw error;
      }
    });
    const { ObjectLockEnabled, Rule } = answer?.ObjectLockConfiguration ?? {};
    const { Mode: mode, Days = 0, Years = 0 } = Rule?.DefaultRetention ?? {};
    const days = Days + Years * DAYS_A_YEAR;
    return ObjectLockEnabled === 'Enabled' && mode !== undefined && days > 0 ? { mode, days } : null;
  }

  async list({ prefix, after, token }: ListRequest): Promise<KeyPage> {
    const place = token === undefined ? { StartAfter: after } : { ContinuationToken: token };
    const command = new ListObjectsV2Command({ ...this.#where, Prefix: prefix, Delimiter: '/', ...place });
    const answer = await this.#calling('ListObjectsV2', () => this.#client.send(command));
    const { Contents = [], IsTruncated, NextContinuationToken: next = null } = answer;
    if (IsTruncated === true && next === null) {
      const found = 'ListObjectsV2 says that more keys follow, and not how to read them';
      throw new ArchiveError('unavailable', `${this.#label}: ${found}. Rollcall tries again later.`);
    }
    const keys = Contents.flatMap(({ Key }) => Key ?? []);
    return { keys, next: IsTruncated === true ? next : null };
  }

  async get(key: string): Promise<string> {
    const command = new GetObjectCommand({ ...this.#where, Key: key });
    const text = await this.#calling('GetObject', async () => {
      const { Body } = await this.#client.send(command);
      return Body === undefined ? '' : readText(Body.transformToWebStream());
    });
    if (text !== null) return text;
    const found = `${key} has more than ${MAX_BYTES} bytes, expected a checkpoint`;
    throw new ArchiveError('invalid', `${this.#label}: ${found}. Find out who wrote it.`);
  }

  /** @returns `false`: there is an object with this key, which stays as it is */
  async create(key: string, text: string): Promise<boolean> {
    const Body = new TextEncoder().encode(text);
    // A bucket with Object Lock requires a checksum.
    const ChecksumSHA256 = createHash('sha256').update(Body).digest('base64');
    const ContentType = 'text/plain; charset=utf-8';
    const input = { ...this.#where, Key: key, Body, ContentType, ChecksumSHA256, IfNoneMatch: '*' };
    return this.#calling('PutObject', async () => {
      try {
        await this.#client.send(new PutObjectCommand(input));
        return true;
      } catch (error) {
        if (nameOf(error) === 'PreconditionFailed') return false;
        throw error;
      }
    });
  }

  close(): void {
    this.#client.destroy();
  }

  async #calling<T>(operation: string, call: () => Promise<T>): Promise<T> {
    try {
      return await this.#retry.run(this.#label, operation, call);
    } catch (error) {
      throw error instanceof StoreError ? archiveError(error) : error;
    }
  }
}

/** @returns `null` if it is too large; the rest is then not read */
async function readText(stream: ReadableStream<Uint8Array>): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > MAX_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');
