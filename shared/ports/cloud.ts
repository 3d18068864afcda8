import type { AccountId, Caller, EpochMs, Observation, TargetStatus } from '../domain/enrollment/model.ts';
import type { OrganizationAccount } from '../domain/policy/index.ts';

/**
 * The cloud that is observed and changed: Compute Optimizer, its Automation feature, Organizations, STS.
 *
 * Promises of every adapter:
 * - Each method makes the wire calls its name says and no others (member credentials are fetched and cached as needed),
 *   once: it never retries, and it throws nothing but {@link CloudError}.
 * - Before every wire call it waits for {@link CallGate.acquire}, after it it reports to {@link CallGate.report}.
 * - It never concludes anything from absence: a page is a page, a listing that breaks off throws.
 */
export interface Cloud {
  /**
   * Who we are. Throws `Denied` with code `NotOrganizationCaller` if the caller is neither the management account nor the
   * delegated administrator of Compute Optimizer [delegate-administrator-account].
   */
  identify(): Promise<Caller>;

  /**
   * A complete reading of the organization: every account with its OU path, and tags if asked. Complete or thrown:
   * there is no partial answer, except that an account whose tags AWS does not return in a usable form has `tags: null`. One call for all pages, so throttling in the middle is survived inside (by
   * `retry`, which wraps each single wire call).
   */
  readOrganization(options: ReadOrganizationOptions): Promise<OrganizationSnapshot>;

  /**
   * One account as the organization has it now; `null`: the organization does not have it. A few calls, however large the organization.
   */
  readAccount(accountId: AccountId, options: ReadAccountOptions): Promise<OrganizationAccount | null>;
  /** Whether the organization trusts Compute Optimizer, without which members are not opted in [security-iam]. */
  trustedAccess(): Promise<boolean>;

  /** One page (100) of the organization's Compute Optimizer enrollments; members only, never the management account. */
  listEnrollmentStatuses(pageToken: string | null): Promise<Page<ListedEnrollment>>;

  /**
   * One page (1000) of the accounts enrolled in Compute Optimizer with their Automation enrollment. Both listings leave out, with a
   * warning, an account whose status is none that is known here, so that one strange account does not end the reading of all.
   */
  listAutomationAccounts(pageToken: string | null): Promise<Page<ListedEnrollment>>;

  /**
   * One account's own status, by its member role, or by the caller's credentials for the caller's own account.
   * `OptInRequired` and `ResourceNotFound` on a read mean Inactive and are answered so, not thrown.
   */
  readComputeOptimizer(accountId: AccountId): Promise<Observed>;
  readAutomation(accountId: AccountId): Promise<Observed>;

  /** UpdateEnrollmentStatus in one account, or, with `includeMemberAccounts`, for the whole organization. */
  updateEnrollmentStatus(request: UpdateStatusRequest, beforeSend: BeforeSend): Promise<CallResult>;
  /** UpdateEnrollmentConfiguration in one account. */
  updateEnrollmentConfiguration(request: UpdateConfigurationRequest, beforeSend: BeforeSend): Promise<CallResult>;
  /** At most {@link MAX_BATCH} accounts a call; success is per account. */
  associateAccounts(request: BatchRequest, beforeSend: BeforeSend): Promise<BatchResult>;
  disassociateAccounts(request: BatchRequest, beforeSend: BeforeSend): Promise<BatchResult>;
}

/** AssociateAccounts and DisassociateAccounts take this many accounts at most [API_automation_AssociateAccounts]. */
export const MAX_BATCH = 50;

/**
 * Runs after every wait (credentials, limiter) and immediately before the request leaves; if it throws, no request is
 * made and its error comes out of the call unchanged. The checks of invariant 3 and the intent of invariant 2 live here.
 */
export type BeforeSend = () => Promise<void>;

export type Observed = Extract<Observation, { kind: 'observed' }>;

export interface Page<T> {
  readonly items: readonly T[];
  /** `null` ends the listing; an empty page may carry a token. */
  readonly nextToken: string | null;
  /** Accounts that are listed with a value that this version does not know: neither observed nor absent. */
  readonly leftOut?: readonly AccountId[];
}

export interface ListedEnrollment {
  readonly accountId: AccountId;
  readonly observed: Observed;
}

export interface ReadOrganizationOptions {
  /** Tags cost one call an account: only if the policy uses them. */
  readonly tags: boolean;
  /** Wraps each single wire call of the reading. */
  readonly retry: <T>(call: () => Promise<T>) => Promise<T>;
  /**
   * Wraps each page of the reading, named by what was asked: a reading that has to go on in another process is given the answers
   * that it has had, as they come back from JSON. Default: ask.
   */
  readonly once?: (key: string, call: () => Promise<unknown>) => Promise<unknown>;
  readonly onProgress?: (accounts: number) => void;
}

export interface ReadAccountOptions extends Pick<ReadOrganizationOptions, 'tags' | 'retry'> {
  readonly organizationId: string;
  readonly managementAccountId: AccountId;
}

export interface OrganizationSnapshot {
  readonly organizationId: string;
  readonly managementAccountId: AccountId;
  readonly takenAt: EpochMs;
  /** Whether `accounts[].tags` were read. If so, `null` means that AWS gave no usable answer for that account. */
  readonly tags: boolean;
  readonly accounts: readonly OrganizationAccount[];
}

export interface UpdateStatusRequest {
  readonly accountId: AccountId;
  readonly status: TargetStatus;
  readonly includeMemberAccounts: boolean;
}

export interface UpdateConfigurationRequest {
  readonly accountId: AccountId;
  readonly status: TargetStatus;
  /** 1–64 of `[a-zA-Z0-9_-]`; the same token repeats the same call and nothing else, within 24 hours. */
  readonly clientToken: string;
}

export interface BatchRequest {
  readonly accountIds: readonly AccountId[];
  readonly clientToken: string;
}

export interface CallResult {
  readonly requestId: string | null;
  /** What AWS answered; never taken for an observation. */
  readonly status: string | null;
  readonly statusReason: string | null;
}

export interface BatchResult {
  readonly requestId: string | null;
  /** Accounts for which the call succeeded; every other one of the request did not. */
  readonly succeeded: ReadonlySet<AccountId>;
  readonly errors: readonly string[];
}

/** Which budget a wire call draws on. */
export interface CallKey {
  /** `compute-optimizer`, `aco-automation`, `organizations`, `sts`. */
  readonly service: string;
  /** AWS's operation name. */
  readonly operation: string;
}

/** Where every wire call asks for leave and tells how it went. */
export interface CallGate {
  /** Returns when the call may be made, with the time at which leave was given (epoch ms; a gate that does not pace need not say). */
  acquire(key: CallKey): Promise<EpochMs | undefined>;
  /** `leave`: what `acquire` answered for this call, so that a late answer is not taken for one to the present pace. */
  report(key: CallKey, outcome: 'ok' | 'throttled' | 'failed', leave?: EpochMs): void;
}

/**
 * The taxonomy that adapters translate vendor errors into, by error code, never by HTTP status or message text.
 * `Unauthenticated`: our own credentials are missing, expired or refused; nothing can be done for any account.
 */
export type CloudErrorKind =
  | 'Throttled'
  | 'Transient'
  | 'Denied'
  | 'Prerequisite'
  | 'CoolingDown'
  | 'Invalid'
  | 'Conflict'
  | 'Unauthenticated';

/** Code of an organization with more accounts than the configured maximum. Retrying does not help. */
export const TOO_MANY_ACCOUNTS = 'TooManyAccounts';

export interface CloudErrorDetails {
  readonly kind: CloudErrorKind;
  /** The vendor's error code, or Node's (`ECONNREFUSED`), or one of ours (`NotOrganizationCaller`). */
  readonly code: string;
  readonly service: string;
  readonly operation: string;
  /** The account whose credentials made the call, if known. */
  readonly accountId: AccountId | null;
  readonly requestId: string | null;
  /** The code has several causes (docs/aws-behaviour.md): reading the state again tells which. */
  readonly ambiguous: boolean;
  /** How long the cloud asks to wait before the call is repeated, at most an hour, ms; absent: it does not ask. */
  readonly retryAfterMs?: number;
}

export class CloudError extends Error {
  override readonly name = 'CloudError';
  readonly details: CloudErrorDetails;

  constructor(message: string, details: CloudErrorDetails, options?: ErrorOptions) {
    super(message, options);
    this.details = details;
  }

  get kind(): CloudErrorKind {
    return this.details.kind;
  }

  /** Whether it says nothing lasting of what was asked for: another time, or by another process, it may be answered. */
  get passing(): boolean {
    return this.kind === 'Throttled' || this.kind === 'Transient';
  }

  /** Whether the same call may succeed a little later; by clients that are closed none does. */
  get retryable(): boolean {
    return this.passing && this.details.code !== 'Closed';
  }
}
