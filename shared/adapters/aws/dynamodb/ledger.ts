import { type ChainHead, headOf, type LedgerEntry } from '../../../domain/ledger/entry.ts';
import type { StoredEntry } from '../../../domain/ledger/stored-entry.ts';
import { mapParallel } from '../../../domain/map-parallel.ts';
import type { AppendOutcome, Ledger } from '../../../ports/ledger.ts';
import { inShownOrder, toEpoch } from '../../stored-shapes.ts';
import { flag, type Item, readText, text } from './attributes.ts';
import { endOfChain, listChains, registerChain, rememberEnd } from './ledger-chains.ts';
import { readFacts } from './ledger-facts.ts';
import { entryItem, entryKey, toEntry, untampered } from './ledger-items.ts';
import { readOutline } from './ledger-outline.ts';
import { changedSince, keyOf, reachedSince, runQuery } from './ledger-query.ts';
import { pruneChain, readEnds, readTails } from './ledger-tails.ts';
import { merge } from './merge-sorted.ts';
import { ENTRY_SHARDS, seqKey, shardKeys } from './schema.ts';
import type { Dynamo } from './table-client.ts';

/** How many chains `append` writes in parallel, and how many entries `markPublished` marks in parallel. */
const PARALLEL = 32;

/**
 * The ledger in DynamoDB.
 *
 * An append needs no transaction. It reads the end of the chain with strong consistency, then puts the next entry on the condition that no entry with
 * its number exists. The end can change in between only if another writer puts an entry with the same number, and then the condition fails: entries
 * are never modified, and pruning never removes the last one.
 */
export function dynamoLedger(dynamo: Dynamo): Ledger {
  return {
    async append(entries) {
      // `entryItem` throws for an invalid entry, before anything is stored.
      const items = entries.map((entry, index) => ({ entry, index, item: entryItem(entry) }));
      const outcomes = new Array<AppendOutcome>(entries.length).fill('headMoved');
      const chains = Map.groupBy(items, ({ entry }) => entry.chain);
      await mapParallel([...chains.values()], PARALLEL, async (ofChain) => {
        for (const index of await appendToChain(dynamo, ofChain)) outcomes[index] = 'appended';
      });
      return outcomes;
    },
    head: (chain) => endOfChain(dynamo, chain),
    read: async (chain, afterSeq, limit) =>
      (await readChain(dynamo, chain, afterSeq, limit)).map(({ entry }) => inShownOrder(entry)),
    readStored: (chain, afterSeq, limit) => readChain(dynamo, chain, afterSeq, limit),
    query: (filter, page) => runQuery(dynamo, filter, page),
    changedSince: async (since) => changedSince(dynamo, toEpoch(since)),
    reachedSince: async (since) => reachedSince(dynamo, since === null ? 0 : toEpoch(since)),
    facts: (period) => readFacts(dynamo, period),
    outline: (runId) => readOutline(dynamo, runId),
    unpublished: (limit) => readOutbox(dynamo, limit),
    async markPublished(entries) {
      await mapParallel(entries, PARALLEL, ({ chain, seq, hash }) =>
        dynamo.update(entryKey(chain, seq), 'SET published = :yes REMOVE todoKey, todoTime', {
          expression: 'entryHash = :hash AND attribute_exists(todoKey)',
          values: { ':yes': flag(true), ':hash': text(hash) },
        }),
      );
    },
    chains: (after, limit) => listChains(dynamo, after, limit),
    ends: () => readEnds(dynamo),
    tails: (until) => readTails(dynamo, toEpoch(until)),
    prune: (chain, throughSeq, limit) => pruneChain(dynamo, chain, throughSeq, limit),
  };
}

async function readChain(
  dynamo: Dynamo,
  chain: string,
  afterSeq: number,
  limit: number,
): Promise<readonly StoredEntry[]> {
  const found: StoredEntry[] = [];
  const range = { name: 'sk', from: seqKey(afterSeq + 1) };
  const request = { hash: ['pk', `chain#${chain}`], range, pageSize: limit, consistent: true } as const;
  for await (const page of dynamo.query(request)) {
    found.push(...page.map((item) => untampered(item, chain)));
    if (found.length >= limit) break;
  }
  return found.slice(0, limit);
}

interface Place {
  readonly entry: LedgerEntry;
  readonly index: number;
  readonly item: Item;
}

/** Appends the entries of one chain in order, up to the first that is refused. @returns the indexes of the stored entries */
async function appendToChain(dynamo: Dynamo, places: readonly Place[]): Promise<readonly number[]> {
  const stored: number[] = [];
  const chain = places[0]?.entry.chain ?? '';
  const before = await endOfChain(dynamo, chain);
  let end = before;
  try {
    for (const place of places) {
      const next = await appendOne(dynamo, place, end);
      if (next === null) break;
      stored.push(place.index);
      end = next;
    }
  } finally {
    if (end.seq > before.seq) await rememberEnd(dynamo, chain, end);
  }
  return stored;
}

/** @returns the new end of the chain, or `null` if the entry does not follow `end` */
async function appendOne(dynamo: Dynamo, { entry, item }: Place, end: ChainHead): Promise<ChainHead | null> {
  const { chain, seq, prevHash } = entry;
  // If an earlier attempt stored this entry but its answer was lost, the retry finds it here.
  if (seq <= end.seq) return (await isStored(dynamo, entry)) ? end : null;
  if (seq !== end.seq + 1 || prevHash !== end.hash) return null;
  if (end.seq === 0) await registerChain(dynamo, chain);
  const { stored } = await dynamo.put(item, { expression: 'attribute_not_exists(pk)' });
  // If the condition failed, another writer was faster, or an earlier attempt stored this entry and its answer was lost.
  return stored || (await isStored(dynamo, entry)) ? headOf(entry) : null;
}

async function isStored(dynamo: Dynamo, { chain, seq, hash }: LedgerEntry): Promise<boolean> {
  const found = await dynamo.get(entryKey(chain, seq));
  return found !== null && readText(found, 'entryHash') === hash;
}

/** Unpublished entries, oldest first. The index may still have entries that were just published, so each item is checked in the table. */
async function readOutbox(dynamo: Dynamo, limit: number): Promise<readonly LedgerEntry[]> {
  const pageSize = Math.min(1_000, Math.ceil((2 * limit) / ENTRY_SHARDS) + 2);
  const streams = shardKeys('outbox', ENTRY_SHARDS).map((hash) =>
    dynamo.query({ index: 'todo', hash: ['todoKey', hash], pageSize, consistent: false }),
  );
  const entries: LedgerEntry[] = [];
  let batch: Item[] = [];
  const read = async (): Promise<void> => {
    const open = (await dynamo.getMany(batch.map(keyOf))).filter((item) => item['todoKey'] !== undefined);
    const inOrder = open.sort((a, b) => (readText(a, 'time') < readText(b, 'time') ? -1 : 1));
    entries.push(...inOrder.map(toEntry));
    batch = [];
  };
  for await (const item of merge(streams, (a, b) => readText(a, 'todoTime') < readText(b, 'todoTime'))) {
    batch.push(item);
    if (entries.length + batch.length < limit) continue;
    await read();
    if (entries.length >= limit) return entries;
  }
  await read();
  return entries;
}
