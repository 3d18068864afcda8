import type { AccountId } from '../../../domain/enrollment/model.ts';
import { CloudError, type CloudErrorDetails, type CloudErrorKind } from '../../../ports/cloud.ts';
import { INCOMPLETE_ANSWER, IncompleteAnswerError } from '../complete-answers.ts';
import { askedToWait } from '../retry-after.ts';
import { isAboutCredentials, isExpiredToken, isNetworkCode, meaningOf } from '../vendor-error-codes.ts';

/** The call that failed. */
export interface CallContext {
  readonly service: string;
  readonly operation: string;
  /** Whose credentials made the call; for AssumeRole the account whose role was asked for. */
  readonly accountId: AccountId | null;
  /** By credentials of a member role: what is wrong with them concerns that one account. */
  readonly member: boolean;
}

/** Codes of ours, for what has none of AWS's. */
const UNREADABLE_ANSWER = 'UnreadableAnswer';
export const UNEXPECTED_ANSWER = 'UnexpectedAnswer';

/**
 * Any failure of a call as a CloudError: by AWS's error code, by Node's for the network, Transient for an answer that no
 * AWS service gave (a proxy's page, a truncated body, an answer that lacks a required member). A CloudError passes unchanged.
 */
export function toCloudError(error: unknown, context: CallContext): CloudError {
  if (error instanceof CloudError) {
    return error;
  }
  const found = describe(error, context.service);
  const kind = kindFor(found, context);
  const wait = askedToWait(error);
  const facts: CloudErrorDetails = {
    kind,
    code: found.code,
    service: context.service,
    operation: context.operation,
    accountId: context.accountId,
    requestId: found.requestId,
    ambiguous: found.ambiguous,
    ...(wait !== null && { retryAfterMs: wait }),
  };
  const options = found.cause === null ? undefined : { cause: found.cause };
  return new CloudError(messageFor(facts, found, context.member), facts, options);
}

/** A request that is wrong before anything is sent, or an answer that is not what AWS documents. */
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

/** The error of a listing that does not end; such a listing is not used. */
export function endlessListing(context: Omit<CallContext, 'member'>, why: string): CloudError {
  const message = `${context.operation} does not end: ${why}. The listing is broken and is not used.`;
  return ownError('Invalid', UNEXPECTED_ANSWER, context, message);
}

/** Our own credentials could not be had: whatever the provider chain says, only the network may be tried again. */
export function credentialsError(error: unknown, context: CallContext): CloudError {
  const { code, cause } = describe(error, 'sts');
  const network = isNetworkCode(code);
  const facts: CloudErrorDetails = {
    kind: network ? 'Transient' : 'Unauthenticated',
    code,
    service: context.service,
    operation: context.operation,
    accountId: null,
    requestId: null,
    ambiguous: false,
  };
  const message = `${context.operation} was not sent: no usable AWS credentials (${code}). ${SIGN_IN}`;
  return new CloudError(message, facts, network && cause ? { cause } : undefined);
}

interface Found {
  readonly code: string;
  readonly kind: CloudErrorKind;
  readonly ambiguous: boolean;
  readonly requestId: string | null;
  /** AWS's own words; `null` for a refusal of credentials, which may quote what was signed, headers and all. */
  readonly words: string | null;
  readonly skewCorrected: boolean;
  /** Where no connection was had, as far as Node says. */
  readonly peer: string | null;
  /** Only what cannot carry a request or an answer of AWS, whose headers hold credentials. */
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

/** The host that was not found, or the address that refused; the first of several. */
function peerOf(fields: Readonly<Record<string, unknown>>): string | null {
  const several: readonly unknown[] = Array.isArray(fields['errors']) ? fields['errors'] : [];
  const [first = fields] = several.filter(isObject);
  const host = text(first['hostname']) ?? text(first['address']);
  const port = first['port'];
  return host === null || typeof port !== 'number' ? host : `${host} port ${port}`;
}

/** What the SDK puts where an answer named no error; `NotFound` is what it makes of a bare 404, and no code of a service that is called here. */
function isNoCode(name: string): boolean {
  return ['', 'Unknown', 'UnknownError', 'Error', 'NotFound'].includes(name);
}

function kindFor(found: Found, context: CallContext): CloudErrorKind {
  if (found.kind !== 'Unauthenticated') {
    return found.kind;
  }
  // The SDK has learnt AWS's time from this very answer; signed with it, the same request is in order.
  if (found.skewCorrected) {
    return 'Transient';
  }
  if (!context.member) {
    return 'Unauthenticated';
  }
  return isExpiredToken(found.code) ? 'Transient' : 'Denied';
}

const SIGN_IN =
  'Sign in (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and its companions; "aws sts get-caller-identity" tells whether they work.';

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
  if (byCode !== undefined) {
    return byCode;
  }
  if (facts.operation === 'AssumeRole' && facts.kind === 'Denied') {
    return 'Check that the member role exists in the account, trusts this caller (and its external id, if one is set), and that this caller may sts:AssumeRole it.';
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
    'This account belongs to no AWS Organization: use credentials of the management account or of the delegated administrator.',
  NotManagementAccountException: 'Only the management account may do this.',
  RegionDisabledException:
    'STS is not enabled for this Region in that account: enable the Region there, or set AWS_REGION to one that is.',
  ENOTFOUND: 'No such host: check the Region (AWS_REGION), AWS_ENDPOINT_URL and the network.',
  ERR_INVALID_URL: 'Set AWS_ENDPOINT_URL to a URL such as http://127.0.0.1:4570, or unset it.',
  EPROTO: 'No TLS is spoken there, or another one: check AWS_ENDPOINT_URL, http:// or https://, and proxies.',
  ERR_PROXY_TUNNEL: 'The proxy refused to connect: check HTTPS_PROXY, NO_PROXY, and the hosts that the proxy allows.',
  ...Object.fromEntries(UNTRUSTED.map((code) => [code, CA_ADVICE])),
  ECONNREFUSED: 'Nothing answers there: check AWS_ENDPOINT_URL and the network.',
  [INCOMPLETE_ANSWER]:
    'Such an answer is ignored. AWS does not send it: if it persists, check AWS_ENDPOINT_URL and proxies.',
  [UNREADABLE_ANSWER]: 'What answered was no AWS service: check AWS_ENDPOINT_URL and proxies.',
};

const MAX_WORDS = 300;

/** AWS's words on one line, shortened, and without anything that looks like a key, a token or a signature. */
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

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
