import { byKind, type EnrollmentId, KINDS } from './kinds/index.ts';
import { reasonText } from './reason-text.ts';
import type { ReasonCode, Verdict } from './verdict.ts';

/** The status of one enrollment as people see it. A verdict is the internal name; `Blocked` is split by what ends it. */
export const STATUSES = [
  'Needs attention',
  'Drifted',
  'In progress',
  'Waiting',
  'Unknown',
  'Suspended',
  'Exempt',
  'Compliant',
  'Unmanaged',
  'Not applicable',
] as const;
export type Status = (typeof STATUSES)[number];

interface Judged {
  readonly verdict: Verdict;
  /** A `ReasonCode`; a document may have one of another version. */
  readonly reason: string | null;
}

/** Reasons that end without anybody acting: at a known time, or when another change succeeds. */
const WAITING: ReadonlySet<string | null> = new Set<ReasonCode>(['coolDown', 'window', 'rollout', 'retrying']);

/** Statuses of a prerequisite that lead to Active without anybody acting. */
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
 * The status of an enrollment.
 *
 * While remediation is halted, statuses stay as they are without the halt, so that a halt does not turn every drift into something that needs
 * attention; the halt itself is shown once, above them.
 * @param prerequisite the status of the enrollment that this one needs, if that is why it waits; `null`: not known
 */
export function statusOf({ verdict, reason }: Judged, prerequisite: Status | null = null): Status {
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

/** The statuses of all enrollments of one account, each kind after its prerequisites. */
export function statusesOf<C extends Judged>(
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

/** How people see each enrollment of one account: its status, and one sentence for the reason. */
export function shownOf(
  conditionOf: (id: EnrollmentId) => Judged | null,
): Readonly<Record<EnrollmentId, { readonly status: Status; readonly message: string | null } | null>> {
  const statuses = statusesOf(KINDS, conditionOf);
  return byKind((id) => {
    const status = statuses.get(id);
    return status === undefined ? null : { status, message: reasonText(conditionOf(id)?.reason ?? null) };
  });
}

/** How many accounts have each status, by enrollment kind; zeros may be missing. */
export type StatusCounts = Readonly<Record<EnrollmentId, Readonly<Partial<Record<Status, number>>>>>;

/** The status of a verdict for which its reason makes no difference; `null`: it does. */
export function statusOfVerdict(verdict: Verdict): Status | null {
  return FIXED[verdict] ?? null;
}
