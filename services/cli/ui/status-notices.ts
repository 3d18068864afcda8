import type { Status } from '../../../shared/app/queries/status.ts';
import { approvalText, rolloutText } from './enforcement-text.ts';
import type { StatusView } from './status-view.ts';
import { oneLine } from './table.ts';
import { ago, count, instant, number, shortHash } from './words.ts';
import { hang } from './wrap.ts';

/** What is unusual now: a running scan, what stopped the last run, approvals, work that was given up, and with `verbose` the queue and the rate limit. */
export function noticesText(found: Status, { output, now, verbose }: StatusView): string[] {
  const { trustedAccess, guardrail, rollout, approvals, queue } = found;
  const { dead } = queue;
  const lines = [
    ...scanningText(found.scanning),
    ...(trustedAccess?.enabled === false
      ? [`Trusted access has been off since ${instant(trustedAccess.since)}. Fix: rollcall doctor shows the command`]
      : []),
    ...(guardrail === null ? [] : [guardrailText(guardrail, output.program, isApproved(found, guardrail))]),
    ...(rollout === null ? [] : [rolloutText(rollout, output.program, isApproved(found, rollout))]),
    ...approvals.map(approvalText),
    ...outboxText(found.outbox, now),
    ...(dead === 0 ? [] : [`${count(dead, 'dead letter')} (work that was given up): ${output.program} dlq list`]),
  ];
  return [
    ...lines.flatMap((line) => hang('! ', line, output.width)),
    ...(verbose ? [queueText(found), `Rate limit: ${rateText(found.limiter)}`] : []),
  ];
}

function queueText({ queue: { visible, inFlight } }: Status): string {
  return `Queue: ${number(visible)} waiting, ${number(inFlight)} in flight`;
}

/** Entries that have waited too long for the event bus. */
function outboxText(outbox: Status['outbox'], now: number): string[] {
  if (outbox === null) return [];
  const { overdue, more, oldestAt, refusal } = outbox;
  const many = `${more ? 'more than ' : ''}${count(overdue, 'entry', 'entries')}`;
  const why =
    refusal === null ? 'no process publishes them' : `refused ${ago(refusal.at, now)}: ${oneLine(refusal.message)}`;
  return [`Event bus: ${many} waiting since ${instant(oldestAt)} (${ago(oldestAt, now)}); ${why}`];
}

function guardrailText(
  { reason, message, planHash }: NonNullable<Status['guardrail']>,
  program: string,
  approved: boolean,
): string {
  // An approval lifts only these two guardrails.
  const liftable = reason === 'maxChanges' || reason === 'rollout';
  const approve =
    liftable && planHash !== null && !approved
      ? `. To let this plan pass once: ${program} approve ${shortHash(planHash)}`
      : '';
  return `Guardrail ${reason ?? ''} stopped the last run: ${oneLine(message ?? '')}${approve}`;
}

function isApproved({ approvals }: Status, held: { readonly planHash: string | null }): boolean {
  return approvals.some(({ planHash }) => planHash === held.planHash);
}

/** A scan that is requested, running or interrupted. */
function scanningText(scanning: Status['scanning']): string[] {
  if (scanning === null) return [];
  const { runId, state, holder, until } = scanning;
  const scan = runId === null ? 'A scan' : `Run ${runId}`;
  const after = until === null ? 'now' : `after ${instant(until)}`;
  if (state === 'running')
    return [
      `${scan} is scanning, in process ${holder ?? '?'}; if that process has died, another may continue ${after}`,
    ];
  if (state === 'requested') return [`${scan} is requested; if it does not start, it will be requested again ${after}`];
  return [`${scan} was interrupted; the next tick or serve continues it`];
}

function rateText(limiter: Status['limiter']): string {
  const { total, ...operations } = limiter;
  const slowest = Object.entries(operations)
    .sort(([, a], [, b]) => a - b)
    .slice(0, 3);
  if (Object.keys(limiter).length === 0) return 'no calls yet';
  const limit = total === undefined ? 'adapts to what AWS accepts' : `at most ${number(total)} calls/s in total`;
  const slow = slowest.map(([name, rate]) => `${name} ${number(rate)}/s`).join(', ');
  return slow === '' ? limit : `${limit}; slowest ${slow}`;
}
