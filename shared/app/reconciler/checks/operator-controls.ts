import { type CompiledControls, haltedText } from '../../../domain/decision/operator-controls.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import { type Asked, ChangeRefused, type Check, type CheckParts } from './check.ts';

/**
 * The kill switch and suspensions, read from the store at this moment: whatever was set before the call leaves holds for it, by whichever
 * process it was set. The organization-wide call touches every account, so any suspension at all is in its way.
 */
export function controls({ deps, controls: view }: CheckParts): Check {
  return {
    urgent: true,
    async ask({ accountIds, wide = false, stage }: Asked) {
      const now = deps.clock.now();
      // Before anything is claimed a look that is a moment old will do: right before the call it is asked again.
      const set = await (stage === 'claim' ? view.recent() : view.now());
      if (set.halt !== null) throw new ChangeRefused('halted', haltedText(set.halt));
      const [one] = set.inForce(now);
      if (one === undefined) return;
      if (wide)
        throw new ChangeRefused('suspendedByOperator', `${one.selector} is suspended, and the call would touch all`);
      for (const id of accountIds) await askFor(deps, set, id, now);
    },
  };
}

/** An account that no snapshot has can only be suspended by its id. */
async function askFor(deps: CheckParts['deps'], set: CompiledControls, id: AccountId, now: number): Promise<void> {
  const facts = (await deps.snapshots.get(id)) ?? {
    ...{ id, name: '', ou: '', state: 'ACTIVE' as const, management: false, tags: null },
  };
  const suspension = set.suspensionOf(facts, now);
  if (suspension !== null) throw new ChangeRefused('suspendedByOperator', suspension.reason, suspension.until);
}
