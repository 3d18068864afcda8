import { byKind, type EnrollmentId, KINDS, kindsInUse } from './kinds/index.ts';
import type { ReasonCode } from './reason-codes.ts';
import { reasonText } from './reason-codes.ts';
import type { Verdict } from './verdict.ts';

/** The status of one enrollment as people see it, worst first. A verdict is the internal name; `Blocked` becomes Waiting or Needs attention. */
export const STATUSES = [
  'Needs attention',
  'Drifted',
  'Unknown',
  'In progress',
  'Waiting',
  'Suspended',
  'Exempt',
  'Compliant',
  'Unmanaged',
  'Not applicable',
] as const;
export type Status = (typeof STATUSES)[number];

interface VerdictAndReason {
  readonly verdict: Verdict;
  /** A `ReasonCode`; a stored document may contain a code of another version. */
  readonly reason: string | null;
}

/** Reasons for a delay that ends by itself: at a known time, or when another change succeeds. */
const WAITING: ReadonlySet<string | null> = new Set<ReasonCode>(['coolDown', 'window', 'rollout', 'retrying']);

/** Statuses of a prerequisite that become Compliant without anybody acting. */
const BEING_ENABLED: ReadonlySet<Status> = new Set<Status>(['Drifted', 'In progress', 'Waiting', 'Compliant']);

const FIXED: Readonly<Partial<Record<Verdict, Status>>> = {
  NotApplicable: 'Not applicable',
  Unmanaged: 'Unmanaged',
  Suspended: 'Suspended',
  Exempt: 'Exempt',
  Unknown: 'Unknown',
  Converging: 'In progress',
  Stalled: 'Needs attention',
  Compliant: 'Compliant',
};

/**
 * The status of an enrollment. A drift that the kill switch delays stays Drifted; views show the halt once for all accounts.
 * @param prerequisite the status of the enrollment that must be Active first; `null`: unknown
 */
export function statusOf({ verdict, reason }: VerdictAndReason, prerequisite: Status | null = null): Status {
  const fixed = FIXED[verdict];
  if (fixed !== undefined) return fixed;
  if (reason === 'prerequisite') {
    return prerequisite === null || BEING_ENABLED.has(prerequisite) ? 'Waiting' : 'Needs attention';
  }
  if (WAITING.has(reason)) return 'Waiting';
  if (reason === 'halted') return 'Drifted';
  if (verdict === 'Blocked' || reason === 'deadLettered') return 'Needs attention';
  return 'Drifted';
}

/** The statuses of all enrollments of one account. @param kinds in an order in which prerequisites come first */
export function statusesOf<C extends VerdictAndReason>(
  kinds: readonly { readonly id: EnrollmentId; readonly prerequisites: readonly EnrollmentId[] }[],
  conditionOf: (id: EnrollmentId) => C | null,
): ReadonlyMap<EnrollmentId, Status> {
  const statuses = new Map<EnrollmentId, Status>();
  for (const { id, prerequisites } of kinds) {
    const condition = conditionOf(id);
    if (condition === null) continue;
    const needed = prerequisites
      .map((each) => statuses.get(each))
      .find((each) => each !== undefined && !BEING_ENABLED.has(each));
    statuses.set(id, statusOf(condition, needed ?? null));
  }
  return statuses;
}

/** Its place among {@link STATUSES}: 0 is the worst. */
export function severityOf(status: Status): number {
  return STATUSES.indexOf(status);
}

/** How people see each enrollment of one account: its status, and one sentence for the reason. */
export function shownOf(
  conditionOf: (id: EnrollmentId) => VerdictAndReason | null,
): Readonly<Record<EnrollmentId, { readonly status: Status; readonly message: string | null } | null>> {
  const statuses = statusesOf(KINDS, conditionOf);
  return byKind((id) => {
    const status = statuses.get(id);
    return status === undefined ? null : { status, message: reasonText(conditionOf(id)?.reason ?? null) };
  });
}

/** How many accounts have each status, by enrollment kind; zeros may be missing. */
export type StatusCounts = Readonly<Record<EnrollmentId, Readonly<Partial<Record<Status, number>>>>>;

/** The status of a verdict; `null` if it depends on the reason. */
export function statusOfVerdict(verdict: Verdict): Status | null {
  return FIXED[verdict] ?? null;
}

/** A kind of a later release is not in use if every account has one of these statuses. */
const UNUSED: ReadonlySet<string> = new Set<Status>(['Unmanaged', 'Not applicable']);

/** The kinds to show beside counts of statuses. */
export function kindsShownIn(...counts: readonly StatusCounts[]): ReturnType<typeof kindsInUse> {
  const isCounted = (byStatus: StatusCounts[EnrollmentId]): boolean =>
    Object.entries(byStatus).some(([status, n]) => !UNUSED.has(status) && n > 0);
  return kindsInUse((id) => counts.some((each) => isCounted(each[id])));
}
