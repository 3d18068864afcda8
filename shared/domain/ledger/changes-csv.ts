import type { Change } from './changes.ts';
import { csvCell } from './export-csv.ts';

const COLUMNS = [
  ...([
    'startedAt',
    'endedAt',
    'kind',
    'target',
    'enrollment',
    'actor',
    'reason',
    'rule',
    'before',
    'requested',
  ] as const),
  ...(['after', 'outcome', 'operation', 'requestId', 'runId', 'policyHash', 'entryId'] as const),
] satisfies readonly (keyof Change)[];

/** RFC 4180, as all exports. */
export function changesCsvHeader(): string {
  return `${COLUMNS.join(',')}\r\n`;
}

export function changesCsvLine(change: Change): string {
  return `${COLUMNS.map((column) => csvCell(change[column])).join(',')}\r\n`;
}
