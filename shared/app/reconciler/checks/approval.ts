import { useApproval } from '../../guardrails/approvals.ts';
import type { Check, CheckParts } from './check.ts';

/** Uses an approval up with its run's first mutating call: a run that something else holds up before has not used it. */
export function approval({ deps: { registers, clock } }: CheckParts): Check {
  const used = new Set<string>();
  return {
    ask: async () => undefined,
    async passed({ run: { runId, planHash: bound, approvedUntil }, planHash, stage }) {
      if (stage !== 'call' || planHash === null || planHash !== bound) return;
      if (approvedUntil === null || used.has(runId)) return;
      await useApproval(registers, planHash, runId, clock.now());
      used.add(runId);
    },
  };
}
