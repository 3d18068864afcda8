import { type EnrollmentId, KINDS } from '../../../shared/domain/enrollment/kinds/index.ts';
import { kindsShownIn, STATUSES, type Status, type StatusCounts } from '../../../shared/domain/enrollment/status.ts';
import type { Format, Style } from './output.ts';
import { table } from './table.ts';
import { number, percent } from './words.ts';

const COLORS: Readonly<Record<Status, Format>> = {
  Compliant: 'green',
  Drifted: 'yellow',
  'In progress': 'cyan',
  Waiting: 'blue',
  'Needs attention': 'red',
  Unknown: 'magenta',
  Suspended: 'dim',
  Exempt: 'dim',
  Unmanaged: 'dim',
  'Not applicable': 'dim',
};

export function paintStatus(style: Style, text: string): string {
  const status = STATUSES.find((each) => text.trim() === each);
  return status === undefined ? text : style(COLORS[status], text);
}

/** Compliant first, then drift by urgency, then accounts that the policy does not manage. */
export const ORDER: readonly Status[] = [
  ...(['Compliant', 'Drifted', 'In progress', 'Waiting', 'Needs attention', 'Unknown'] as const),
  ...(['Suspended', 'Exempt', 'Unmanaged', 'Not applicable'] as const),
];

/** Statuses of enrollments that the policy does not enforce. They do not count for compliance. */
const OUT_OF_SCOPE: ReadonlySet<Status> = new Set(['Suspended', 'Exempt', 'Unmanaged', 'Not applicable']);

/**
 * The percentage of compliant accounts, and accounts by status and enrollment.
 * @param since counts of an earlier time: each count is followed by its difference, such as `111 +3`
 */
export function complianceTable(counts: StatusCounts, style: Style, since?: StatusCounts): string[] {
  const kinds = kindsShownIn(counts);
  const statuses = shownStatuses(counts, ...(since === undefined ? [] : [since]));
  if (statuses.length === 0) return ['No account has been scanned yet.'];
  const rows = statuses.map((status) => [
    status,
    ...kinds.map(({ id }) => {
      const now = counts[id][status] ?? 0;
      const change = since === undefined ? 0 : now - (since[id][status] ?? 0);
      return `${number(now)}${change === 0 ? '' : ` ${change > 0 ? '+' : ''}${change}`}`;
    }),
  ]);
  return countTable(kinds, [['Compliance', ...kinds.map(({ id }) => complianceText(counts[id]))], ...rows], style);
}

function complianceText(counts: StatusCounts[EnrollmentId]): string {
  const managed = STATUSES.filter((status) => !OUT_OF_SCOPE.has(status));
  const whole = managed.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
  return percent(counts.Compliant ?? 0, whole, 1);
}

function shownStatuses(...all: readonly StatusCounts[]): readonly Status[] {
  return ORDER.filter((status) => all.some((counts) => KINDS.some(({ id }) => (counts[id][status] ?? 0) > 0)));
}

function countTable(
  kinds: readonly { readonly title: string }[],
  rows: readonly (readonly string[])[],
  style: Style,
): string[] {
  if (rows.length === 0) return ['No account has been scanned yet.'];
  const columns = [
    { title: '', paint: (text: string) => paintStatus(style, text) },
    ...kinds.map(({ title }) => ({ title: title.toUpperCase(), align: 'right' as const })),
  ];
  return table(columns, rows, null);
}
