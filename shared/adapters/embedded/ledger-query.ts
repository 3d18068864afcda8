import type { SQLInputValue } from 'node:sqlite';
import type { LedgerFilter } from '../../ports/ledger.ts';

export interface Statement {
  readonly text: string;
  readonly parameters: readonly SQLInputValue[];
}

/** Columns of filters, the most selective first: the query uses the index of the first one. */
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
  /** The end of the previous page. */
  /** Time (epoch ms) and position of the last entry of the previous page. */
  readonly after: readonly [at: number, position: number] | null;
}

/** Builds the statement for a filter. Entries are ordered by time, then by the order of storing; a cursor names the last returned entry. */
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
  if (page.after !== null) {
    where(`(at, position) ${oldestFirst ? '>' : '<'} (?, ?)`, ...page.after);
  }
  const direction = oldestFirst ? 'ASC' : 'DESC';
  const text = `SELECT at, position, body FROM ledger INDEXED BY ${used[0]?.[2] ?? 'ledger_at'}
    ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}
    ORDER BY at ${direction}, position ${direction} LIMIT ?`;
  // One row more than requested shows whether there is a next page.
  return { text, parameters: [...parameters, page.limit + 1] };
}

/** @throws RangeError if the text is not a time, because no query by time could find such an entry */
export function toEpoch(iso: string): number {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) throw new RangeError(`not a time in ISO 8601: ${iso}`);
  return at;
}
