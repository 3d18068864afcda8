import type { Condition, Contention, Facet, SetBack } from '../enrollment/condition.ts';
import { differs } from '../enrollment/mismatch.ts';
import type { EnrollmentStatus, EpochMs, RuleMode } from '../enrollment/model.ts';
import type { DesiredEnrollment } from '../enrollment/verdict.ts';
import type { Detail } from '../ledger/entry.ts';
import { toIso } from '../time.ts';

/*
 * Flapping: somebody keeps setting an enrollment back that Rollcall keeps putting right. After so many times it stops fighting.
 *
 *              set back, 1st and 2nd time within 24 hours
 *            ┌────────────────────────────────────────────┐
 *            ▼                                            │
 *         Drifted ── our call ──▶ Converging ──▶ Compliant ┘
 *                                                    │ set back, 3rd time: FlapDetected
 *                                                    ▼
 *         looked at at once ◀── AccountResumed ── Blocked: contested    (only an operator's `resume` ends it)
 */

/** So often within {@link FLAP_WINDOW_MS}, and the account is contested. */
export const MAX_SET_BACKS = 3;
const FLAP_WINDOW_MS = 24 * 60 * 60 * 1000;

interface Seen {
  readonly status: EnrollmentStatus | null;
  readonly ruleMode: RuleMode | null;
  /** ISO 8601. */
  readonly lastUpdated: string | null;
}

/**
 * Whether what is seen now is somebody's undoing of what was wanted: it was so already, or we had just asked for it and the old picture
 * is back under a new timestamp. A changed wish is nobody's undoing; Pending and Failed are AWS's own doing.
 */
export function isSetBack(known: Condition | null, seen: Seen, wish: DesiredEnrollment): boolean {
  if (known === null || known.desired !== wish.status || known.desiredRuleMode !== wish.ruleMode) return false;
  const { status, ruleMode, lastUpdated } = seen;
  if (status !== 'Active' && status !== 'Inactive') return false;
  if (differs(wish, { status, ruleMode }) === null) return false;
  if (known.verdict === 'Compliant') return true;
  if (known.verdict !== 'Converging' || known.reason !== 'acted' || lastUpdated === null) return false;
  return known.status === status && known.ruleMode === ruleMode && (known.lastUpdated ?? '') < lastUpdated;
}

/** The set-backs that count at `now`. */
function recentSetBacks(known: Condition | null, now: EpochMs): readonly SetBack[] {
  const since = toIso(now - FLAP_WINDOW_MS);
  return (known?.setBacks ?? []).filter(({ at }) => at > since);
}

/**
 * Why the enrollment is contested; `null` if it is not. `setBack`: the present observation is another reversion. If a process ends between the entry
 * that counts the last reversion and `FlapDetected`, the count is kept, and the next look continues from it.
 */
export function contestOf(known: Condition | null, setBack: boolean, now: EpochMs): string | null {
  if (known?.contested) return known.contested.message;
  const counted = setBacksWith(known, setBack, null, now);
  return counted.length >= MAX_SET_BACKS ? contestMessage(counted) : null;
}

/** The reversions that count at `now`, including the present observation if it is one. */
export function setBacksWith(
  known: Condition | null,
  setBack: boolean,
  by: string | null,
  now: EpochMs,
): readonly SetBack[] {
  const before = recentSetBacks(known, now);
  return setBack ? [...before, { at: toIso(now), by }] : before;
}

/** One sentence for people; names whoever is known to have done it. */
export function contestMessage(setBacks: readonly SetBack[]): string {
  const known = [...new Set(setBacks.map(({ by }) => by).filter((actor) => actor !== null))];
  const by = known.length === 0 ? 'by an unknown actor' : `by ${known.join(', ')}`;
  return (
    `reverted ${setBacks.length} times within 24 hours ${by}; Rollcall makes no further change here until an operator ` +
    'settles it and runs `rollcall resume`'
  );
}

/** The contention after an entry that states `after` of the enrollment. */
export function foldContention(
  known: Condition | null,
  entry: { readonly type: string; readonly at: string; readonly api: unknown; readonly detail: Detail | null },
  after: Facet,
): Contention {
  const now = Date.parse(entry.at);
  const wish = { status: after.desired, ruleMode: after.desiredRuleMode };
  // Outcomes of our own calls are no observations; nobody fights where the policy only watches.
  const counts = entry.api === null && after.reason !== 'alertOnly' && isSetBack(known, after, wish);
  const before = recentSetBacks(known, now);
  const setBacks = counts ? [...before, { at: entry.at, by: entry.detail?.changedBy?.actor ?? null }] : before;
  const begun = entry.type === 'FlapDetected' ? { since: entry.at, message: entry.detail?.message ?? '' } : null;
  const contested = known?.contested ?? begun;
  return {
    ...(setBacks.length > 0 && { setBacks: setBacks.slice(-MAX_SET_BACKS) }),
    ...(contested !== null && { contested }),
  };
}

/** After an operator's `resume`: whatever was counted is forgotten, and what was contested is due for a look at once. */
export function resumed(condition: Condition | null, at: string): Condition | null {
  if (condition === null || (condition.contested === undefined && condition.setBacks === undefined)) return condition;
  const { setBacks: _, contested, ...rest } = condition;
  return contested !== undefined && rest.reason === 'contested' ? { ...rest, notBefore: at } : rest;
}
