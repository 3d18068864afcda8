import type { AccountState, Condition } from '../enrollment/condition.ts';
import { byKind, type EnrollmentId, kindsInUse } from '../enrollment/kinds/index.ts';
import { isDrift } from '../enrollment/verdict.ts';

/** An account's state as records and checkpoints store it. A document from before a kind was added lacks that kind. */
export interface StoredState extends Readonly<Partial<Record<EnrollmentId, Condition | null>>> {
  readonly present: boolean;
}

export function toStoredState({ present, conditions }: AccountState): StoredState {
  const stored: Partial<Record<EnrollmentId, Condition | null>> = {};
  for (const { id } of kindsInUse((each) => conditions[each] !== null)) stored[id] = conditions[id];
  return { present, ...stored };
}

export function fromStoredState(stored: StoredState): AccountState {
  const { present } = stored;
  return {
    present,
    conditions: byKind((id) => (present ? withDriftSince(stored[id] ?? null) : (stored[id] ?? null))),
  };
}

/** Versions before 0.2 did not keep when a blocked, stalled or given-up drift began. Such a drift counts from its present verdict. */
function withDriftSince(condition: Condition | null): Condition | null {
  if (condition === null || condition.driftSince !== null || !isDrift(condition.verdict)) return condition;
  return { ...condition, driftSince: condition.since };
}
