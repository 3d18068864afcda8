import type { Condition, Contention, Facet, Reversion } from '../enrollment/condition.ts';
import { differs } from '../enrollment/mismatch.ts';
import type { EnrollmentStatus, EpochMs, RuleMode } from '../enrollment/model.ts';
import type { DesiredEnrollment } from '../enrollment/verdict.ts';
import type { Detail } from '../ledger/entry.ts';
import { toIso } from '../time.ts';

/*
 * Contested: someone keeps reverting what Rollcall remediates. After `MAX_REVERSIONS` reversions Rollcall stops changing the enrollment.
 *
 *              reverted, 1st and 2nd time within 24 hours
 *            ┌────────────────────────────────────────────┐
 *            ▼                                            │
 *         Drifted ── our call ──▶ Converging ──▶ Compliant ┘
 *                                                    │ reverted, 3rd time: FlapDetected
 *                                                    ▼
 *     reconciled immediately ◀── AccountResumed ── Blocked: contested   (only an operator's `resume` ends it)
 */

/** This many reversions within {@link REVERSION_WINDOW_MS} make an enrollment contested. */
export const MAX_REVERSIONS = 3;
const REVERSION_WINDOW_MS = 24 * 60 * 60 * 1000;

interface ObservedState {
  readonly status: EnrollmentStatus | null;
  readonly ruleMode: RuleMode | null;
  /** ISO 8601. */
  readonly lastUpdated: string | null;
}

/**
 * Whether the observation shows that someone reverted the desired state: the enrollment was Compliant before, or the state from
 * before our call is back with a newer timestamp. Pending and Failed come from AWS and are never reversions.
 */
export function isReverted(known: Condition | null, seen: ObservedState, desired: DesiredEnrollment): boolean {
  if (known === null || known.desired !== desired.status || known.desiredRuleMode !== desired.ruleMode) return false;
  const { status, ruleMode, lastUpdated } = seen;
  if (status !== 'Active' && status !== 'Inactive') return false;
  if (differs(desired, { status, ruleMode }) === null) return false;
  if (known.verdict === 'Compliant') return true;
  if (known.verdict !== 'Converging' || known.reason !== 'acted' || lastUpdated === null) return false;
  return known.status === status && known.ruleMode === ruleMode && (known.lastUpdated ?? '') < lastUpdated;
}

function recentReversions(known: Condition | null, now: EpochMs): readonly Reversion[] {
  const reversions = known?.setBacks ?? [];
  if (reversions.length === 0) return reversions;
  const since = toIso(now - REVERSION_WINDOW_MS);
  return reversions.filter(({ at }) => at > since);
}

/**
 * Why the enrollment is contested; `null` if it is not.
 * @param reverted whether the present observation is another reversion
 */
export function contestOf(known: Condition | null, reverted: boolean, now: EpochMs): string | null {
  if (known?.contested) return known.contested.message;
  const counted = reversionsWith(known, reverted, null, now);
  return counted.length >= MAX_REVERSIONS ? contestMessage(counted) : null;
}

/** The reversions that count at `now`, including the present observation if it is one. */
export function reversionsWith(
  known: Condition | null,
  reverted: boolean,
  by: string | null,
  now: EpochMs,
): readonly Reversion[] {
  const before = recentReversions(known, now);
  return reverted ? [...before, { at: toIso(now), by }] : before;
}

/** One sentence that names the known actors. */
export function contestMessage(reversions: readonly Reversion[]): string {
  const known = [...new Set(reversions.map(({ by }) => by).filter((actor) => actor !== null))];
  const by = known.length === 0 ? 'by an unknown actor' : `by ${known.join(', ')}`;
  return (
    `reverted ${reversions.length} times within 24 hours ${by}; Rollcall will not change it again until an ` +
    'operator runs `rollcall resume`'
  );
}

/** Who caused the open drift, as far as CloudTrail named them; `null`: no open drift, or nobody was named. */
export function actorBehind({ driftSince, changedBy, setBacks = [] }: Condition): string | null {
  if (driftSince === null) return null;
  return changedBy?.actor ?? setBacks.at(-1)?.by ?? null;
}

export function foldContention(
  known: Condition | null,
  entry: { readonly type: string; readonly at: string; readonly api: unknown; readonly detail: Detail | null },
  after: Facet,
): Contention {
  const now = Date.parse(entry.at);
  const desired = { status: after.desired, ruleMode: after.desiredRuleMode };
  // The outcome of Rollcall's own call is not an observation, and in mode `alert` there is no remediation to revert.
  const counts = entry.api === null && after.reason !== 'alertOnly' && isReverted(known, after, desired);
  const before = recentReversions(known, now);
  const setBacks = counts ? [...before, { at: entry.at, by: entry.detail?.changedBy?.actor ?? null }] : before;
  const begun = entry.type === 'FlapDetected' ? { since: entry.at, message: entry.detail?.message ?? '' } : null;
  const contested = known?.contested ?? begun;
  return {
    ...(setBacks.length > 0 && { setBacks: setBacks.slice(-MAX_REVERSIONS) }),
    ...(contested !== null && { contested }),
  };
}

/** The condition after an operator's `resume`: no counted reversions; a contested enrollment is due immediately. */
export function resumed(condition: Condition | null, at: string): Condition | null {
  if (condition === null || (condition.contested === undefined && condition.setBacks === undefined)) return condition;
  const { setBacks: _, contested, ...rest } = condition;
  return contested !== undefined && rest.reason === 'contested' ? { ...rest, notBefore: at } : rest;
}
