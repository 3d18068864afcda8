import { useApproval } from '../../guardrails/approvals.ts';
import type { Check, CheckParts } from './check.ts';

/** Uses up an approval with the first mutating call of its run. A run that another check blocks before that has not used it. */
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
