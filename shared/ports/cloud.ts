import type { Action, EnrollmentId } from '../domain/enrollment/kinds/index.ts';
import type {
  AccountId,
  Caller,
  ConfigurationTarget,
  EpochMs,
  Observation,
  OrganizationalUnit,
  OrganizationConfiguration,
  RuleMode,
  RuleModeSource,
  TargetStatus,
} from '../domain/enrollment/model.ts';
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
   * Every account of the organization with its OU path, and its tags if requested. Throws if any part cannot be read, except that an
   * account whose tags AWS does not return in a usable form has `tags: null`.
   */
  readOrganization(options: ReadOrganizationOptions): Promise<OrganizationSnapshot>;

  /** The current state of one account, in a few calls for any size of organization; `null` if the organization does not have it. */
  readAccount(accountId: AccountId, options: ReadAccountOptions): Promise<OrganizationAccount | null>;

  /**
   * The tags of one account, read live; `null` if the organization does not have it. `readOrganization` may take tags from an index that is
   * eventually consistent.
   */
  readTags(
    accountId: AccountId,
    options: Pick<ReadOrganizationOptions, 'retry'>,
  ): Promise<Readonly<Record<string, string>> | null>;

  /** Whether the organization trusts Compute Optimizer. Without trust, AWS opts no member in [security-iam]. */
  trustedAccess(): Promise<boolean>;

  /**
   * One page of the organization-wide listing of one kind. It never includes the management account; which others it omits differs
   * by kind (`absence` in the descriptor). Accounts with a value that this version does not know are in `leftOut`.
   */
  list(kind: EnrollmentId, pageToken: string | null): Promise<Page<ListedEnrollment>>;

  /**
   * The enrollment of one account, read through its member role or, for the caller's own account, with the caller's credentials.
   * AWS's errors `OptInRequired` and `ResourceNotFound` mean that it is not enrolled, and are returned as Inactive.
   */
  read(kind: EnrollmentId, accountId: AccountId): Promise<Observed>;

  /**
   * Prepares one mutating call: checks the request, gets credentials and waits for the rate limiter. The caller then records the
   * intent (invariant 2), makes its last checks (invariant 3) and sends, so that no wait outdates them.
   * @throws CloudError `Invalid` with code `UnsupportedChange` if the kind has no such action for this target, `BatchSize` for an empty or
   *   too large batch.
   */
  prepareChange(request: ChangeRequest): Promise<SendChange>;

  readonly configurations: Configurations;

  /** The root and all OUs, each after its parent. An error if any part of the tree cannot be read. */
  readUnits(options: Pick<ReadOrganizationOptions, 'retry' | 'once'>): Promise<readonly OrganizationalUnit[]>;
}

/**
 * Organization enrollment configurations: the rule mode that the organization stores for an account, an OU or the root. Each applies to every
 * account below it, those that join later included; the one nearest to an account determines its rule mode. All calls are made with the
 * caller's credentials. The management account cannot be a target.
 */
export interface Configurations {
  /**
   * All stored configurations, in AWS's order. A page that fails makes the method throw, so each wire call is wrapped in `retry`. A
   * configuration whose target type this version does not know is left out, with a warning in the log.
   */
  list(options: Pick<ReadOrganizationOptions, 'retry'>): Promise<readonly OrganizationConfiguration[]>;

  /**
   * Prepares the call that stores the configuration of a target, in place of its present one. AWS also enables Automation, with either rule mode,
   * in every account below that is enrolled in Compute Optimizer. For an OU or the root that takes minutes. Sending throws `Conflict`,
   * retryable, while another change of the same or an overlapping target is in progress.
   */
  preparePut(target: ConfigurationTarget, ruleMode: RuleMode, clientToken: string): Promise<SendConfiguration>;

  /**
   * Prepares the call that deletes the configuration of a target. Automation stays enabled in the accounts below, earlier associations are not
   * restored, and the rule mode is inherited from the nearest remaining configuration, or `NoneAllowed` without one. Sending throws
   * `Conflict` as for `preparePut`.
   */
  prepareDelete(target: ConfigurationTarget, clientToken: string): Promise<SendConfiguration>;
}

/** Sends a prepared request immediately, once. Success means that AWS accepted it: read the accounts to see its effect. */
export type SendConfiguration = () => Promise<{ readonly requestId: string | null }>;

/** Sends a prepared request immediately, once; not calling it needs no clean-up. The result does not prove the new state. */
export type SendChange = () => Promise<ChangeResult>;

export interface ChangeRequest {
  readonly kind: EnrollmentId;
  readonly action: Exclude<Action, 'none'>;
  readonly target: ChangeTarget;
  /** The status that the accounts should end with. */
  readonly status: TargetStatus;
  /**
   * 1 to 64 of `[a-zA-Z0-9_-]`. While AWS remembers it, a repeated call does nothing and gets the earlier answer, and another request with
   * the same token is refused. AWS states 30 minutes for batch calls and nothing for the others. `null` for an action that takes no token.
   */
  readonly clientToken: string | null;
}

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
  /** What determines the rule mode; `null` if AWS does not say. Absent for a kind without rule mode. */
  readonly ruleModeSource?: RuleModeSource | null;
}

export interface ReadOrganizationOptions {
  /**
   * Tags cost calls, so request them only if the policy uses them: one for 100 accounts if the caller is the management account, otherwise one for
   * each account.
   */
  readonly tags: boolean;
  /** Wraps each wire call. */
  readonly retry: <T>(call: () => Promise<T>) => Promise<T>;
  /**
   * Wraps each page, so that another process can continue: may return the answer of an earlier call with the same key, after a
   * round trip through JSON. Default: makes the call.
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

/** A wire call, and the account whose quota it counts against: the account whose credentials sign it. */
export interface MeteredCall extends CallKey {
  readonly meteredIn: 'caller' | 'member';
}

/** The rate limiter: each wire call acquires a permit first and reports its outcome afterwards. */
export interface CallGate {
  /** Returns when the call may be made, with the time of the permit (epoch ms), or `undefined` from a gate that does not pace. */
  acquire(call: MeteredCall): Promise<EpochMs | undefined>;
  /** @param acquiredAt the result of `acquire`: the outcome shows whether the rate at that time was too high */
  report(call: MeteredCall, outcome: 'ok' | 'throttled' | 'failed', acquiredAt?: EpochMs): void;
}

/**
 * Adapters translate AWS errors into these kinds by error code, never by HTTP status or message text. `Unauthenticated`: the
 * caller's own credentials are missing, expired or refused. `Governed`: an organization enrollment configuration decides; no AWS error code says so
 * alone, so it is found by reading the account's state again.
 */
export type CloudErrorKind =
  | 'Throttled'
  | 'Transient'
  | 'Denied'
  | 'Prerequisite'
  | 'CoolingDown'
  | 'Governed'
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
  /** The code has several causes (docs/reference/aws-behaviour.md); read the state again to find out which applies. */
  readonly ambiguous: boolean;
  /** How long AWS asks the caller to wait before repeating the call, ms, at most an hour; absent if it does not ask. */
  readonly retryAfterMs?: number;
  /** Only for `Conflict`: AWS is still applying another change, so the same call may succeed later. */
  readonly concurrent?: true;
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
    return (this.passing || this.details.concurrent === true) && this.details.code !== 'Closed';
  }
}
