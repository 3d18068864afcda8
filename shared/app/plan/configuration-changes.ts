import type { ConfigurationCall } from '../../domain/decision/configuration-calls.ts';
import { type Change, type PlannedCall, plannedCalls, toChange } from '../../domain/decision/plan.ts';
import { totalCalls } from '../../domain/decision/plan-totals.ts';
import { ASSOCIABLE, type Operation } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { Survey } from '../survey/survey.ts';
import { type DecidedConfigurations, operationOf } from './planned-configurations.ts';

/** How a call for a configuration makes the change of one account. */
interface Made {
  readonly operation: Operation;
  readonly optOut: boolean;
  /** The call is made now, and with it all of its changes. */
  readonly due: boolean;
}

/** Assigns changes to the calls for configurations, and adds the accounts that the calls change although they comply. */
export function withConfigurations(
  changes: readonly Change[],
  { calls }: Pick<DecidedConfigurations, 'calls'>,
  survey: Survey,
  { now, windowOpen }: { readonly now: EpochMs; readonly windowOpen: boolean },
): Change[] {
  const changeOf = new Map(changes.flatMap((change) => (isAssociable(change) ? [[change.accountId, change]] : [])));
  const made = new Map<AccountId, Made>();
  const reached = new Map<AccountId, Operation>();
  let due = windowOpen;
  for (const call of calls) {
    // A later call may rely on the earlier ones, so a call that is not ready also delays all calls after it.
    due &&= isReady(call, changeOf, now);
    for (const [id, optOut] of call.accounts)
      if (!made.has(id)) made.set(id, { operation: operationOf(call), optOut, due });
    for (const id of call.reached) reached.set(id, operationOf(call));
  }
  const assigned = changes.map((change): Change => {
    const by = isAssociable(change) ? made.get(change.accountId) : undefined;
    if (by !== undefined) return assign(change, by, windowOpen);
    const later = isAssociable(change) ? reached.get(change.accountId) : undefined;
    return later === undefined || change.heldAction === 'none'
      ? change
      : { ...change, heldAction: later, scope: 'configuration' };
  });
  const others = survey.associable.flatMap(({ account, assessment }) => {
    const by = changeOf.has(account.id) ? undefined : made.get(account.id);
    return by === undefined ? [] : [assign(toChange(assessment, account), by, windowOpen)];
  });
  return [...assigned, ...others];
}

const isAssociable = ({ enrollment }: Change): boolean => enrollment === ASSOCIABLE;

/**
 * Whether the call need not wait. A call that changes accounts waits until at least one of them may be changed; a call for joiners only never waits.
 */
function isReady({ accounts }: ConfigurationCall, changeOf: ReadonlyMap<AccountId, Change>, now: EpochMs): boolean {
  if (accounts.size === 0) return true;
  return [...accounts.keys()].some((id) => {
    const notBefore = changeOf.get(id)?.notBefore ?? null;
    return notBefore === null || Date.parse(notBefore) <= now;
  });
}

function assign(change: Change, { operation, optOut, due }: Made, windowOpen: boolean): Change {
  const moved: Change = { ...change, scope: 'configuration', optOut };
  if (due) return { ...moved, ...unblocked(change), action: operation, heldAction: 'none', notBefore: null };
  const waits = windowOpen || change.reason === 'window' ? {} : { reason: 'window' };
  return { ...moved, ...waits, action: 'none', heldAction: operation };
}

/** Clears the reason why the account was Blocked, because that reason does not apply to the call. */
function unblocked({ verdict }: Change): Partial<Change> {
  if (verdict !== 'Blocked') return {};
  return { verdict: 'Drifted', status: 'Drifted', reason: 'ruleModeDiffers', message: null };
}

/** The calls that are made now, by operation. */
export function configurationCallsOf(
  due: readonly Change[],
  { calls }: Pick<DecidedConfigurations, 'calls'>,
): PlannedCall[] {
  const changed = new Set(due.filter(({ scope }) => scope === 'configuration').map(({ accountId }) => accountId));
  const counts = new Map<Operation, PlannedCall>();
  const none = { enrollment: ASSOCIABLE, scope: 'configuration', accounts: 0, calls: 0 } as const;
  for (const call of calls) {
    const operation = operationOf(call);
    const known = counts.get(operation) ?? { ...none, operation };
    const accounts = [...call.accounts.keys()].filter((id) => changed.has(id)).length;
    if (accounts === 0 && call.accounts.size > 0) continue;
    counts.set(operation, { ...known, accounts: known.accounts + accounts, calls: known.calls + 1 });
  }
  return [...counts.values()];
}

/** The calls that the same changes would need without configurations. @param before the changes as they were without them */
export function callsInstead(before: readonly Change[], after: readonly Change[]): number {
  const moved = new Set(after.filter(({ scope }) => scope === 'configuration').map(({ accountId }) => accountId));
  const others = before
    .filter((change) => isAssociable(change) && moved.has(change.accountId))
    .map((change) => (change.action === 'none' ? { ...change, action: change.heldAction } : change));
  return totalCalls(plannedCalls(others));
}
