import type { Ledger } from '../../../ports/ledger.ts';
import { entriesOf } from './all-entries.ts';

/** The ids of all entries that end with `end`. Reads the whole log, because ids are ordered by their beginning. */
export async function idsEndingWith(ledger: Pick<Ledger, 'query'>, end: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { id } of entriesOf(ledger, {}, { limit: 1_000 })) if (id.endsWith(end)) found.push(id);
  return found;
}
