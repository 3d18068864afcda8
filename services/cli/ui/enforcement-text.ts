import type { RolloutView } from '../../../shared/app/guardrails/rollout-gate.ts';
import type {
  ApprovalView,
  HaltView,
  SuspensionView,
  WindowView,
} from '../../../shared/app/queries/enforcement-view.ts';
import { oneLine } from './table.ts';
import { count, instant } from './words.ts';

const because = (reason: string | null): string => (reason === null ? '' : `: ${oneLine(reason)}`);

export function haltText(halted: HaltView): string[] {
  return halted === null
    ? []
    : [`Halted since ${instant(halted.at)} by ${oneLine(halted.by)}${because(halted.reason)}`];
}

export function windowText(window: WindowView): string[] {
  if (window === null) return [];
  const { open, opensAt, closesAt } = window;
  if (open) return [`Change window: open${closesAt === null ? '' : ` until ${instant(closesAt)}`}`];
  const closed = opensAt === null ? 'closed; no opening is scheduled' : `closed until ${instant(opensAt)}`;
  return [`Change window: ${closed}`];
}

export function suspensionText({ selector, until, by, reason }: SuspensionView): string {
  const end = until === null ? 'until resumed' : `until ${instant(until)}`;
  return `Suspended: ${oneLine(selector)} ${end}, by ${oneLine(by)}${because(reason)}`;
}

export function approvalText({ planHash, actor, reason, expiresAt }: ApprovalView): string {
  const plan = planHash.slice(0, 12);
  return `Approved: plan ${plan} by ${oneLine(actor)}${because(reason)}; the next run makes its changes; the approval expires ${instant(expiresAt)}`;
}

/**
 * The state of a canary rollout that has not finished.
 * @param approved an operator has already approved the remaining changes
 */
export function rolloutText({ phase, canaries, message, planHash }: RolloutView, approved = false): string {
  const approve = phase === 'blocked' && planHash !== null && !approved ? `: rollcall approve ${planHash}` : '';
  return `Rollout: ${count(canaries, 'canary', 'canaries')} first; ${oneLine(message)}${approve}.`;
}
