import { canonicalJson, sha256Hex } from '../canonical-hash.ts';
import { type Action, batchSizeOf, ENROLLMENT_IDS, type EnrollmentId } from '../enrollment/kinds/index.ts';
import { differs } from '../enrollment/mismatch.ts';
import type { AccountId, EnrollmentStatus, EpochMs, RuleMode, Scope } from '../enrollment/model.ts';
import { reasonText } from '../enrollment/reason-codes.ts';
import { type Status, statusOf } from '../enrollment/status.ts';
import type { Assessment, Verdict } from '../enrollment/verdict.ts';
import type { OrganizationAccount } from '../policy/index.ts';
import { toIso } from '../time.ts';

/** A difference between observed and desired state, whether or not it is remediated. The shape of a change in `plan --json`. */
export interface Change {
  readonly accountId: AccountId;
  readonly accountName: string;
  readonly ou: string;
  readonly enrollment: EnrollmentId;
  readonly observed: EnrollmentStatus | null;
  readonly observedRuleMode: RuleMode | null;
  readonly desired: EnrollmentStatus | null;
  readonly desiredRuleMode: RuleMode | null;
  readonly verdict: Verdict;
  /** The verdict in the words that people see. */
  readonly status: Status;
  readonly action: Action;
  /** A delayed change: the call that follows once the delay is over; otherwise `none`. */
  readonly heldAction: Action;
  readonly scope: Scope;
  /** An opt-out counts against `maxOptOuts` as well. */
  readonly optOut: boolean;
  readonly rule: string;
  readonly reason: string | null;
  readonly message: string | null;
  /** ISO 8601. */
  readonly notBefore: string | null;
}

/** The call that fixes a change, now or once its delay is over, or `none`. */
export function intendedAction({ action, heldAction }: Pick<Change, 'action' | 'heldAction'>): Action {
  return action === 'none' ? heldAction : action;
}

/** Whether a plan lists the assessment as a change: observed and desired state differ, whether or not it is remediated. */
export function isChange(assessment: Assessment): boolean {
  const { verdict, desired, status, ruleMode } = assessment;
  if (verdict === 'Compliant' || verdict === 'Unmanaged' || verdict === 'NotApplicable') return false;
  if (verdict === 'Drifted' || verdict === 'Stalled' || verdict === 'Converging' || verdict === 'Blocked') return true;
  if (status === null) return false;
  return differs(desired, { status, ruleMode }) !== null;
}

/** @param status pass it if the prerequisite's status is known, which decides between Waiting and Needs attention */
export function toChange(
  assessment: Assessment,
  account: OrganizationAccount,
  status: Status = statusOf(assessment),
): Change {
  const { notBefore, desired } = assessment;
  return {
    accountId: assessment.accountId,
    accountName: account.name,
    ou: account.ou,
    enrollment: assessment.enrollment,
    observed: assessment.status,
    observedRuleMode: assessment.ruleMode,
    desired: desired.status,
    desiredRuleMode: desired.ruleMode,
    verdict: assessment.verdict,
    status,
    action: assessment.action,
    heldAction: assessment.heldAction,
    scope: assessment.scope,
    optOut: assessment.optOut,
    // `null` only if the account is Unknown, which is not a change.
    rule: assessment.rule ?? 'defaults',
    reason: assessment.reason,
    message: assessment.message ?? reasonText(assessment.reason),
    notBefore: notBefore === null ? null : toIso(notBefore),
  };
}

/** A change as a saved plan stores it; earlier versions stored no status. */
export type SavedChange = Omit<Change, 'status'>;

const byKey = (a: SavedChange, b: SavedChange): number =>
  a.accountId < b.accountId
    ? -1
    : a.accountId > b.accountId
      ? 1
      : ENROLLMENT_IDS.indexOf(a.enrollment) - ENROLLMENT_IDS.indexOf(b.enrollment);

/** Sorts by account, then by enrollment kind, so that equal plans have the same text. */
export function sortChanges<C extends SavedChange>(changes: readonly C[]): C[] {
  return [...changes].sort(byKey);
}

/**
 * SHA-256 over the policy and the sorted changes with a call. It covers no times and no run id, so identical plans have the same
 * hash and an approval of one covers the other. Delayed changes are included; otherwise the hash would change when a delay ends.
 * @param asked the changes that the calls with `needsApproval` would make
 */
export function planHash(
  policyHash: string,
  changes: readonly SavedChange[],
  configurations: readonly ConfigurationChange[] = [],
  asked: readonly SavedChange[] = [],
): string {
  const acting = actingChanges(changes);
  const calls = configurations.map(({ operation, targetId, ruleMode, owner, replaces }) => [
    ...[operation, targetId, ruleMode],
    ...(owner === 'other' ? [owner] : []),
    // Omitted if null, so that the hash of plans saved by earlier versions still matches.
    ...(owner === 'other' && replaces !== null ? [replaces] : []),
  ]);
  const approvable = actingChanges(asked);
  const rest = [...(calls.length === 0 ? [] : [calls]), ...(approvable.length === 0 ? [] : [approvable])];
  return sha256Hex(canonicalJson([policyHash, acting, ...rest]));
}

/** The changes with a call, sorted and reduced to the fields that the hash covers. */
function actingChanges(changes: readonly SavedChange[]): readonly (string | null)[][] {
  return sortChanges(changes)
    .filter((change) => intendedAction(change) !== 'none')
    .map((change) => [
      change.accountId,
      change.enrollment,
      change.desired,
      change.desiredRuleMode,
      intendedAction(change),
      change.scope,
    ]);
}

/** A call that stores or deletes an organization enrollment configuration. */
export interface ConfigurationChange {
  readonly operation: Action;
  /** The root, an OU or an account. */
  readonly targetId: string;
  /** The rule mode that the call stores; `null`: it deletes the configuration. */
  readonly ruleMode: RuleMode | null;
  /** Who set the configuration that the call replaces or deletes. An approval for a target without a configuration does not permit replacing one. */
  readonly owner: ConfigurationOwner;
  /** The rule mode that AWS stores for the target now; `null`: none. */
  readonly replaces: RuleMode | null;
}

export const CONFIGURATION_OWNERS = ['rollcall', 'other', 'none'] as const;
/** `rollcall`: Rollcall stored the configuration, with its present rule mode. `none`: AWS stores no configuration for the target. */
export type ConfigurationOwner = (typeof CONFIGURATION_OWNERS)[number];

/** Changes that can be made now: drift with a call and no remaining delay. */
export function dueChanges(changes: readonly Change[], now: EpochMs): Change[] {
  return changes.filter((change) => {
    if (change.action === 'none') return false;
    // A configuration also changes accounts that comply.
    if (change.verdict !== 'Drifted' && change.scope !== 'configuration') return false;
    return change.notBefore === null || Date.parse(change.notBefore) <= now;
  });
}

/**
 * The AWS calls that a set of changes needs: batches, one organization-wide call, or one call per member. Calls for configurations are not
 * among them, because they follow from the plan of configurations.
 */
export function plannedCalls(changes: readonly Change[]): PlannedCall[] {
  const counts = new Map<string, PlannedCall>();
  for (const { action, scope, enrollment } of changes) {
    if (action === 'none' || scope === 'configuration') continue;
    // Two kinds may have an operation of the same name.
    const key = `${enrollment} ${action} ${scope}`;
    const accounts = (counts.get(key)?.accounts ?? 0) + 1;
    const perCall = scope === 'batch' ? batchSizeOf(enrollment, action) : 1;
    const calls = scope === 'organization' ? 1 : Math.ceil(accounts / perCall);
    counts.set(key, { enrollment, operation: action, scope, accounts, calls });
  }
  return [...counts.values()];
}

export interface PlannedCall {
  readonly enrollment: EnrollmentId;
  readonly operation: Action;
  readonly scope: Scope;
  readonly accounts: number;
  readonly calls: number;
}
