import type { AccountId } from '../../../domain/enrollment/model.ts';
import { CloudError, type CloudErrorDetails, type CloudErrorKind } from '../../../ports/cloud.ts';
import { INCOMPLETE_ANSWER, IncompleteAnswerError, isObject } from '../complete-answers.ts';
import { askedToWait } from '../retry-after.ts';
import { text } from '../store-errors.ts';
import { isAboutCredentials, isExpiredToken, isNetworkCode, meaningOf } from '../vendor-error-codes.ts';

/** The call that failed. */
export interface CallContext {
  readonly service: string;
  readonly operation: string;
  /** The account whose credentials made the call; for AssumeRole, the account of the role. */
  readonly accountId: AccountId | null;
  /** Whether the credentials are those of a member role. A problem with them is then about that account only. */
  readonly member: boolean;
}

/** The code if the single sign-on session of the caller's profile has expired. */
const SSO_EXPIRED = 'SsoSessionExpired';

/** Rollcall's own codes, for errors to which AWS gives no code. */
const UNREADABLE_ANSWER = 'UnreadableAnswer';
export const UNEXPECTED_ANSWER = 'UnexpectedAnswer';

/** Translates any failure of a call, by the error code of AWS or of Node's network functions. A broken answer, such as a proxy's page, is Transient. */
export function toCloudError(error: unknown, context: CallContext): CloudError {
  if (error instanceof CloudError) return error;
  const found = describe(error, context.service);
  const kind = kindFor(found, context);
  const wait = askedToWait(error);
  const { service, operation, accountId } = context;
  const { code, requestId, ambiguous } = found;
  const facts: CloudErrorDetails = {
    kind,
    code,
    service,
    operation,
    accountId,
    requestId,
    ambiguous,
    ...(wait !== null && { retryAfterMs: wait }),
    ...(found.concurrent && { concurrent: true }),
  };
  const options = found.cause === null ? undefined : { cause: found.cause };
  return new CloudError(messageFor(facts, found, context.member), facts, options);
}

/** An error that Rollcall detects itself: an invalid request, which is not sent, or an answer that AWS does not document. */
export function ownError(
  kind: CloudErrorKind,
  code: string,
  context: Omit<CallContext, 'member'>,
  message: string,
  cause?: unknown,
): CloudError {
  const { service, operation, accountId } = context;
  const facts = { kind, code, service, operation, accountId, requestId: null, ambiguous: false };
  return new CloudError(message, facts, cause === undefined ? undefined : { cause });
}

/** The error for a listing that does not end. */
export function endlessListing(context: Omit<CallContext, 'member'>, why: string): CloudError {
  const message = `${context.operation} does not end: ${why}. The listing is broken and is not used.`;
  return ownError('Invalid', UNEXPECTED_ANSWER, context, message);
}

/** The SDK has no code for an expired or missing single sign-on session, but its messages name the command that starts one. */
const SSO_SIGN_IN = /\baws sso login\b/;

/** The error if the caller's credentials cannot be found. Only a failure of the network may be retried. */
export function credentialsError(error: unknown, context: CallContext): CloudError {
  const { code: given, cause, words } = describe(error, 'sts');
  const code = words !== null && SSO_SIGN_IN.test(words) ? SSO_EXPIRED : given;
  const network = isNetworkCode(code);
  const message = `${context.operation} was not sent: no usable AWS credentials (${code}). ${SIGN_IN}`;
  const kind = network ? 'Transient' : 'Unauthenticated';
  return ownError(kind, code, { ...context, accountId: null }, message, network && cause ? cause : undefined);
}

interface Found {
  readonly code: string;
  readonly kind: CloudErrorKind;
  readonly ambiguous: boolean;
  readonly concurrent?: true;
  readonly requestId: string | null;
  /** AWS's message; `null` if AWS refuses the credentials, because that message may quote the signed request. */
  readonly words: string | null;
  readonly skewCorrected: boolean;
  /** The host or address that could not be reached, if Node reports it. */
  readonly peer: string | null;
  /** The original error; `null` if it could contain a request, whose headers contain credentials. */
  readonly cause: Error | null;
}

function describe(error: unknown, service: string): Found {
  const fields = isObject(error) ? error : {};
  const metadata = isObject(fields['$metadata']) ? fields['$metadata'] : {};
  const common = {
    requestId: text(metadata['requestId']),
    skewCorrected: metadata['clockSkewCorrected'] === true,
    cause: null,
    peer: null,
  };
  const name = text(fields['name']) ?? 'Unknown';
  if (error instanceof IncompleteAnswerError) {
    return { ...common, code: error.name, kind: 'Transient', ambiguous: false, words: error.message };
  }
  if ('$fault' in fields) {
    return isNoCode(name)
      ? { ...common, code: UNREADABLE_ANSWER, kind: 'Transient', ambiguous: false, words: null }
      : {
          ...common,
          code: name,
          ...meaningOf(service, name),
          words: isAboutCredentials(name) ? null : text(fields['message']),
        };
  }
  const code = text(fields['code']) ?? name;
  if (isNetworkCode(code) || isNetworkCode(name)) {
    const network = isNetworkCode(code) ? code : name;
    const cause = error instanceof Error && !('$response' in fields) ? error : null;
    return { ...common, code: network, kind: 'Transient', ambiguous: false, words: null, cause, peer: peerOf(fields) };
  }
  if ('$response' in fields) {
    return { ...common, code: UNREADABLE_ANSWER, kind: 'Transient', ambiguous: false, words: null };
  }
  const cause = error instanceof Error ? error : null;
  return { ...common, code, kind: 'Invalid', ambiguous: false, words: text(fields['message']), cause };
}

/** The host that was not found, or the first address that refused the connection. */
function peerOf(fields: Readonly<Record<string, unknown>>): string | null {
  const several: readonly unknown[] = Array.isArray(fields['errors']) ? fields['errors'] : [];
  const [first = fields] = several.filter(isObject);
  const host = text(first['hostname']) ?? text(first['address']);
  const port = first['port'];
  return host === null || typeof port !== 'number' ? host : `${host} port ${port}`;
}

/** Whether the SDK made up this name because the answer has no error code. It names a 404 without a code `NotFound`. */
function isNoCode(name: string): boolean {
  return ['', 'Unknown', 'UnknownError', 'Error', 'NotFound'].includes(name);
}

function kindFor(found: Found, context: CallContext): CloudErrorKind {
  if (found.kind !== 'Unauthenticated') return found.kind;
  // The SDK has taken AWS's time from this answer, so a retry will be signed with the right time.
  if (found.skewCorrected) return 'Transient';
  if (!context.member) return 'Unauthenticated';
  return isExpiredToken(found.code) ? 'Transient' : 'Denied';
}

const SIGN_IN =
  'Sign in (aws sso login), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY; "aws sts get-caller-identity" shows whether they work.';

function messageFor(facts: CloudErrorDetails, found: Found, member: boolean): string {
  const where = facts.accountId === null ? '' : ` for account ${facts.accountId}`;
  const request = facts.requestId === null ? '' : `, request ${facts.requestId}`;
  const words = found.words === null ? '' : `: ${presentable(found.words)}`;
  const peer = found.peer === null ? '' : ` at ${presentable(found.peer)}`;
  const what = `${facts.operation}${where} failed (${facts.code}${peer}${request})${words}`;
  const advice = adviceFor(facts, member);
  return `${/[.!?…]$/.test(what) ? what : `${what}.`}${advice === '' ? '' : ` ${advice}`}`;
}

function adviceFor(facts: CloudErrorDetails, member: boolean): string {
  const byCode = ADVICE_BY_CODE[facts.code];
  if (byCode !== undefined) return byCode;
  if (facts.operation === 'AssumeRole' && facts.kind === 'Denied') {
    return 'Check that the member role exists in the account, trusts this caller (with the external id, if one is set), and that this caller is allowed sts:AssumeRole on it.';
  }
  switch (facts.kind) {
    case 'Denied':
      return member
        ? `Check that the member role allows ${facts.service}:${facts.operation} and that no service control policy forbids it.`
        : `Check that this caller is allowed ${facts.service}:${facts.operation}.`;
    case 'Unauthenticated':
      return SIGN_IN;
    case 'Prerequisite':
      return 'The account is not enrolled in Compute Optimizer, or trusted access is off: see "rollcall doctor".';
    case 'Transient':
      return isNetworkCode(facts.code) ? 'Check the network, proxies and AWS_ENDPOINT_URL.' : '';
    default:
      return '';
  }
}

/** OpenSSL's error codes for a certificate from an unknown authority. */
const UNTRUSTED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];
const CA_ADVICE =
  'If one of your proxies inspects TLS, set AWS_CA_BUNDLE to a file with the certificate of its authority.';

const ADVICE_BY_CODE: Readonly<Record<string, string>> = {
  AWSOrganizationsNotInUseException:
    'This account does not belong to an AWS Organization: use credentials of the management account or of the delegated administrator.',
  ConflictException: 'AWS is still applying another change of this organization: try again in a few minutes.',
  NotManagementAccountException: 'Only the management account may do this.',
  RegionDisabledException:
    'STS is not enabled for this Region in that account: enable the Region there, or set AWS_REGION to one that is.',
  ENOTFOUND: 'No such host: check the Region (AWS_REGION), AWS_ENDPOINT_URL and the network.',
  ERR_INVALID_URL: 'Set AWS_ENDPOINT_URL to a URL such as http://127.0.0.1:4570, or unset it.',
  EPROTO:
    'The server does not speak TLS, or an incompatible version: check AWS_ENDPOINT_URL, http:// or https://, and proxies.',
  ERR_PROXY_TUNNEL: 'The proxy refused to connect: check HTTPS_PROXY, NO_PROXY, and the hosts that the proxy allows.',
  ...Object.fromEntries(UNTRUSTED.map((code) => [code, CA_ADVICE])),
  ECONNREFUSED: 'No server answers there: check AWS_ENDPOINT_URL and the network.',
  [INCOMPLETE_ANSWER]:
    'Such an answer is ignored. AWS does not send it: if it persists, check AWS_ENDPOINT_URL and proxies.',
  [UNREADABLE_ANSWER]: 'The answer does not come from an AWS service: check AWS_ENDPOINT_URL and proxies.',
};

const MAX_WORDS = 300;

/** AWS's message on one line, shortened, without anything that looks like a key, a token or a signature. */
function presentable(words: string): string {
  const line = words
    .replace(/\s+/g, ' ')
    .replace(/\b(?:AKIA|ASIA)[A-Z0-9]{8,}\b/g, '[access key]')
    .replace(
      /\b((?:x-amz-)?security-token|authorization|signature|credential|secret\w*)\b\s*[:=]\s*\S+/gi,
      '$1=[removed]',
    )
    .trim();
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS)}…` : line;
}
