import { csvLine } from '../csv.ts';
import type { Change } from './changes.ts';

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

export function changesCsvHeader(): string {
  return csvLine(COLUMNS);
}

export function changesCsvLine(change: Change): string {
  return csvLine(COLUMNS.map((column) => change[column]));
}
