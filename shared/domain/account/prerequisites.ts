import type { AccountState, Condition } from '../enrollment/condition.ts';
import { type EnrollmentId, kindOf } from '../enrollment/kinds/index.ts';

/** Whether the enrollment waits until another one is Active in the same account. */
export function waitsForPrerequisite(condition: Condition | null): condition is Condition {
  return condition?.verdict === 'Blocked' && condition.reason === 'prerequisite';
}

/** Whether an enrollment waits for prerequisites that are all Active now. */
export function isUnlocked(state: AccountState, enrollment: EnrollmentId): boolean {
  return waitsForPrerequisite(state.conditions[enrollment]) && lastPrerequisite(state, enrollment) !== null;
}

/** The prerequisite that became Active last; `null` if one of them is not Active, or there are none. */
export function lastPrerequisite({ conditions }: AccountState, enrollment: EnrollmentId): Condition | null {
  const found = kindOf(enrollment).prerequisites.flatMap((id) => conditions[id] ?? []);
  if (found.length < kindOf(enrollment).prerequisites.length || found.some(({ status }) => status !== 'Active')) {
    return null;
  }
  return found.reduce<Condition | null>(
    (last, each) => (last !== null && last.changedAt > each.changedAt ? last : each),
    null,
  );
}
