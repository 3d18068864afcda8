import type { EntryFacts, LedgerPeriod } from '../../../ports/ledger.ts';
import { toFacts } from '../../stored-shapes.ts';
import { readText, readTextOrNull } from './attributes.ts';
import { entryShards } from './ledger-items.ts';
import { indexItems, rangeOf } from './ledger-query.ts';
import { epochOf } from './schema.ts';
import type { Dynamo } from './table-client.ts';

const PAGE = 1_000;
/** Index items per request, over all shards. */
const WANTED = 8_000;

/** Reads only the index of all entries. */
export async function* readFacts(dynamo: Dynamo, period: LedgerPeriod): AsyncGenerator<readonly EntryFacts[]> {
  const sources = [{ index: 'all-time', hashes: entryShards('all'), consistent: false }];
  let page: EntryFacts[] = [];
  for await (const item of indexItems(dynamo, sources, rangeOf(period, null, true), true, WANTED)) {
    const facts = toFacts(epochOf(readText(item, 'time')), {
      type: readText(item, 'type'),
      actor: readText(item, 'actor'),
      runId: readTextOrNull(item, 'runId'),
      accountId: readTextOrNull(item, 'accountId'),
      enrollment: readTextOrNull(item, 'enrollment'),
    });
    if (facts !== null) page.push(facts);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
