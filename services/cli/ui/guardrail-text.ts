import type { HaltView } from '../../../shared/app/queries/enforcement-view.ts';
import type { CapLimit, Trip } from '../../../shared/domain/decision/guardrails.ts';
import type { CompiledPolicy } from '../../../shared/domain/policy/index.ts';
import { oneLine } from './table.ts';
import { actorText, count, instant, number } from './words.ts';

type Guardrails = CompiledPolicy['policy']['guardrails'];

/** `halted by user/ops at 2026-12-01 09:41 UTC: "checking invoice"`. */
export function haltedBy({ by, at, reason }: NonNullable<HaltView>): string {
  return `halted by ${actorText(by)} at ${instant(at)}${reason === null ? '' : `: "${oneLine(reason)}"`}`;
}

/** `this plan changes 72 accounts; the limit is 23 in 24 hours (20% of 118)`: why a guardrail trips. */
export function tripText({ reason, message, limit }: Trip, guardrails: Guardrails, subject = 'this plan'): string {
  if (limit === undefined) return message;
  const does =
    reason === 'maxOptOuts'
      ? `opts ${count(limit.accounts, 'account')} out`
      : `changes ${count(limit.accounts, 'account')}`;
  const earlier = limit.within24Hours - limit.accounts;
  const others = earlier === 0 ? '' : `, and ${number(earlier)} more were changed in the last 24 hours`;
  const cap = reason === 'maxOptOuts' ? guardrails.maxOptOuts : guardrails.maxChanges;
  return `${subject} ${does}${others}; the limit is ${limitText(limit, cap)}`;
}

export const OPT_OUT_ADVICE =
  'Opting out deletes data, so only a higher guardrails.maxOptOuts in the policy permits it.';

/** `23 in 24 hours (20% of 118)`. */
function limitText({ allowed, inScope }: CapLimit, { percent, atLeast }: Guardrails['maxChanges']): string {
  if (allowed === 0) return '0';
  const source = allowed === atLeast ? `atLeast: ${atLeast}` : `${percent}% of ${number(inScope)}`;
  return `${number(allowed)} in 24 hours (${source})`;
}
