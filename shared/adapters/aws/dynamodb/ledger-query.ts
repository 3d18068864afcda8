import {
  changedAccounts,
  type Intent,
  type Place,
  type RecentChange,
} from '../../../domain/decision/changed-accounts.ts';
import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import type { LedgerFilter, LedgerPage, PageRequest } from '../../../ports/ledger.ts';
import { toEpoch } from '../../stored-shapes.ts';
import { type Item, readText, readTextOrNull } from './attributes.ts';
import { ledgerCursor } from './ledger-cursor.ts';
import { APPROVED_KEY, entryShards, indexed, toEntry, UNSENT_KEY } from './ledger-items.ts';
import { merge } from './merge-sorted.ts';
import { TIME_INDEX_KEYS, timeKey } from './schema.ts';
import type { Dynamo, Key } from './table-client.ts';

/** An index that contains the matching entries, and the partition keys to query in it. */
interface Source {
  readonly index: string;
  readonly hashes: readonly string[];
  readonly consistent: boolean;
}

/** The sources for the most selective part of a filter. The other parts are checked item by item. */
function sourcesFor(filter: LedgerFilter): readonly Source[] {
  const { accountId, runId, type, actor } = filter;
  if (accountId !== undefined) {
    return [
      { index: 'chain-time', hashes: [`chain#${accountId}`], consistent: true },
      { index: 'account-time', hashes: [indexed(accountId)], consistent: false },
    ];
  }
  const [index, value] =
    runId !== undefined
      ? ['run-time', runId]
      : type !== undefined
        ? ['type-time', type]
        : actor !== undefined
          ? ['actor-time', actor]
          : ['all-time', 'all'];
  return [{ index, hashes: entryShards(value), consistent: false }];
}

const TEXT_FILTERS = ['accountId', 'enrollment', 'type', 'runId', 'actor'] as const;

function matches(item: Item, filter: LedgerFilter): boolean {
  return TEXT_FILTERS.every((name) => {
    const wanted = filter[name];
    return wanted === undefined || readTextOrNull(item, name) === wanted.toWellFormed();
  });
}

interface Range {
  readonly from?: string;
  readonly to?: string;
}

/** As range bounds, `since` and `until` are prefixes of sort keys. A prefix sorts before every entry of its time, so `until` excludes its own time. */
export function rangeOf({ since, until }: LedgerFilter, cursor: string | null, descending: boolean): Range {
  const from = since === undefined ? undefined : timeKey(toEpoch(since));
  const to = until === undefined ? undefined : timeKey(toEpoch(until));
  const later = from === undefined || (cursor !== null && cursor > from) ? cursor : from;
  const earlier = to === undefined || (cursor !== null && cursor < to) ? cursor : to;
  const low = descending ? from : (later ?? undefined);
  const high = descending ? (earlier ?? undefined) : to;
  return { ...(low !== undefined && { from: low }), ...(high !== undefined && { to: high }) };
}

const MAX_INDEX_PAGE = 1_000;

/** Index items ordered by time, across all shards of all sources. */
export function indexItems(
  dynamo: Dynamo,
  sources: readonly Source[],
  range: Range,
  descending: boolean,
  wanted: number,
): AsyncGenerator<Item> {
  const hashes = sources.flatMap(({ index, hashes, consistent }) =>
    hashes.map((hash) => ({ index, hash, consistent })),
  );
  // Twice the average of a shard, so that a second query of the same shard is rarely needed.
  const pageSize = Math.min(MAX_INDEX_PAGE, Math.ceil((2 * wanted) / hashes.length) + 2);
  const streams = hashes.map(({ index, hash, consistent }) =>
    dynamo.query({
      index,
      hash: [TIME_INDEX_KEYS.get(index) ?? 'pk', hash],
      range: { name: 'time', ...range },
      descending,
      pageSize,
      consistent,
    }),
  );
  const time = (item: Item) => readText(item, 'time');
  return merge(streams, (a, b) => (descending ? time(a) > time(b) : time(a) < time(b)));
}

/** Accounts with an intent since a time, except intents of which an outcome says that they were never sent. Reads only indexes. */
export async function changedSince(dynamo: Dynamo, since: number): Promise<ReadonlyMap<string, RecentChange>> {
  const range = { from: timeKey(since) };
  const wanted = MAX_INDEX_PAGE * 8;
  const started = [{ index: 'type-time', hashes: entryShards('RemediationStarted'), consistent: false }];
  const marked = (key: string) => {
    const source = { index: 'account-time', hashes: [key], consistent: false };
    return places(indexItems(dynamo, [source], range, false, wanted));
  };
  // Reads the marks before the intents. A mark written between the two reads is then missed, so the count can be too high, but never too low.
  const outcomes = await marked(UNSENT_KEY);
  const approved = new Set((await marked(APPROVED_KEY)).map(placeKey));
  const intents = await places(indexItems(dynamo, started, range, false, wanted));
  return changedAccounts(
    intents.map((intent) => ({ ...intent, approved: approved.has(placeKey(intent)) })),
    outcomes,
  );
}

const placeKey = ({ accountId, seq }: Place): string => `${accountId} ${seq}`;

async function places(items: AsyncIterable<Item>): Promise<readonly Omit<Intent, 'approved'>[]> {
  const found: Omit<Intent, 'approved'>[] = [];
  for await (const item of items) {
    const accountId = readTextOrNull(item, 'accountId');
    if (accountId === null) continue;
    const place = { accountId, enrollment: readTextOrNull(item, 'enrollment'), seq: Number(keyOf(item).sk) };
    found.push({ ...place, optOut: item['optOut']?.BOOL === true });
  }
  return found;
}

/** The greatest sequence number of each chain since a time, from the index of all entries. */
export async function reachedSince(dynamo: Dynamo, since: number): Promise<ReadonlyMap<string, number>> {
  const sources = [{ index: 'all-time', hashes: entryShards('all'), consistent: false }];
  const reached = new Map<string, number>();
  for await (const item of indexItems(dynamo, sources, { from: timeKey(since) }, false, MAX_INDEX_PAGE * 8)) {
    const { pk, sk } = keyOf(item);
    const chain = pk.slice('chain#'.length);
    reached.set(chain, Math.max(Number(sk), reached.get(chain) ?? 0));
  }
  return reached;
}

export function keyOf(item: Item): Key {
  return { pk: readText(item, 'pk'), sk: readText(item, 'sk') };
}

/** Finds the entries in an index, then reads them from the table. */
export async function runQuery(dynamo: Dynamo, filter: LedgerFilter, page: PageRequest): Promise<LedgerPage> {
  const descending = page.order !== 'oldestFirst';
  const [, cursor] = typeof page.cursor === 'string' ? ledgerCursor.decode(page.cursor) : [1, null];
  const range = rangeOf(filter, cursor, descending);
  const found: Item[] = [];
  for await (const item of indexItems(dynamo, sourcesFor(filter), range, descending, page.limit + 1)) {
    if (readText(item, 'time') === cursor || !matches(item, filter)) continue;
    found.push(item);
    // One item more than requested shows whether there is a next page.
    if (found.length > page.limit) break;
  }
  const shown = found.slice(0, page.limit);
  const last = shown.at(-1);
  const next =
    found.length > page.limit && last !== undefined ? ledgerCursor.encode([1, readText(last, 'time')]) : null;
  return { entries: await readEntries(dynamo, shown.map(keyOf)), next };
}

/** The entries with these keys, in this order. Entries that were pruned meanwhile are left out. */
async function readEntries(dynamo: Dynamo, keys: readonly Key[]): Promise<readonly LedgerEntry[]> {
  const items = await dynamo.getMany(keys);
  const bodies = new Map(items.map((item) => [`${readText(item, 'pk')} ${readText(item, 'sk')}`, item]));
  return keys.flatMap(({ pk, sk }) => {
    const item = bodies.get(`${pk} ${sk}`);
    return item === undefined ? [] : [toEntry(item)];
  });
}
