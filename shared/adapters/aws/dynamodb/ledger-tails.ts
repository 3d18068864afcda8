import { ENROLLMENT_IDS } from '../../../domain/enrollment/kinds/index.ts';
import { type LedgerEntry, ORGANIZATION_CHAIN } from '../../../domain/ledger/entry.ts';
import { mapParallel } from '../../../domain/map-parallel.ts';
import type { AccountTail, ChainEnd } from '../../../ports/ledger.ts';
import { chunksOf } from '../../chunks.ts';
import { type Item, readNumber, readText, readTextOrNull } from './attributes.ts';
import { endOfChain, lastEntry } from './ledger-chains.ts';
import { toEntry } from './ledger-items.ts';
import { keyOf } from './ledger-query.ts';
import { merge } from './merge-sorted.ts';
import { CHAIN_SHARDS, seqKey, shardKeys, timeKey } from './schema.ts';
import type { Dynamo } from './table-client.ts';

/** Maximum number of chains read in parallel. */
const PARALLEL = 32;
const ENDS_PAGE = 500;
/** Index items in the first page: about one read unit, and enough to find the last entries of most chains. */
const TAIL_PAGE = 16;
/** The largest clock difference between writers of one chain, ms. */
const SKEW_MS = 10 * 60_000;

/** The end of every chain with an entry, from the chain's item or, if that has none yet, from its entries. */
export async function* readEnds(dynamo: Dynamo): AsyncGenerator<readonly ChainEnd[]> {
  const streams = shardKeys('chains', CHAIN_SHARDS).map((pk) =>
    dynamo.query({ hash: ['pk', pk], pageSize: ENDS_PAGE, consistent: true }),
  );
  let page: ChainEnd[] = [];
  for await (const item of merge(streams, (a, b) => readText(a, 'sk') < readText(b, 'sk'))) {
    const chain = readText(item, 'sk');
    const marked = { seq: readNumber(item, 'seq'), hash: readText(item, 'entryHash') };
    // A writer that crashed after its first entry has not set the chain's end. Without this read, the chain would seem to have been removed.
    const end = marked.seq === 0 ? await lastEntry(dynamo, chain) : marked;
    if (end.seq === 0) continue;
    page.push({ chain, ...end });
    if (page.length < ENDS_PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

export async function* readTails(dynamo: Dynamo, until: number): AsyncGenerator<readonly AccountTail[]> {
  for await (const ends of readEnds(dynamo)) {
    const accounts = ends.filter(({ chain }) => chain !== ORGANIZATION_CHAIN);
    const tails = await mapParallel(accounts, PARALLEL, ({ chain }) => readTail(dynamo, chain, until));
    const told = tails.filter(({ entries, checkpoint }) => entries.length > 0 || checkpoint !== null);
    if (told.length > 0) yield told;
  }
}

/**
 * Finds the last entry of each kind in the chain's index by time, and reads only these entries from the table. If a kind has no entry of its own, the
 * chain is searched to its beginning, in growing pages.
 */
async function readTail(dynamo: Dynamo, chain: string, until: number): Promise<AccountTail> {
  const picks = new Map<string, Pick>();
  const pages = dynamo.query({
    index: 'chain-time',
    hash: ['pk', `chain#${chain}`],
    range: { name: 'time', to: timeKey(until + 1) },
    descending: true,
    pageSize: TAIL_PAGE,
    growing: true,
    consistent: true,
  });
  for await (const page of pages) {
    for (const item of page) consider(picks, item);
    const oldest = page.at(-1);
    if (picks.size === WANTED && oldest !== undefined && isBefore(picks, timeOf(oldest))) break;
  }
  const found = await dynamo.getMany([...picks.values()].map(({ item }) => keyOf(item)));
  const entries = found.map(toEntry).sort((a, b) => a.seq - b.seq);
  return { accountId: chain, entries, checkpoint: await lastCheckpoint(dynamo, chain) };
}

/** The entries to find: one per enrollment kind, and one about joining or leaving. */
const WANTED = ENROLLMENT_IDS.length + 1;

interface Pick {
  readonly item: Item;
  /** The latest time of any entry with the same key: clocks differ, so the last entry of the chain may have an earlier one. */
  readonly at: number;
}

function consider(picks: Map<string, Pick>, item: Item): void {
  const type = readText(item, 'type');
  const enrollment = readTextOrNull(item, 'enrollment');
  const kind = enrollment ?? (type === 'AccountJoined' || type === 'AccountLeft' ? 'presence' : null);
  if (kind === null) return;
  const known = picks.get(kind);
  if (known === undefined) picks.set(kind, { item, at: timeOf(item) });
  // This entry has an earlier time but is later in the chain, because its writer's clock was behind.
  else if (timeOf(item) >= known.at - SKEW_MS && readText(item, 'sk') > readText(known.item, 'sk')) {
    picks.set(kind, { ...known, item });
  }
}

const timeOf = (item: Item): number => Number(readText(item, 'time').split('#')[0]);

function isBefore(picks: ReadonlyMap<string, Pick>, time: number): boolean {
  return [...picks.values()].every(({ at }) => time < at - SKEW_MS);
}

/** The latest checkpoint. A chain that still has entry 1 was never pruned, so it has none and is not searched. */
async function lastCheckpoint(dynamo: Dynamo, chain: string): Promise<LedgerEntry | null> {
  const hash = ['pk', `chain#${chain}`] as const;
  for await (const [first] of dynamo.query({ hash, pageSize: 1, only: ['sk'], consistent: true })) {
    if (first === undefined || readText(first, 'sk') === seqKey(1)) return null;
    break;
  }
  for await (const page of dynamo.query({ index: 'chain-time', hash, descending: true, consistent: true })) {
    const item = page.find((each) => readText(each, 'type') === 'ChainPruned');
    if (item === undefined) continue;
    const [found] = await dynamo.getMany([keyOf(item)]);
    return found === undefined ? null : toEntry(found);
  }
  return null;
}

/** Entries are removed in order, in parts of this size, so that a crash leaves few gaps. */
const REMOVED_AT_ONCE = 100;

/** @throws RangeError as the port's `prune` */
export async function pruneChain(dynamo: Dynamo, chain: string, throughSeq: number, limit: number): Promise<number> {
  const end = await endOfChain(dynamo, chain);
  if (throughSeq >= end.seq) {
    throw new RangeError(`chain ${chain} cannot be pruned up to entry ${throughSeq}: the last entry must stay`);
  }
  const keys = [];
  const range = { name: 'sk', to: seqKey(throughSeq) };
  const hash = ['pk', `chain#${chain}`] as const;
  for await (const page of dynamo.query({ hash, range, pageSize: limit, only: ['pk', 'sk'], consistent: true })) {
    keys.push(...page.map(keyOf));
    if (keys.length >= limit) break;
  }
  const doomed = keys.slice(0, limit);
  for (const part of chunksOf(doomed, REMOVED_AT_ONCE)) await dynamo.removeMany(part);
  return doomed.length;
}
