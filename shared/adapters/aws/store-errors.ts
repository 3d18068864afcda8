import { StoreFailure } from '../../ports/store-failure.ts';
import { INCOMPLETE_ANSWER } from './complete-answers.ts';
import { askedToWait } from './retry-after.ts';
import { isAboutCredentials, isNetworkCode, meaningOf } from './vendor-error-codes.ts';

export type AwsStoreErrorCode =
  /** Throttling outlasted the retries. */
  | 'Throttled'
  /** The service or the network failed for longer than the retries. */
  | 'Unavailable'
  | 'Denied'
  | 'Unauthenticated'
  /** No such table or queue. */
  | 'NotFound'
  /** A table or queue is there, but is not what Rollcall needs. */
  | 'WrongShape'
  /** This machine's clock differs from AWS's by more than leases and claims allow. */
  | 'ClockSkew'
  /** More than the service takes in one item or message; nothing of it was stored. */
  | 'TooLarge'
  /** An item that this store has not written like that. */
  | 'Corrupt'
  /** The service refuses the request for good. */
  | 'Rejected';

export interface AwsStoreErrorDetails {
  readonly code: AwsStoreErrorCode;
  /** What was asked: `table X`, `queue https://…`. */
  readonly resource: string;
  readonly found: string;
  /** What the user can do. */
  readonly remedy: string;
  /** AWS's error code, or Node's for the network; `null` where the finding is ours. */
  readonly awsCode: string | null;
  /** How long the service asks to wait before the call is repeated, ms; absent: it does not ask. */
  readonly retryAfterMs?: number;
}

/** The one error of the aws runtime's stores: says where, what was found and what to do. Never holds what was sent or signed. */
export class AwsStoreError extends StoreFailure {
  override readonly name = 'AwsStoreError';
  readonly details: AwsStoreErrorDetails;

  constructor(details: AwsStoreErrorDetails) {
    super(`${details.resource}: ${details.found}. ${details.remedy}`);
    this.details = details;
  }

  get code(): AwsStoreErrorCode {
    return this.details.code;
  }

  get affectsAllWork(): boolean {
    return this.code === 'Unauthenticated' || this.code === 'NotFound' || this.code === 'ClockSkew';
  }

  /** Whether the same call may succeed a little later. */
  get retryable(): boolean {
    return this.code === 'Throttled' || this.code === 'Unavailable';
  }
}

/** A finding of our own, about data or shape. */
export function storeError(code: AwsStoreErrorCode, resource: string, found: string, remedy: string): AwsStoreError {
  return new AwsStoreError({ code, resource, found, remedy, awsCode: null });
}

export function corrupt(resource: string, found: string): AwsStoreError {
  const remedy = 'It was changed from outside. Restore the table to a point in time before that.';
  return storeError('Corrupt', resource, found, remedy);
}

/** Codes of DynamoDB, SQS and EventBridge beside those that every service may answer. */
const OWN_CODES: ReadonlyMap<string, AwsStoreErrorCode> = new Map([
  ['ProvisionedThroughputExceededException', 'Throttled'],
  ['KmsThrottled', 'Throttled'],
  ['InternalException', 'Unavailable'],
  [INCOMPLETE_ANSWER, 'Unavailable'],
  ['ResourceNotFoundException', 'NotFound'],
  ['QueueDoesNotExist', 'NotFound'],
  ['AWS.SimpleQueueService.NonExistentQueue', 'NotFound'],
  ['QueueDeletedRecently', 'NotFound'],
  ['InvalidAddress', 'NotFound'],
  ['ItemCollectionSizeLimitExceededException', 'TooLarge'],
  ['BatchRequestTooLong', 'TooLarge'],
  ['CredentialsProviderError', 'Unauthenticated'],
]);

const REMEDIES: Readonly<Record<AwsStoreErrorCode, string>> = {
  Throttled: 'What was not acknowledged can be tried again; if it lasts, look at the service quotas of this account',
  Unavailable:
    'What was not acknowledged can be tried again; if it lasts, check the network, proxies and AWS_ENDPOINT_URL',
  Denied: 'Check the policies of this role and of the resource; "rollcall doctor" names what is missing',
  Unauthenticated: 'Sign in (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and its companions',
  NotFound: 'Check its name, the Region and the account; the deployment in infra/ makes it',
  WrongShape: 'Deploy it as infra/ declares it',
  ClockSkew: 'Set the clock (NTP)',
  TooLarge: 'Nothing of it was stored',
  Corrupt: 'It was changed from outside',
  Rejected: 'This is a defect of Rollcall or of the deployment; please report it with this message',
};

/** The code that an error carries: AWS's if it came from AWS, Node's for the network. */
export function codeOf(error: unknown): string {
  const fields = isObject(error) ? error : {};
  const code = text(fields['code']) ?? text(fields['Code']);
  const name = text(fields['name']) ?? 'Unknown';
  if ('$fault' in fields) return name;
  return code !== null && isNetworkCode(code) ? code : name;
}

/** What an AWS error code means for the stores. */
export function meaningOfCode(code: string): AwsStoreErrorCode {
  const own = OWN_CODES.get(code);
  if (own !== undefined) return own;
  if (isNetworkCode(code)) return 'Unavailable';
  // An answer that names no error was given by something else than AWS: a proxy, a load balancer that restarts.
  if (code === 'Unknown' || code === 'UnknownError' || code === 'SyntaxError') return 'Unavailable';
  const { kind } = meaningOf('stores', code);
  if (kind === 'Throttled' || kind === 'Denied' || kind === 'Unauthenticated') return kind;
  return kind === 'Transient' ? 'Unavailable' : 'Rejected';
}

/** Whatever the SDK threw as an AwsStoreError, by code, never by text. */
export function toAwsStoreError(error: unknown, resource: string, operation: string): AwsStoreError {
  if (error instanceof AwsStoreError) return error;
  const awsCode = codeOf(error);
  const code = meaningOfCode(awsCode);
  const fields = isObject(error) ? error : {};
  const metadata = isObject(fields['$metadata']) ? fields['$metadata'] : {};
  const requestId = text(metadata['requestId']);
  // A refusal of credentials may quote what was signed.
  const words = code === 'Unauthenticated' || isAboutCredentials(awsCode) ? null : text(fields['message']);
  const request = requestId === null ? '' : `, request ${requestId}`;
  const found = `${operation} failed (${awsCode}${request})${words === null ? '' : `: ${oneLine(words)}`}`;
  const wait = askedToWait(error);
  const details = { code, resource, found, remedy: `${REMEDIES[code]}.`, awsCode };
  return new AwsStoreError({ ...details, ...(wait !== null && { retryAfterMs: wait }) });
}

const MAX_WORDS = 300;

function oneLine(words: string): string {
  const line = words.replace(/\s+/g, ' ').replace(/[.\s]+$/, '');
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS)}…` : line;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
