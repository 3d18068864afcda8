import type { RolloutView } from '../../../shared/app/guardrails/rollout-gate.ts';
import { oneLine } from './table.ts';
import { count } from './words.ts';

/**
 * The state of a canary rollout that has not finished.
 * @param approved an operator has already approved the remaining changes
 */
export function rolloutText({ phase, canaries, message, planHash }: RolloutView, approved = false): string {
  const approve = phase === 'blocked' && planHash !== null && !approved ? `: rollcall approve ${planHash}` : '';
  return `Rollout: ${count(canaries, 'canary', 'canaries')} first; ${oneLine(message)}${approve}.`;
}
