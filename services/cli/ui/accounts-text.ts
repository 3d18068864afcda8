import type { Cell } from '../../../shared/app/queries/account-rows.ts';
import type { RankedAccount, RankedAccounts } from '../../../shared/app/queries/ranked-accounts.ts';
import { csvRow } from '../../../shared/domain/csv.ts';
import { shortReason } from '../../../shared/domain/enrollment/explain-status.ts';
import { type EnrollmentId, TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Status } from '../../../shared/domain/enrollment/status.ts';
import type { Output, Style } from './output.ts';
import { paintStatus } from './statuses.ts';
import { table } from './table.ts';
import { age, count, number, stateText } from './words.ts';
import { wrap } from './wrap.ts';

/** One line for each account, and a line that sums them up. */
export function accountsTable(
  found: RankedAccounts,
  { style, width }: Pick<Output, 'style' | 'width'>,
  now: number,
): string[] {
  const { accounts, kinds } = found;
  if (accounts.length === 0) return emptyText(found);
  const columns = [
    { title: 'ACCOUNT' },
    { title: 'NAME', shrinks: true },
    ...kinds.map((id) => ({ title: TITLES[id].toUpperCase(), paint: (text: string) => paintStatus(style, text) })),
    { title: 'AGE', align: 'right' as const, dropOrder: 3 },
    { title: 'OU', shrinks: true, dropOrder: 2 },
    { title: 'RULE', shrinks: true, dropOrder: 1 },
  ];
  const rows = accounts.map(({ row, cells, driftSince }) => [
    row.accountId,
    row.name,
    ...kinds.map((id) => statusText(row[id])),
    ageText(driftSince, now),
    row.ou,
    [...new Set(cells.flatMap(({ cell }) => cell.rule ?? []))].join(', '),
  ]);
  return [...table(columns, rows, width), ...wrap(summaryText(found), width)];
}

const statusText = (cell: Cell | null): string => cell?.complianceStatus ?? 'Unknown';
const ageText = (since: string | null, now: number): string => (since === null ? '' : age(now - Date.parse(since)));

function emptyText({ all }: RankedAccounts): string[] {
  return all === 0
    ? ['No account is known yet.', 'Next: rollcall scan']
    : [`None of ${count(all, 'account')} matches.`];
}

const WORDS: Readonly<Partial<Record<Status, string>>> = { 'Needs attention': 'need attention' };

/** `120 accounts: 2 need attention, 3 drifted`; with filters `5 of 120 accounts: …`. */
function summaryText({ matching, all, counts }: RankedAccounts): string {
  const total = matching === all ? count(all, 'account') : `${number(matching)} of ${count(all, 'account')}`;
  const parts = counts.map(({ status, accounts: n }) => {
    const words = n === 1 && status === 'Needs attention' ? 'needs attention' : (WORDS[status] ?? status.toLowerCase());
    return `${number(n)} ${words}`;
  });
  return `${total}: ${parts.join(', ')}.`;
}

/** One line for each enrollment of each account, whatever the width. */
export function accountsWide(found: RankedAccounts, style: Style, now: number): string[] {
  const rows = found.accounts.flatMap((account) =>
    account.cells.map(({ enrollment, cell }) => wideRow(account, enrollment, cell, now)),
  );
  if (rows.length === 0) return emptyText(found);
  const columns = [
    ...[{ title: 'ACCOUNT' }, { title: 'NAME' }, { title: 'OU' }, { title: 'ENROLLMENT' }],
    { title: 'STATUS', paint: (text: string) => paintStatus(style, text) },
    ...[{ title: 'OBSERVED → DESIRED' }, { title: 'AGE', align: 'right' as const }, { title: 'WHY' }],
  ];
  return table(columns, rows, null);
}

function wideRow({ row }: RankedAccount, enrollment: EnrollmentId, cell: Cell, now: number): string[] {
  const { complianceStatus: status, reason, driftSince } = cell;
  return [
    ...[row.accountId, row.name, row.ou, TITLES[enrollment], status],
    differenceText(cell),
    ageText(driftSince, now),
    shortReason({ enrollment, status, reason }),
  ];
}

/** `Inactive → Active`; only the observed state if the policy does not manage it or it complies. */
function differenceText({ status, ruleMode, desired, desiredRuleMode }: Cell): string {
  if (desired !== null && desired !== status) return `${status ?? '?'} → ${desired}`;
  if (desiredRuleMode !== null && desiredRuleMode !== ruleMode) return `${ruleMode ?? '?'} → ${desiredRuleMode}`;
  return status ?? '';
}

const CSV_COLUMNS = [
  ...['accountId', 'accountName', 'ou', 'state', 'enrollment', 'status'],
  ...['observed', 'desired', 'rule', 'reason', 'since'],
];

/** One line for each enrollment of each account. Times are ISO 8601, reasons are codes. */
export function enrollmentsCsv({ accounts }: RankedAccounts): string[] {
  const lines = accounts.flatMap(({ row, cells }) =>
    cells.map(({ enrollment, cell }) => {
      const { complianceStatus, status, ruleMode, desired, desiredRuleMode, rule, reason, driftSince, since } = cell;
      // The rule mode is part of the state only where the policy sets it.
      const observed = stateText(status, desiredRuleMode === null ? null : ruleMode);
      const wanted = desired === null && desiredRuleMode === null ? '' : stateText(desired, desiredRuleMode);
      return [
        ...[row.accountId, row.name, row.ou, row.state, enrollment, complianceStatus],
        ...[observed, wanted, rule, reason, driftSince ?? since],
      ];
    }),
  );
  return [CSV_COLUMNS, ...lines].map(csvRow);
}
