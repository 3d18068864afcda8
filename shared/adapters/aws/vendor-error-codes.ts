import type { CloudErrorKind } from '../../ports/cloud.ts';

/** What an AWS error code means. An unknown code is Invalid, so it is reported and not retried. HTTP status and text do not count. */
export interface Meaning {
  readonly kind: CloudErrorKind;
  /** AWS uses the code for several causes. The caller reads the state again to find out which applies. */
  readonly ambiguous: boolean;
  /** AWS refuses the call because of another change in progress. */
  readonly concurrent?: true;
}

/** The meanings of codes. `?`: the code is ambiguous. `for now`: another change in progress is the reason. */
type Table = Readonly<Record<string, CloudErrorKind | 'Denied?' | 'Invalid?' | 'Conflict for now'>>;

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
  // This machine's clock is wrong. The SDK signs the next request with AWS's time from the answer.
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

/** [API_automation_UpdateEnrollmentConfiguration, API_automation_AssociateAccounts, API_automation_PutOrganizationEnrollmentConfiguration] */
const AUTOMATION: Table = {
  ConflictException: 'Conflict for now',
  ForbiddenException: 'Denied?',
  IdempotencyTokenInUseException: 'Transient',
  IdempotentParameterMismatchException: 'Conflict',
  InvalidParameterValueException: 'Invalid?',
  NotManagementAccountException: 'Denied',
  OptInRequiredException: 'Prerequisite',
  ResourceNotFoundException: 'Prerequisite',
};

/** [API_CostOptimizationHub_UpdateEnrollmentStatus] */
const COST_OPTIMIZATION_HUB: Table = {
  ValidationException: 'Invalid?',
};

/** [API_ListAccounts and its neighbours in the Organizations API Reference] */
const ORGANIZATIONS: Table = {
  AWSOrganizationsNotInUseException: 'Prerequisite',
  ConcurrentModificationException: 'Transient',
  ServiceException: 'Transient',
  // The organization changed while it was read.
  AccountNotFoundException: 'Conflict',
  ChildNotFoundException: 'Conflict',
  OrganizationalUnitNotFoundException: 'Conflict',
  ParentNotFoundException: 'Conflict',
  TargetNotFoundException: 'Conflict',
};

/** [API_GetResources] */
const TAGGING: Table = {
  InternalServiceException: 'Transient',
};

/** [API_AssumeRole] */
const STS: Table = {
  IDPCommunicationError: 'Transient',
  RegionDisabledException: 'Denied',
};

const TABLES: Readonly<Record<string, Table>> = {
  'compute-optimizer': COMPUTE_OPTIMIZER,
  'aco-automation': AUTOMATION,
  'cost-optimization-hub': COST_OPTIMIZATION_HUB,
  organizations: ORGANIZATIONS,
  sts: STS,
  tagging: TAGGING,
};

export function meaningOf(service: string, code: string): Meaning {
  const table = TABLES[service];
  const found = (table && own(table, code)) ?? own(COMMON, code) ?? 'Invalid';
  if (found === 'Denied?') return { kind: 'Denied', ambiguous: true };
  if (found === 'Conflict for now') return { kind: 'Conflict', ambiguous: false, concurrent: true };
  return found === 'Invalid?' ? { kind: 'Invalid', ambiguous: true } : { kind: found, ambiguous: false };
}

/** Looks up own properties only, because a code such as `constructor` must not match an inherited one. */
function own(table: Table, code: string): Table[string] | undefined {
  return Object.hasOwn(table, code) ? table[code] : undefined;
}

/** Whether AWS refuses the credentials themselves. */
export function isAboutCredentials(code: string): boolean {
  return own(COMMON, code) === 'Unauthenticated';
}

/** Whether the error of a read means that the account has never opted in, which is a state and not a failure. */
export function meansNeverEnrolled(code: string): boolean {
  return ['OptInRequired', 'OptInRequiredException', 'ResourceNotFoundException'].includes(code);
}

export function isExpiredToken(code: string): boolean {
  return code === 'ExpiredToken' || code === 'ExpiredTokenException';
}

/** Node's codes for a connection that failed or broke, or a request that was aborted. The same request may succeed later. */
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
