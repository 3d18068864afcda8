import type { AccountState, Claim, Condition, DriftCause, Facet } from '../enrollment/condition.ts';
import { actionOf, byKind, ENROLLMENT_IDS, type EnrollmentId } from '../enrollment/kinds/index.ts';
import type { AccountId, EpochMs } from '../enrollment/model.ts';
import { isDrift } from '../enrollment/verdict.ts';
import type { ChainHead, LedgerEntry } from '../ledger/entry.ts';
import { EMPTY_CHAIN, headOf } from '../ledger/entry.ts';
import { isManaged } from './compliance.ts';
import { foldContention, resumed } from './flapping.ts';
import { isUnlocked, lastPrerequisite } from './prerequisites.ts';
import { fromStoredState } from './stored-state.ts';

/** Everything known about one account, computed from all entries of its chain in order ("the fold of the chain"). */
export interface AccountRecord extends AccountState {
  readonly accountId: AccountId;
  /** The last entry that is included in this record. */
  readonly head: ChainHead;
}

export function emptyRecord(accountId: AccountId): AccountRecord {
  return { accountId, head: EMPTY_CHAIN, present: false, conditions: byKind(() => null) };
}

/**
 * Whether it matters that the account is missing from a complete listing. A chain that a restore has merged may contain a drift without the entry
 * that records how its account joined.
 */
export function canLeave({ present, conditions }: AccountState): boolean {
  return present || ENROLLMENT_IDS.some((id) => (conditions[id]?.driftSince ?? null) !== null);
}

export function withCondition<T extends AccountState>(
  state: T,
  enrollment: EnrollmentId,
  condition: Condition | null,
): T {
  return { ...state, conditions: { ...state.conditions, [enrollment]: condition } };
}

/** A drift begins at the first entry with a drift verdict, whatever its type: before 0.2 a blocked drift had no `DriftDetected`. */
function nextDriftSince(condition: Condition | null, entry: LedgerEntry, { verdict }: Facet): string | null {
  if (entry.type === 'AccountLeft' || verdict === 'Compliant' || !isManaged(verdict)) return null;
  return condition?.driftSince ?? (isDrift(verdict) ? entry.at : null);
}

/** The last reported caller while the drift is open. Only an entry about one enrollment names a caller. */
function nextCause(
  condition: Condition | null,
  entry: LedgerEntry,
  driftSince: string | null,
): { readonly changedBy?: DriftCause } {
  if (driftSince === null) return {};
  const reported = entry.enrollment === null ? undefined : entry.detail?.changedBy;
  if (reported === undefined) return condition?.changedBy === undefined ? {} : { changedBy: condition.changedBy };
  const { actor, operation, at } = reported;
  return { changedBy: { actor, operation, at } };
}

function nextClaim(condition: Condition | null, entry: LedgerEntry): Claim | null {
  const claim = condition?.claim ?? null;
  if (entry.type === 'RemediationStarted') {
    return {
      entryId: entry.id,
      startedAt: entry.at,
      expiresAt: entry.detail?.claimExpiresAt ?? entry.at,
      operation: entry.api?.operation ?? 'unknown',
      clientToken: entry.api?.clientToken ?? null,
      optOut: entry.detail?.optOut ?? false,
    };
  }
  // Only the outcome of the call that the claim announced closes it; an observation by a scan does not.
  return claim !== null && entry.detail?.intentId === claim.entryId ? null : claim;
}

/** The state of an enrollment after its account has left the organization. */
export function afterLeaving(facet: Facet): Facet {
  return {
    ...facet,
    verdict: 'NotApplicable',
    reason: 'accountNotActive',
    notBefore: null,
    deadline: null,
    attempts: 0,
  };
}

/** An account that has left has no drift, even if a call that was in progress fails afterwards. */
function facetOfAbsent(condition: Condition | null, after: Facet): Facet {
  return condition?.verdict === 'NotApplicable' && isDrift(after.verdict) ? afterLeaving(after) : after;
}

function foldFacet(condition: Condition | null, entry: LedgerEntry, after: Facet, enrollment: EnrollmentId): Condition {
  // Disassociating counts as an opt-out but leaves the enrollment enabled, so no cool-down follows [automation-org].
  const effect = actionOf(enrollment, entry.api?.operation ?? '')?.effect;
  const disabled = entry.detail?.optOut === true && effect !== 'disassociate';
  const driftSince = nextDriftSince(condition, entry, after);
  const optOutDone = entry.type === 'RemediationSucceeded' && disabled;
  return {
    ...after,
    rule: entry.rule ?? entry.detail?.rules?.[enrollment] ?? condition?.rule ?? null,
    policyHash: entry.policyHash ?? condition?.policyHash ?? null,
    runId: entry.runId ?? condition?.runId ?? null,
    since: condition !== null && condition.verdict === after.verdict ? condition.since : entry.at,
    changedAt: entry.at,
    driftSince,
    ...nextCause(condition, entry, driftSince),
    claim: nextClaim(condition, entry),
    optedOutAt: optOutDone ? entry.at : (condition?.optedOutAt ?? null),
    ...foldContention(condition, entry, after),
  };
}

/**
 * The record after `entry`. Pure, so that replaying a chain from its start always gives the same record.
 * The caller must have checked that `entry` follows the record's head (`checkLink`).
 */
export function foldEntry(record: AccountRecord, entry: LedgerEntry): AccountRecord {
  const current = entry.detail?.checkpoint?.current ?? null;
  // A checkpoint contains the whole state, so a chain whose older entries were removed starts from it.
  if (current !== null) return { accountId: record.accountId, head: headOf(entry), ...fromStoredState(current) };
  const facets = { ...entry.detail?.facets };
  if (entry.enrollment !== null && entry.after !== null) facets[entry.enrollment] = entry.after;
  const resumes = entry.type === 'AccountResumed';
  const present = entry.type === 'AccountJoined' || (entry.type !== 'AccountLeft' && record.present);
  const fold = (enrollment: EnrollmentId): Condition | null => {
    const known = record.conditions[enrollment];
    const recorded = facets[enrollment];
    const after = recorded === undefined || present ? recorded : facetOfAbsent(known, recorded);
    const folded = after === undefined ? known : foldFacet(known, entry, after, enrollment);
    return resumes && (entry.enrollment ?? enrollment) === enrollment ? resumed(folded, entry.at) : folded;
  };
  return {
    accountId: record.accountId,
    head: headOf(entry),
    present,
    conditions: byKind(fold),
  };
}

/** The times at which this condition must be reconciled again, epoch ms. */
function wakeTimes(condition: Condition | null): readonly EpochMs[] {
  if (condition === null) return [];
  const times = [condition.notBefore, condition.claim?.expiresAt ?? null];
  // Only Converging needs its deadline: at that time it becomes Stalled.
  if (condition.verdict === 'Converging') times.push(condition.deadline);
  return times.flatMap((time) => (time === null ? [] : [Date.parse(time)]));
}

/** When the prerequisites of a waiting enrollment were met; empty if they are not, or if another delay applies. */
function unlockedAt(record: AccountRecord, enrollment: EnrollmentId): readonly EpochMs[] {
  if (!isUnlocked(record, enrollment) || record.conditions[enrollment]?.notBefore !== null) return [];
  const met = lastPrerequisite(record, enrollment);
  return met === null ? [] : [Date.parse(met.changedAt)];
}

/** The earliest time at which the account must be reconciled; `null` if none is known. The stores index records by it. */
export function wakeAt(record: AccountRecord): EpochMs | null {
  const times = ENROLLMENT_IDS.flatMap((id) => [...wakeTimes(record.conditions[id]), ...unlockedAt(record, id)]);
  return times.length === 0 ? null : Math.min(...times);
}
