import { fullSummary } from '../../../shared/app/queries/plan-document.ts';
import type { Status } from '../../../shared/app/queries/status.ts';
import { TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import { DRIFT_VERDICTS } from '../../../shared/domain/enrollment/verdict.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { loadPolicyIfAny, withStore } from '../session.ts';
import { approvalText, haltText, rolloutText, suspensionText, windowText } from '../ui/enforcement-text.ts';
import { configurationTable } from '../ui/status-configurations.ts';
import { paintStatus, statusTable } from '../ui/statuses.ts';
import { table } from '../ui/table.ts';
import { ago, count, instant, number } from '../ui/words.ts';

export async function runStatus(context: CliContext, file: string | undefined): Promise<number> {
  const { output, clock } = context;
  const loaded = await loadPolicyIfAny(context, file);
  const [{ status }, { busOf }, deployedBus] = await Promise.all([
    import('../../../shared/app/queries/status.ts'),
    import('../../../shared/app/notifications/outbox-state.ts'),
    context.store.eventBus(),
  ]);
  const policy = loaded?.policy ?? null;
  const bus = busOf(policy, deployedBus);
  const found = await withStore(context, true, (store) => status(store, { policy, now: clock.now(), bus }));
  output.result({ ...found, summary: fullSummary(found.summary) }, () => statusText(found, context));
  return statusExit(found);
}

function statusText(found: Status, { output, clock }: CliContext): string[] {
  const { style, width } = output;
  const { lastScan, queue, limiter, open, trustedAccess } = found;
  const now = clock.now();
  return [
    `Last scan: ${scanText(lastScan, now)}`,
    ...scanningText(found.scanning),
    `Queue: ${number(queue.visible)} waiting, ${number(queue.inFlight)} in flight, ${count(queue.dead, 'dead letter')}`,
    `Rate limit: ${rateText(limiter)}`,
    ...(trustedAccess?.enabled === false ? [`Trusted access: OFF since ${instant(trustedAccess.since)}`] : []),
    ...(found.guardrail === null ? [] : [guardrailText(found.guardrail, isApproved(found, found.guardrail))]),
    ...(found.rollout === null ? [] : [rolloutText(found.rollout, isApproved(found, found.rollout))]),
    ...enforcementText(found),
    ...outboxText(found.outbox, now),
    '',
    ...statusTable(found.statuses, style),
    ...driftText(found.openDrift, now),
    ...(open.length === 0 ? [] : ['', 'Not compliant:', ...openTable(open, style, width)]),
    ...configurationTable(found.configurations, output),
  ];
}

function driftText({ enrollments, oldestSince }: Status['openDrift'], now: number): string[] {
  if (oldestSince === null) return [];
  return [
    '',
    `Open drift: ${count(enrollments, 'enrollment')}, the oldest since ${instant(oldestSince)} (${ago(oldestSince, now)})`,
  ];
}

/** Everything that currently prevents or permits changes. */
function enforcementText({ halted, suspensions, window, approvals }: Status): string[] {
  return [
    ...approvals.map(approvalText),
    ...haltText(halted),
    ...windowText(window),
    ...suspensions.map(suspensionText),
  ];
}

/** Entries that have waited too long for the event bus. */
function outboxText(outbox: Status['outbox'], now: number): string[] {
  if (outbox === null) return [];
  const { overdue, more, oldestAt, refusal } = outbox;
  const many = `${more ? 'more than ' : ''}${count(overdue, 'entry', 'entries')}`;
  const why = refusal === null ? 'no process publishes them' : `refused ${ago(refusal.at, now)}: ${refusal.message}`;
  return [`Event bus: ${many} waiting since ${instant(oldestAt)} (${ago(oldestAt, now)}); ${why}`];
}

function guardrailText({ reason, message, planHash }: NonNullable<Status['guardrail']>, approved: boolean): string {
  // An approval lifts only these two guardrails.
  const liftable = reason === 'maxChanges' || reason === 'rollout';
  const approve = liftable && planHash !== null && !approved ? `; rollcall approve ${planHash}` : '';
  return `Guardrail: ${reason ?? ''}: ${message ?? ''}${approve}`;
}

function isApproved({ approvals }: Status, held: { readonly planHash: string | null }): boolean {
  return approvals.some(({ planHash }) => planHash === held.planHash);
}

/** A scan that is requested, running or interrupted. */
function scanningText(scanning: Status['scanning']): string[] {
  if (scanning === null) return [];
  const { runId, state, holder, until } = scanning;
  const scan = runId === null ? 'a scan' : `run ${runId}`;
  const after = until === null ? 'now' : `after ${instant(until)}`;
  if (state === 'running')
    return [`Scanning: ${scan}, process ${holder ?? '?'}; if that process has died, another may continue ${after}`];
  if (state === 'requested')
    return [`Scanning: ${scan} is requested; if it does not start, it will be requested again ${after}`];
  return [`Scanning: ${scan} was interrupted; the next tick or serve continues it`];
}

function scanText({ startedAt, completedAt, runId }: Status['lastScan'], now: number): string {
  if (startedAt === null) return 'none yet';
  const started = `started ${instant(startedAt)} (${ago(startedAt, now)})`;
  if (completedAt === null) return `${started}, not completed yet`;
  const complete = `completed ${instant(completedAt)} (${ago(completedAt, now)}), run ${runId ?? '?'}`;
  return startedAt > completedAt ? `${complete}; another ${started}` : complete;
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

function openTable(open: Status['open'], style: CliContext['output']['style'], width: number | null): string[] {
  const columns = [
    { title: 'ACCOUNTS', align: 'right' as const },
    { title: 'ENROLLMENT' },
    { title: 'STATUS', paint: (text: string) => paintStatus(style, text) },
    { title: 'REASON', shrinks: true },
    { title: 'NOT BEFORE', dropOrder: 2 },
    { title: 'FOR EXAMPLE', shrinks: true, dropOrder: 1 },
  ];
  const rows = open.map(({ accounts, enrollment, status, message, notBefore, examples }) => [
    number(accounts),
    TITLES[enrollment],
    status,
    message ?? '',
    notBefore === null ? '' : instant(notBefore),
    examples.join(' '),
  ]);
  return table(columns, rows, width);
}

/**
 * As for `plan`: 2 for drift, whatever delays its fix; 3 for dead letters, and for accounts whose status is unknown although these
 * credentials could read it.
 */
function statusExit({ open, queue }: Status): number {
  const has = (...verdicts: readonly string[]): boolean =>
    open.some(({ verdict, reason }) => verdicts.includes(verdict) && reason !== 'callerCannotRead');
  if (has(...DRIFT_VERDICTS)) return EXIT.drift;
  return has('Unknown') || queue.dead > 0 ? EXIT.partly : EXIT.ok;
}
