import type { Status } from '../../../shared/app/queries/status.ts';
import { shortReason } from '../../../shared/domain/enrollment/explain-status.ts';
import { TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Status as StatusWord } from '../../../shared/domain/enrollment/status.ts';
import { driftSummary } from './drift-text.ts';
import { haltText, suspensionText, windowText } from './enforcement-text.ts';
import { configurationTable } from './status-configurations.ts';
import { noticesText } from './status-notices.ts';
import type { StatusView } from './status-view.ts';
import { complianceTable, paintStatus } from './statuses.ts';
import { oneLine, table } from './table.ts';
import { age, ago, count, upcoming } from './words.ts';
import { wrap } from './wrap.ts';

/** The state of the organization: what stops changes, counts, what needs attention, what waits, and a summary in one line. */
export function statusText(found: Status, view: StatusView): string[] {
  const { output, now } = view;
  const { openDrift, halted, suspensions, lastScan } = found;
  return [
    ...haltText(halted, openDrift.due, output),
    ...wrap(headerText(found, view), output.width),
    ...noticesText(found, view),
    '',
    ...complianceTable(found.statuses, output.style, view.since),
    ...spaced(attentionText(found, view), waitingText(found, view), unknownText(found, view)),
    ...suspensions.flatMap((each) => wrap(`Suspended: ${suspensionText(each)}`, output.width, 2)),
    ...configurationTable(found.configurations, output),
    ...wrap(driftSummary(openDrift, { now, scanned: lastScan.completedAt !== null }), output.width, 2),
  ];
}

/** Sections after an empty line; nothing if all are empty. */
function spaced(...sections: readonly (readonly string[])[]): string[] {
  const lines = sections.flat();
  return lines.length === 0 ? [] : ['', ...lines];
}

function headerText({ organizationId, lastScan, nextScan, window }: Status, { now, policyFile }: StatusView): string {
  const { completedAt, startedAt } = lastScan;
  const last =
    completedAt === null
      ? startedAt === null
        ? 'not scanned yet'
        : 'first scan not complete'
      : `last scan ${ago(completedAt, now)}`;
  const next =
    nextScan === null
      ? 'not scheduled'
      : Date.parse(nextScan) <= now
        ? 'due now'
        : `in ${age(Date.parse(nextScan) - now)}`;
  const opening = windowText(window, now);
  return [
    ...(organizationId === null ? [] : [organizationId]),
    ...(policyFile === null ? [] : [oneLine(policyFile)]),
    last,
    // The schedule is in the policy.
    ...(policyFile === null ? [] : [`next scan: ${next}`]),
    ...(opening === null ? [] : [opening]),
  ].join(' · ');
}

type Group = Status['open'][number];

function attentionText({ attention, openDrift, open }: Status, view: StatusView): string[] {
  const { needAttention } = openDrift;
  const { accounts, oldest } = attention;
  if (needAttention === 0) return [];
  const { output, now } = view;
  const heading = `${paintStatus(output.style, 'Needs attention')}: ${count(needAttention, 'drift')} in ${count(accounts, 'account')}`;
  const next = '  Next: rollcall account ID shows the cause and what to do';
  if (accounts > oldest.length) {
    const list = '  Next: rollcall accounts --status needs-attention lists them';
    return [heading, ...groupLines(groupsOf(open, 'Needs attention'), view), list];
  }
  const rows = oldest.flatMap(({ accountId, name, enrollments }) =>
    enrollments.map(({ enrollment, reason, since }, n) => {
      const about = shortReason({ enrollment, reason, status: 'Needs attention' });
      const old = reason === 'prerequisite' ? '' : ` (${age(now - Date.parse(since))})`;
      return [n === 0 ? accountId : '', n === 0 ? name : '', `${TITLES[enrollment]}: ${about}${old}`];
    }),
  );
  const columns = [{ title: '' }, { title: '', shrinks: true }, { title: '', wraps: true }];
  return [heading, ...table(columns, rows, output.width, { indent: 2, titles: false }), next];
}

function waitingText({ openDrift, open }: Status, view: StatusView): string[] {
  const { waiting } = openDrift;
  if (waiting === 0) return [];
  const heading = `${paintStatus(view.output.style, 'Waiting')}: ${count(waiting, 'drift')}`;
  return [heading, ...groupLines(groupsOf(open, 'Waiting'), view)];
}

function unknownText({ open }: Status, view: StatusView): string[] {
  const groups = groupsOf(open, 'Unknown');
  if (groups.length === 0) return [];
  return [`${paintStatus(view.output.style, 'Unknown')}:`, ...groupLines(groups, view)];
}

function groupsOf(open: readonly Group[], status: StatusWord): readonly Group[] {
  return open.filter((group) => group.status === status);
}

/** Accounts by cause, one line for each. */
function groupLines(groups: readonly Group[], { output, now }: StatusView): string[] {
  const rows = groups.map((group) => [
    count(group.accounts, 'account'),
    `${TITLES[group.enrollment]}: ${causeText(group, now)}`,
  ]);
  return table([{ title: '' }, { title: '', wraps: true }], rows, output.width, { indent: 2, titles: false });
}

function causeText(group: Group, now: number): string {
  const { notBefore, accounts } = group;
  const reason = shortReason(group);
  if (notBefore === null || Date.parse(notBefore) <= now || group.status !== 'Waiting') return reason;
  return `${reason}${accounts === 1 ? '' : ', the first'} until ${upcoming(notBefore, now)}`;
}
