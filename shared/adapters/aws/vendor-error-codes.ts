import type { CloudErrorKind } from '../../ports/cloud.ts';

/**
 * What each vendor's error code means, a table per service over one for what every AWS service may answer. A code that
 * stands in none of them is Invalid: it is not retried and shows up, instead of being guessed at by status or text.
 */
export interface Meaning {
  readonly kind: CloudErrorKind;
  /** AWS uses the code for several causes; only reading the state again tells which. */
  readonly ambiguous: boolean;
}

type Table = Readonly<Record<string, CloudErrorKind | 'Denied?' | 'Invalid?'>>;

/** Codes of the shared front of AWS's services [Common Errors], and of retired or older spellings. */
const COMMON: Table = {
  BandwidthLimitExceeded: 'Throttled',
  PriorRequestNotComplete: 'Throttled',
  RequestLimitExceeded: 'Throttled',
  RequestThrottled: 'Throttled',
  RequestThrottledException: 'Throttled',
  SlowDown: 'Throttled',
  ThrottledException: 'Throttled',
  Throttling: 'Throttled',
  ThrottlingException: 'Throttled',
  TooManyRequestsException: 'Throttled',

  InternalError: 'Transient',
  InternalFailure: 'Transient',
  InternalServerError: 'Transient',
  InternalServerException: 'Transient',
  RequestTimeout: 'Transient',
  RequestTimeoutException: 'Transient',
  ServiceUnavailable: 'Transient',
  ServiceUnavailableException: 'Transient',
  // Our clock is off: the SDK has taken AWS's time from the answer and the next request is signed with it.
  RequestExpired: 'Transient',
  RequestInTheFuture: 'Transient',
  RequestTimeTooSkewed: 'Transient',

  AccessDenied: 'Denied',
  AccessDeniedException: 'Denied',
  UnauthorizedOperation: 'Denied',
  OptInRequired: 'Prerequisite',

  ExpiredToken: 'Unauthenticated',
  ExpiredTokenException: 'Unauthenticated',
  IncompleteSignature: 'Unauthenticated',
  IncompleteSignatureException: 'Unauthenticated',
  InvalidClientTokenId: 'Unauthenticated',
  InvalidSignatureException: 'Unauthenticated',
  MissingAuthenticationToken: 'Unauthenticated',
  MissingAuthenticationTokenException: 'Unauthenticated',
  NotAuthorized: 'Unauthenticated',
  SignatureDoesNotMatch: 'Unauthenticated',
  UnrecognizedClientException: 'Unauthenticated',
};

/** [API_GetEnrollmentStatusesForOrganization, API_UpdateEnrollmentStatus] */
const COMPUTE_OPTIMIZER: Table = {
  InvalidParameterValueException: 'Invalid?',
  OptInRequiredException: 'Prerequisite',
  ResourceNotFoundException: 'Prerequisite',
};

/** [API_automation_UpdateEnrollmentConfiguration, API_automation_AssociateAccounts] */
const AUTOMATION: Table = {
  ForbiddenException: 'Denied?',
  IdempotencyTokenInUseException: 'Transient',
  IdempotentParameterMismatchException: 'Conflict',
  InvalidParameterValueException: 'Invalid?',
  NotManagementAccountException: 'Denied',
  OptInRequiredException: 'Prerequisite',
  ResourceNotFoundException: 'Prerequisite',
};

/** [API_ListAccounts and its neighbours in the Organizations API Reference] */
const ORGANIZATIONS: Table = {
  AWSOrganizationsNotInUseException: 'Prerequisite',
  ConcurrentModificationException: 'Transient',
  ServiceException: 'Transient',
  // What was listed a moment ago is gone: the organization changed under the reading.
  AccountNotFoundException: 'Conflict',
  ChildNotFoundException: 'Conflict',
  OrganizationalUnitNotFoundException: 'Conflict',
  ParentNotFoundException: 'Conflict',
  TargetNotFoundException: 'Conflict',
};

/** [API_AssumeRole] */
const STS: Table = {
  IDPCommunicationError: 'Transient',
  RegionDisabledException: 'Denied',
};

const TABLES: Readonly<Record<string, Table>> = {
  'compute-optimizer': COMPUTE_OPTIMIZER,
  'aco-automation': AUTOMATION,
  organizations: ORGANIZATIONS,
  sts: STS,
};

export function meaningOf(service: string, code: string): Meaning {
  const table = TABLES[service];
  const found = (table && own(table, code)) ?? own(COMMON, code) ?? 'Invalid';
  if (found === 'Denied?') {
    return { kind: 'Denied', ambiguous: true };
  }
  if (found === 'Invalid?') {
    return { kind: 'Invalid', ambiguous: true };
  }
  return { kind: found, ambiguous: false };
}

/** A code is outside data: `constructor` must not find what every object inherits. */
function own(table: Table, code: string): Table[string] | undefined {
  return Object.hasOwn(table, code) ? table[code] : undefined;
}

/** Codes that refuse the credentials themselves, whosever they are. */
export function isAboutCredentials(code: string): boolean {
  return own(COMMON, code) === 'Unauthenticated';
}

const NEVER_ENROLLED: ReadonlySet<string> = new Set([
  'OptInRequired',
  'OptInRequiredException',
  'ResourceNotFoundException',
]);

/** On a read: the account has not opted in, which is a state and no failure. */
export function meansNeverEnrolled(code: string): boolean {
  return NEVER_ENROLLED.has(code);
}

const EXPIRED: ReadonlySet<string> = new Set(['ExpiredToken', 'ExpiredTokenException']);

export function isExpiredToken(code: string): boolean {
  return EXPIRED.has(code);
}

/** Node's codes for a connection that could not be made or did not hold, and for a request that was given up: no answer, so none that is Invalid. */
const NETWORK: ReadonlySet<string> = new Set([
  'ABORT_ERR',
  'AbortError',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'ECANCELED',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EMFILE',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'ENFILE',
  'ENOBUFS',
  'ENOTCONN',
  'ENOTFOUND',
  'EPIPE',
  'EPROTO',
  'ERR_PROXY_TUNNEL',
  'ERR_SOCKET_CLOSED',
  'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_WRITE_AFTER_END',
  'ETIMEDOUT',
  'TimeoutError',
]);

export function isNetworkCode(code: string): boolean {
  return NETWORK.has(code) || code.startsWith('HPE_');
}
