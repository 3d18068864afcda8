import type { Action, EnrollmentId } from '../domain/enrollment/kinds/index.ts';
import type { AccountId, Caller, EpochMs, Observation, TargetStatus } from '../domain/enrollment/model.ts';
import type { OrganizationAccount } from '../domain/policy/index.ts';

/**
 * The cloud that Rollcall observes and changes: the services of the enrollment kinds, Organizations and STS.
 *
 * Every adapter promises:
 * - Each method makes only the wire calls that its name implies (plus AssumeRole when no valid session is cached), each once. It never
 *   retries, and it throws only {@link CloudError}.
 * - Before every wire call it waits for {@link CallGate.acquire}; afterwards it reports to {@link CallGate.report}.
 * - It concludes nothing from absence: a page is a page, and an incomplete answer is an error.
 * - It is a plain object, so `{ ...cloud, read }` is a valid decorator.
 */
export interface Cloud {
  /**
   * The identity of the caller.
   * @throws CloudError `Denied` with code `NotOrganizationCaller` if the caller is neither the management account nor the delegated
   *   administrator of Compute Optimizer [delegate-administrator-account]
   */
  identify(): Promise<Caller>;

  /**
   * A complete snapshot of the organization: every account with its OU path, and its tags if requested. There is no partial snapshot: a
   * page that fails makes the method throw, so each wire call is wrapped in `retry`. The one exception is an account whose tags AWS does
   * not return in a usable form: it has `tags: null`.
   */
  readOrganization(options: ReadOrganizationOptions): Promise<OrganizationSnapshot>;

  /** The current state of one account, in a few calls for any size of organization; `null` if the organization does not have it. */
  readAccount(accountId: AccountId, options: ReadAccountOptions): Promise<OrganizationAccount | null>;

  /** Whether the organization trusts Compute Optimizer. Without trust, AWS opts no member in [security-iam]. */
  trustedAccess(): Promise<boolean>;

  /**
   * One page of the organization-wide listing of one kind. Which accounts it covers differs by kind (see the descriptors of the kinds); it never
   * includes the management account. Accounts with a value that this version does not know are in `leftOut`, with a warning in the
   * log, so that one unusual account does not end the listing.
   */
  list(kind: EnrollmentId, pageToken: string | null): Promise<Page<ListedEnrollment>>;

  /**
   * The enrollment of one account, read live through its member role, or with the caller's credentials for the caller's own account.
   * `OptInRequired` and `ResourceNotFound` mean that the account is not enrolled: they are returned as Inactive, not thrown.
   */
  read(kind: EnrollmentId, accountId: AccountId): Promise<Observed>;

  /**
   * Prepares one mutating call: checks the request, gets the credentials and waits for the rate limiter. The caller then writes the intent
   * (invariant 2), runs the guard (invariant 3) and sends, so that neither is outdated by a wait.
   * @throws CloudError `Invalid` with code `UnsupportedChange` if the kind has no such action for this target, `BatchSize` for an empty or
   *   too large batch.
   */
  prepareChange(request: ChangeRequest): Promise<SendChange>;
}

/** Sends a prepared request immediately, once. The result is what AWS answered, never an observation. A request that is not sent needs no clean-up. */
export type SendChange = () => Promise<ChangeResult>;

export interface ChangeRequest {
  readonly kind: EnrollmentId;
  readonly action: Exclude<Action, 'none'>;
  readonly target: ChangeTarget;
  /** The status that the accounts should end with. */
  readonly status: TargetStatus;
  /**
   * Makes a repeated call idempotent for 24 hours: 1 to 64 of `[a-zA-Z0-9_-]`. Another request with the same token is refused. `null` for
   * an action that takes no token.
   */
  readonly clientToken: string | null;
}

/**
 * What one change applies to: one account by its member role (the caller's own account by the caller's credentials), several accounts
 * in one batch call, or the whole organization. The last two are made with the caller's credentials.
 */
type ChangeTarget =
  | { readonly scope: 'account'; readonly accountId: AccountId }
  | { readonly scope: 'batch'; readonly accountIds: readonly AccountId[] }
  | { readonly scope: 'organization' };

export interface ChangeResult {
  readonly requestId: string | null;
  /** AWS's explanation of the status that it answered, if there is one. */
  readonly message: string | null;
  /** The accounts of a batch for which AWS reported no success, with its reason or `null`. Empty for other targets. */
  readonly refused: ReadonlyMap<AccountId, string | null>;
}

export type Observed = Extract<Observation, { kind: 'observed' }>;

export interface Page<T> {
  readonly items: readonly T[];
  /** `null` ends the listing. An empty page may have a token. */
  readonly nextToken: string | null;
  /** Accounts listed with a value that this version does not know: neither observed nor absent. */
  readonly leftOut?: readonly AccountId[];
}

export interface ListedEnrollment {
  readonly accountId: AccountId;
  readonly observed: Observed;
}

export interface ReadOrganizationOptions {
  /** Tags cost one call per account, so request them only if the policy uses them. */
  readonly tags: boolean;
  /** Wraps each wire call. */
  readonly retry: <T>(call: () => Promise<T>) => Promise<T>;
  /**
   * Wraps each page, under a key that names the request, so that a reading can continue in another process: `once` may return the
   * answer of an earlier call with the same key, after a round trip through JSON. Default: makes the call.
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
  /** Whether tags were read. If so, `tags: null` of an account means that AWS gave no usable answer for it. */
  readonly tags: boolean;
  readonly accounts: readonly OrganizationAccount[];
}

/** Identifies the rate limit that a wire call counts against. */
export interface CallKey {
  /** The service's signing name: `compute-optimizer`, `aco-automation`, `organizations`, `sts`, … */
  readonly service: string;
  /** The AWS operation name. */
  readonly operation: string;
}

/** Paces wire calls: each call acquires a permit first and reports its outcome afterwards. */
export interface CallGate {
  /** Returns when the call may be made, with the time of the permit (epoch ms), or `undefined` from a gate that does not pace. */
  acquire(key: CallKey): Promise<EpochMs | undefined>;
  /** @param acquiredAt the result of `acquire` for this call, so that a late outcome is not attributed to the current rate */
  report(key: CallKey, outcome: 'ok' | 'throttled' | 'failed', acquiredAt?: EpochMs): void;
}

/**
 * Adapters translate vendor errors into these kinds by error code, never by HTTP status or message text.
 * `Unauthenticated`: the caller's own credentials are missing, expired or refused, so no account can be read or changed.
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

/** The code for an organization with more accounts than the configured maximum. Retrying does not help. */
export const TOO_MANY_ACCOUNTS = 'TooManyAccounts';

export interface CloudErrorDetails {
  readonly kind: CloudErrorKind;
  /** The vendor's error code, Node's (`ECONNREFUSED`) or Rollcall's (`NotOrganizationCaller`). */
  readonly code: string;
  readonly service: string;
  readonly operation: string;
  /** The account whose credentials made the call, if known. */
  readonly accountId: AccountId | null;
  readonly requestId: string | null;
  /** The code has several causes (docs/aws-behaviour.md); read the state again to find out which applies. */
  readonly ambiguous: boolean;
  /** How long AWS asks the caller to wait before repeating the call, ms, at most an hour; absent if it does not ask. */
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

  /** Whether the failure is temporary: another attempt, later or by another process, may succeed. */
  get passing(): boolean {
    return this.kind === 'Throttled' || this.kind === 'Transient';
  }

  /** Whether the same process may repeat the call. Closed clients never succeed again. */
  get retryable(): boolean {
    return this.passing && this.details.code !== 'Closed';
  }
}
