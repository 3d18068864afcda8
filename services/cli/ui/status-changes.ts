import { kindsShownIn, type StatusCounts } from '../../../shared/domain/enrollment/status.ts';
import type { Style } from './output.ts';
import { ORDER, paintStatus } from './statuses.ts';
import { table } from './table.ts';
import { number } from './words.ts';

/** The longest status, terminal cells. */
const LABEL = Math.max(...ORDER.map((status) => status.length));

/** What a run changed: accounts by status and enrollment, before → after. Rows without a change are left out. */
export function statusChanges(before: StatusCounts, after: StatusCounts, style: Style): string[] {
  const kinds = kindsShownIn(before, after);
  const rows = ORDER.flatMap((status) => {
    const counts = kinds.map(({ id }) => [before[id][status] ?? 0, after[id][status] ?? 0] as const);
    if (counts.every(([was, is]) => was === is)) return [];
    return [[status, ...counts.map(([was, is]) => (was === is ? number(is) : `${number(was)} → ${number(is)}`))]];
  });
  if (rows.length === 0) return [];
  const columns = [
    { title: '', minWidth: LABEL, paint: (text: string) => paintStatus(style, text) },
    ...kinds.map(({ title }) => ({ title: title.toUpperCase(), align: 'right' as const })),
  ];
  return table(columns, rows, null);
}
