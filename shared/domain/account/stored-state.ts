import type { AccountState, Condition } from '../enrollment/condition.ts';
import { byKind, ENROLLMENT_IDS, type EnrollmentId } from '../enrollment/kinds/index.ts';
import { isDrift } from '../enrollment/verdict.ts';

/**
 * An account's state as records and checkpoints store it: one top-level member per enrollment kind. A document from before a kind was
 * added lacks its member.
 */
export interface StoredState extends Readonly<Partial<Record<EnrollmentId, Condition | null>>> {
  readonly present: boolean;
}

export function toStoredState({ present, conditions }: AccountState): StoredState {
  return { present, ...conditions };
}

export function fromStoredState(stored: StoredState): AccountState {
  return withDriftSince({ present: stored.present, conditions: byKind((id) => stored[id] ?? null) });
}

/**
 * Adds the start of each drift to records and checkpoints that were stored before 0.2. Those lost it when a drift was blocked, stalled or given up, so
 * such a drift counts from the start of its present verdict.
 */
function withDriftSince(state: AccountState): AccountState {
  const { present, conditions } = state;
  if (!present || !ENROLLMENT_IDS.some((id) => lacksDriftSince(conditions[id]))) return state;
  return { ...state, conditions: byKind((id) => addDriftSince(conditions[id])) };
}

function lacksDriftSince(condition: Condition | null): condition is Condition {
  return condition !== null && condition.driftSince === null && isDrift(condition.verdict);
}

function addDriftSince(condition: Condition | null): Condition | null {
  return lacksDriftSince(condition) ? { ...condition, driftSince: condition.since } : condition;
}
