import { StoreError, type StoreErrorCode } from '../../ports/store-error.ts';
import { INCOMPLETE_ANSWER, isObject } from './complete-answers.ts';
import { askedToWait } from './retry-after.ts';
import { isAboutCredentials, isNetworkCode, meaningOf } from './vendor-error-codes.ts';

/** An error that this adapter detects itself, without an error from AWS. */
export function storeError(code: StoreErrorCode, resource: string, found: string, remedy: string): StoreError {
  return new StoreError({ code, resource, found, remedy });
}

export function corrupt(resource: string, found: string): StoreError {
  const remedy = 'It was changed outside Rollcall. Restore the table to a point in time before the change.';
  return storeError('Corrupt', resource, found, remedy);
}

/** Codes of DynamoDB, SQS, EventBridge, KMS and S3, in addition to those common to all services. */
const OWN_CODES: ReadonlyMap<string, CallFailure> = new Map([
  ['ProvisionedThroughputExceededException', 'Throttled'],
  ['KmsThrottled', 'Throttled'],
  ['InternalException', 'Unavailable'],
  [INCOMPLETE_ANSWER, 'Unavailable'],
  ['ConditionalRequestConflict', 'Unavailable'],
  ['DependencyTimeoutException', 'Unavailable'],
  ['KeyUnavailableException', 'Unavailable'],
  ['KMSInternalException', 'Unavailable'],
  ['LimitExceededException', 'Throttled'],
  ['ResourceNotFoundException', 'NotFound'],
  ['QueueDoesNotExist', 'NotFound'],
  ['AWS.SimpleQueueService.NonExistentQueue', 'NotFound'],
  ['QueueDeletedRecently', 'NotFound'],
  ['InvalidAddress', 'NotFound'],
  ['ItemCollectionSizeLimitExceededException', 'TooLarge'],
  ['BatchRequestTooLong', 'TooLarge'],
  ['CredentialsProviderError', 'Unauthenticated'],
  ['InvalidAccessKeyId', 'Unauthenticated'],
  ['InvalidToken', 'Unauthenticated'],
]);

const REMEDIES = {
  Throttled: 'Retry what was not acknowledged; if the problem persists, check the service quotas of this account',
  Unavailable:
    'Retry what was not acknowledged; if the problem persists, check the network, proxies and AWS_ENDPOINT_URL',
  Denied: 'Check the policies of this role and of the resource; "rollcall doctor" names the missing permission',
  Unauthenticated: 'Sign in (aws sso login), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY',
  NotFound: 'Check its name, the Region and the account; the deployment in infra/ creates it',
  TooLarge: 'Nothing of it was stored',
  Rejected: 'This is a defect of Rollcall or of the deployment; please report it with this message',
} as const satisfies Partial<Record<StoreErrorCode, string>>;

/** What a failed call means for the stores. */
type CallFailure = keyof typeof REMEDIES;

/** AWS's error code if AWS answered, otherwise Node's code of the network error. */
export function codeOf(error: unknown): string {
  const fields = isObject(error) ? error : {};
  const code = text(fields['code']) ?? text(fields['Code']);
  const name = text(fields['name']) ?? 'Unknown';
  if ('$fault' in fields) return name;
  return code !== null && isNetworkCode(code) ? code : name;
}

/** What an AWS error code means for the stores. */
export function meaningOfCode(code: string): CallFailure {
  const own = OWN_CODES.get(code);
  if (own !== undefined) return own;
  if (isNetworkCode(code)) return 'Unavailable';
  // An error answer without a code comes from a proxy or load balancer, not from AWS.
  if (code === 'Unknown' || code === 'UnknownError' || code === 'SyntaxError') return 'Unavailable';
  const { kind } = meaningOf('stores', code);
  if (kind === 'Throttled' || kind === 'Denied' || kind === 'Unauthenticated') return kind;
  return kind === 'Transient' ? 'Unavailable' : 'Rejected';
}

/** Translates an SDK error by its code, never by its text. */
export function toStoreError(error: unknown, resource: string, operation: string): StoreError {
  if (error instanceof StoreError) return error;
  const awsCode = codeOf(error);
  const code = meaningOfCode(awsCode);
  const fields = isObject(error) ? error : {};
  const metadata = isObject(fields['$metadata']) ? fields['$metadata'] : {};
  const requestId = text(metadata['requestId']);
  // AWS's message about refused credentials may quote the signed request, so it is not shown.
  const words = code === 'Unauthenticated' || isAboutCredentials(awsCode) ? null : text(fields['message']);
  const request = requestId === null ? '' : `, request ${requestId}`;
  const found = `${operation} failed (${awsCode}${request})${words === null ? '' : `: ${oneLine(words)}`}`;
  const wait = askedToWait(error);
  const details = { code, resource, found, remedy: `${REMEDIES[code]}.`, vendorCode: awsCode };
  return new StoreError({ ...details, ...(wait !== null && { retryAfterMs: wait }) });
}

const MAX_WORDS = 300;

function oneLine(words: string): string {
  const line = words.replace(/\s+/g, ' ').replace(/[.\s]+$/, '');
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS)}…` : line;
}

/** `null` for anything but a text that is not empty. */
export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
