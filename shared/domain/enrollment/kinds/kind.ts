import type { Scope, TargetStatus } from '../model.ts';

/** An operation, qualified by its service as IAM names it. */
type QualifiedOperation = `${string}:${string}`;

/** One mutating AWS operation of an enrollment kind. */
export interface KindAction<Operation extends string = string> {
  /** AWS's name of the operation. Two services may share a name, so it identifies an action only together with its kind. */
  readonly operation: Operation;
  /**
   * What the operation changes. Associating also enables the enrollment; an associated account must be disassociated before it can be disabled.
   * `putConfiguration` and `deleteConfiguration`: the organization enrollment configuration of an account, an OU or the root.
   */
  readonly effect: 'setStatus' | 'associate' | 'disassociate' | 'putConfiguration' | 'deleteConfiguration';
  readonly scopes: readonly Scope[];
  /** The largest number of accounts in one call; `null`: one account, or the whole organization. */
  readonly batchSize: number | null;
  /** Whether AWS takes a client token and so recognizes a repeated request. */
  readonly idempotent: boolean;
}

/**
 * Everything about an enrollment kind that is not code. Enums, SQL, columns, policy fields, IAM statements and event rules are derived from it.
 * `docs/how-to/add-a-kind.md` shows how to add one.
 */
export interface EnrollmentKind<Id extends string = string, Operation extends string = string> {
  /** The name in policies, JSON, stored documents and command-line options. */
  readonly id: Id;
  /** The name in text for people. */
  readonly title: string;
  /** The prefix of its IAM actions, and the name of its rate-limit budgets. */
  readonly service: string;
  /** The AWS partitions that have the service; `null`: all. In others its enrollments are Not applicable and nothing is called. */
  readonly partitions: readonly string[] | null;
  /** Lists the enrollments of the whole organization, page by page. */
  readonly listOperation: string;
  /** The largest page of the listing that AWS allows: accounts a call. */
  readonly listPageSize: number;
  /** Reads the enrollment of the calling account. */
  readonly readOperation: string;
  /** The statuses that a policy may ask for. */
  readonly targets: readonly TargetStatus[];
  /** Enrollments that must be Active in the same account before this one can be enabled. */
  readonly prerequisites: readonly Id[];
  /** How long AWS refuses to enable it again after an opt-out, in milliseconds; `null`: no cool-down. */
  readonly coolDownMs: number | null;
  /** What AWS deletes when an account opts out, for people; `null`: AWS documents nothing. */
  readonly optOutDeletes: string | null;
  /** Whether the organization can associate accounts with its rules: the policy field `organizationRules`. */
  readonly hasRuleMode: boolean;
  /**
   * Whether version 0.1.0 had it. A later kind appears in policy hashes, entries and records only under a policy that manages it: adding it must
   * change nothing for other policies, because plans and approvals are stored under their hash.
   */
  readonly sinceFirstRelease: boolean;
  readonly actions: readonly KindAction<Operation>[];
  /** Values of CloudTrail's `eventSource`; the event names are the operations of `actions`. */
  readonly eventSources: readonly string[];
  /** The service principal whose service-linked role AWS creates in an enrolled account. */
  readonly serviceLinkedRole: string;
  /** The service principal for trusted access and for the delegated administrator. */
  readonly organizationPrincipal: string;
  /** IAM actions by the credentials that use them: the caller's own, and those of the role in each member account. */
  readonly iamActions: {
    readonly caller: readonly QualifiedOperation[];
    readonly member: readonly QualifiedOperation[];
  };
  /**
   * What it means that a complete listing omits an account. `unknown`: nothing, so the account itself is read. `inactiveWithoutPrerequisite`: the
   * enrollment is off if a prerequisite is observed to be off, else nothing. `inactive`: the enrollment is off if the first kind's listing
   * names the account as a member.
   */
  readonly absence: 'unknown' | 'inactiveWithoutPrerequisite' | 'inactive';
}
