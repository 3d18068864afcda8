import { type Change, intendedAction, type SavedChange } from '../../domain/decision/plan.ts';
import { actionFor, actionOf, ENROLLMENT_IDS, type EnrollmentId, kindOf } from '../../domain/enrollment/kinds/index.ts';
import type { KindAction } from '../../domain/enrollment/kinds/kind.ts';

/** Identifies a change across runs: account, enrollment kind, desired state and action. */
export function changeKey(
  change: Pick<Change, 'accountId' | 'enrollment' | 'desired' | 'desiredRuleMode' | 'action' | 'heldAction'>,
): string {
  const { accountId, enrollment, desired, desiredRuleMode } = change;
  return [accountId, enrollment, desired, desiredRuleMode, intendedAction(change)].join(' ');
}

/** The inverse of {@link changeKey}. An absent desired state is an empty word in the key. */
export function parseKey(key: string): ChangeParts | null {
  const [accountId, name, desired, desiredRuleMode, action] = key.split(' ');
  const enrollment = ENROLLMENT_IDS.find((each) => each === name);
  if (accountId === undefined || enrollment === undefined || action === undefined) return null;
  return { accountId, enrollment, desired: desired || null, desiredRuleMode: desiredRuleMode || null, action };
}

export interface ChangeParts {
  readonly accountId: string;
  readonly enrollment: EnrollmentId;
  readonly desired: string | null;
  readonly desiredRuleMode: string | null;
  readonly action: string;
}

/** The keys of a plan's changes, including those that still have to wait. A run that is bound to the plan may make only these. */
export function keysOf(changes: readonly SavedChange[]): string[] {
  return changes.filter((change) => intendedAction(change) !== 'none').map(changeKey);
}

type Effect = KindAction['effect'];

/** By the effect of a call: the effects of earlier calls for the same account and desired state that make it possible. */
type EarlierCalls = Partial<Record<Effect, readonly Effect[]>>;

const OF_THE_ACCOUNT: EarlierCalls = { setStatus: ['disassociate'] };
const OF_ANY_TARGET: EarlierCalls = {
  disassociate: ['deleteConfiguration'],
  setStatus: ['deleteConfiguration', 'disassociate'],
};

/** Whether a plan's keys allow a change: they name its call, or an earlier call that makes it possible. */
export function allows(keys: ReadonlySet<string>, change: Change): boolean {
  return hasCall(keys, change, OF_ANY_TARGET);
}

/**
 * Whether a run that is bound to these keys will make a change by itself. A call for a configuration names no account, so the run has work left only for
 * the accounts that the call has changed. Other accounts that it frees are left to the next scan.
 */
export function willMake(keys: ReadonlySet<string>, change: Change): boolean {
  return hasCall(keys, change, OF_THE_ACCOUNT);
}

function hasCall(keys: ReadonlySet<string>, change: Change, earlierCalls: EarlierCalls): boolean {
  if (keys.has(changeKey(change))) return true;
  const { enrollment, action } = change;
  if (!kindOf(enrollment).hasRuleMode) return false;
  const effect = actionOf(enrollment, action)?.effect;
  const earlier = effect === undefined ? [] : (earlierCalls[effect] ?? []);
  return earlier.some((each) => keys.has(changeKey({ ...change, action: actionFor(enrollment, each).operation })));
}
