import type { CloudErrorKind } from '../../ports/cloud.ts';

/**
 * What AWS's error codes mean: one table per service, and one for the codes common to all services. An unknown code is Invalid, so it is
 * reported and not retried; it is never guessed from the HTTP status or the text.
 */
export interface Meaning {
  readonly kind: CloudErrorKind;
  /** AWS uses the code for several causes; read the state again to find out which applies. */
  readonly ambiguous: boolean;
}

type Table = Readonly<Record<string, CloudErrorKind | 'Denied?' | 'Invalid?'>>;

/** Codes common to all AWS services [Common Errors], with older spellings. */
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
  // This machine's clock is wrong. The SDK takes AWS's time from the answer and signs the next request with it.
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
  // The organization changed between two calls of the same reading.
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

/** A code is outside data: the code `constructor` must not match an inherited property. */
function own(table: Table, code: string): Table[string] | undefined {
  return Object.hasOwn(table, code) ? table[code] : undefined;
}

/** Whether AWS refuses the credentials themselves. */
export function isAboutCredentials(code: string): boolean {
  return own(COMMON, code) === 'Unauthenticated';
}

const NEVER_ENROLLED: ReadonlySet<string> = new Set([
  'OptInRequired',
  'OptInRequiredException',
  'ResourceNotFoundException',
]);

/** Whether the error of a read means that the account has not opted in, which is a state and not a failure. */
export function meansNeverEnrolled(code: string): boolean {
  return NEVER_ENROLLED.has(code);
}

const EXPIRED: ReadonlySet<string> = new Set(['ExpiredToken', 'ExpiredTokenException']);

export function isExpiredToken(code: string): boolean {
  return EXPIRED.has(code);
}

/** Node's codes for a connection that failed or broke and for an aborted request. There is no answer, so the error is temporary. */
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
