import { readGate } from '../../guardrails/rollout-gate.ts';
import { ChangeRefused, type Check, type CheckParts } from './check.ts';

/** While the gate of a rollout is closed, only canaries are changed. Once open, it stays open for the policy. */
export function rollout({ deps: { registers, snapshots }, policy }: CheckParts): Check {
  let open = policy.policy.rollout === null;
  return {
    async ask({ accountIds }) {
      if (open) return;
      const gate = await readGate(registers, policy);
      if (!gate.closed) {
        open = true;
        return;
      }
      for (const accountId of accountIds) {
        const known = await snapshots.get(accountId);
        if (known === null || !policy.canDecide(known) || !policy.isCanary(known))
          throw new ChangeRefused('rollout', gate.message, gate.notBefore);
      }
    },
  };
}
