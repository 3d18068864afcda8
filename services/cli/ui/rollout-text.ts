import type { RolloutView } from '../../../shared/app/guardrails/rollout-gate.ts';
import { oneLine } from './table.ts';
import { count } from './words.ts';

/**
 * The gate of a policy's first run, as long as it is closed.
 * @param approved an operator has approved the rest already
 */
export function rolloutText({ phase, canaries, message, planHash }: RolloutView, approved = false): string {
  const approve = phase === 'blocked' && planHash !== null && !approved ? `: rollcall approve ${planHash}` : '';
  return `Rollout: ${count(canaries, 'canary', 'canaries')} first; ${oneLine(message)}${approve}.`;
}
