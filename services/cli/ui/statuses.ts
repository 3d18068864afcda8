import { KINDS } from '../../../shared/domain/enrollment/kinds/index.ts';
import { kindsShownIn, STATUSES, type Status, type StatusCounts } from '../../../shared/domain/enrollment/status.ts';
import type { Format, Style } from './output.ts';
import { table } from './table.ts';
import { number } from './words.ts';

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
const ORDER: readonly Status[] = [
  ...(['Compliant', 'Drifted', 'In progress', 'Waiting', 'Needs attention', 'Unknown'] as const),
  ...(['Suspended', 'Exempt', 'Unmanaged', 'Not applicable'] as const),
];

/** Accounts by status and enrollment; with `after`, before → after. Rows with only zeros are left out. */
export function statusTable(before: StatusCounts, style: Style, after?: StatusCounts): string[] {
  const counted = (counts: StatusCounts | undefined, status: Status): boolean =>
    counts !== undefined && KINDS.some(({ id }) => (counts[id][status] ?? 0) > 0);
  const kinds = kindsShownIn(before, ...(after === undefined ? [] : [after]));
  const rows = ORDER.filter((status) => counted(before, status) || counted(after, status)).map((status) => [
    status,
    ...kinds.map(({ id }) => {
      const was = number(before[id][status] ?? 0);
      return after === undefined ? was : `${was} → ${number(after[id][status] ?? 0)}`;
    }),
  ]);
  if (rows.length === 0) return ['No account has been scanned yet.'];
  const columns = [
    { title: 'STATUS', paint: (text: string) => paintStatus(style, text) },
    ...kinds.map(({ title }) => ({ title: title.toUpperCase(), align: 'right' as const })),
  ];
  return table(columns, rows, null);
}
