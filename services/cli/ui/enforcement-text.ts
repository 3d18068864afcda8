import type { RolloutView } from '../../../shared/app/guardrails/rollout-gate.ts';
import type {
  ApprovalView,
  HaltView,
  SuspensionView,
  WindowView,
} from '../../../shared/app/queries/enforcement-view.ts';
import type { Output } from './output.ts';
import { oneLine } from './table.ts';
import { actorText, count, endText, instant, shortHash, upcoming } from './words.ts';
import { wrap } from './wrap.ts';

const because = (reason: string | null): string => (reason === null ? '' : `: "${oneLine(reason)}"`);

/** Who halted all changes, when and why; in red. @param held number of changes that the halt holds back */
export function haltText(
  halted: HaltView,
  held: number,
  { style, width, program }: Pick<Output, 'style' | 'width' | 'program'>,
): string[] {
  if (halted === null) return [];
  const waiting = held === 0 ? '' : ` ${count(held, 'change is', 'changes are')} held.`;
  const since = `HALTED since ${instant(halted.at)} by ${actorText(halted.by)}${because(halted.reason)}.`;
  const text = `${since} Scans and alerts continue.${waiting} To allow changes: ${program} resume`;
  return wrap(text, width).map((line) => style('red', line));
}

/** When changes may be made, for the first line of `status`; `null`: always. */
export function windowText(window: WindowView, now: number): string | null {
  if (window === null) return null;
  const { open, opensAt, closesAt } = window;
  if (open) return closesAt === null ? 'change window open' : `change window open until ${upcoming(closesAt, now)}`;
  return opensAt === null
    ? 'change window closed; no opening is scheduled'
    : `next change window ${upcoming(opensAt, now)}`;
}

/** What is suspended until when: `/Canary (4 accounts) until the end of 2026-12-11 UTC`. */
export function suspensionText({ selector, until, accounts }: SuspensionView): string {
  const many = accounts === null || isCounted(selector) ? '' : ` (${count(accounts, 'account')})`;
  return `${selectorText(selector)}${many} ${until === null ? 'until resumed' : `until ${endText(until)}`}`;
}

/** Accounts that are named by id: up to 3 of them, otherwise their number. */
function selectorText(selector: string): string {
  const ids = selector.split(',');
  if (isCounted(selector) && ids.length > 3) return count(ids.length, 'account');
  return oneLine(selector.replace(/^ou:/, '').replaceAll(',', ', '));
}

const isCounted = (selector: string): boolean => /^\d{12}(,\d{12})*$/.test(selector);

export function approvalText({ planHash, actor, reason, expiresAt }: ApprovalView): string {
  const by = `Approved: plan ${shortHash(planHash)} by ${actorText(actor)}${because(reason)}`;
  return `${by}; the next run makes its changes; the approval expires ${instant(expiresAt)}`;
}

/**
 * The state of a canary rollout that has not finished.
 * @param approved an operator has already approved the remaining changes
 */
export function rolloutText(
  { phase, canaries, message, planHash }: RolloutView,
  program: string,
  approved = false,
): string {
  const approve = phase === 'blocked' && planHash !== null && !approved ? `: ${program} approve ${planHash}` : '';
  return `Rollout: ${count(canaries, 'canary', 'canaries')} first; ${oneLine(message)}${approve}.`;
}
