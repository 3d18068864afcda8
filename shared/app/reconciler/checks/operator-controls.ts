import { type CompiledControls, haltedText } from '../../../domain/decision/operator-controls.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import { type Asked, ChangeRefused, type Check, type CheckParts } from './check.ts';

/**
 * The kill switch and suspensions, read from the store right before the call, so that a setting made by any process before that applies to it.
 * The organization-wide call reaches every account, so any suspension blocks it.
 */
export function controls({ deps, controls: view }: CheckParts): Check {
  return {
    urgent: true,
    async ask({ accountIds, wide = false, stage }: Asked) {
      const now = deps.clock.now();
      // Before the claim a value up to a second old is enough: this check runs again right before the call.
      const set = await (stage === 'claim' ? view.recent() : view.now());
      if (set.halt !== null) throw new ChangeRefused('halted', haltedText(set.halt));
      const [one] = set.inForce(now);
      if (one === undefined) return;
      if (wide)
        throw new ChangeRefused(
          'suspendedByOperator',
          `${one.selector} is suspended, and the call would reach every account`,
        );
      for (const id of accountIds) await requireNotSuspended(deps, set, id, now);
    },
  };
}

/** An account without a snapshot can only be suspended by its id. */
async function requireNotSuspended(
  deps: CheckParts['deps'],
  set: CompiledControls,
  id: AccountId,
  now: number,
): Promise<void> {
  const facts = (await deps.snapshots.get(id)) ?? {
    ...{ id, name: '', ou: '', state: 'ACTIVE' as const, management: false, tags: null },
  };
  const suspension = set.suspensionOf(facts, now);
  if (suspension !== null) throw new ChangeRefused('suspendedByOperator', suspension.reason, suspension.until);
}
