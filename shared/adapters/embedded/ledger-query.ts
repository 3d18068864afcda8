import type { SQLInputValue } from 'node:sqlite';
import type { LedgerFilter } from '../../ports/ledger.ts';
import { toEpoch } from '../stored-shapes.ts';

export interface Statement {
  readonly text: string;
  readonly parameters: readonly SQLInputValue[];
}

/** Field, column and index of each filter, the most selective first. A query uses the index of its first filter. */
const FILTERS = [
  ['accountId', 'account_id', 'ledger_account'],
  ['runId', 'run_id', 'ledger_run'],
  ['type', 'type', 'ledger_type'],
  ['actor', 'actor', 'ledger_actor'],
  ['enrollment', 'enrollment', 'ledger_enrollment'],
] as const;

export interface PlacedPage {
  readonly limit: number;
  readonly order: 'newestFirst' | 'oldestFirst';
  /** Time (epoch ms) and position of the last entry of the previous page. */
  readonly after: readonly [at: number, position: number] | null;
}

/** Builds the statement for one page. Entries are ordered by time, then by the order of storing. */
export function toStatement(filter: LedgerFilter, page: PlacedPage): Statement {
  const conditions: string[] = [];
  const parameters: SQLInputValue[] = [];
  const where = (condition: string, ...values: readonly SQLInputValue[]): void => {
    conditions.push(condition);
    parameters.push(...values);
  };
  const used = FILTERS.filter(([field]) => filter[field] !== undefined);
  for (const [field, column] of used) where(`${column} = ?`, filter[field] ?? null);
  if (filter.since !== undefined) where('at >= ?', toEpoch(filter.since));
  if (filter.until !== undefined) where('at < ?', toEpoch(filter.until));
  const oldestFirst = page.order === 'oldestFirst';
  if (page.after !== null) where(`(at, position) ${oldestFirst ? '>' : '<'} (?, ?)`, ...page.after);
  const direction = oldestFirst ? 'ASC' : 'DESC';
  const text = `SELECT at, position, body FROM ledger INDEXED BY ${used[0]?.[2] ?? 'ledger_at'}
    ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}
    ORDER BY at ${direction}, position ${direction} LIMIT ?`;
  // One row more than requested shows whether there is a next page.
  return { text, parameters: [...parameters, page.limit + 1] };
}
