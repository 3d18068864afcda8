import { type ChainHead, EMPTY_CHAIN } from '../../../domain/ledger/entry.ts';
import { type Item, number, readNumber, readText, text } from './attributes.ts';
import { merge } from './merge-sorted.ts';
import { CHAIN_SHARDS, shardKey, shardKeys } from './schema.ts';
import { type Dynamo, keyItem } from './table-client.ts';

/*
 * The list of chains, with the end of each. A chain's item is created before its first entry and updated after entries are stored. After a crash it
 * may lag behind the entries. It is ahead of them only if entries were removed outside Rollcall, which verification reports (invariant 7).
 */

const keyOf = (chain: string) => ({ pk: shardKey('chains', chain, CHAIN_SHARDS), sk: chain });

/** The end of a chain, from its last stored entry or from its item, whichever has the higher sequence number. */
export async function endOfChain(dynamo: Dynamo, chain: string): Promise<ChainHead> {
  const [last, remembered] = await Promise.all([lastEntry(dynamo, chain), dynamo.get(keyOf(chain))]);
  const known = remembered === null ? EMPTY_CHAIN : headOfItem(remembered);
  return last.seq >= known.seq ? last : known;
}

/** The last stored entry of a chain. */
export async function lastEntry(dynamo: Dynamo, chain: string): Promise<ChainHead> {
  const request = { hash: ['pk', `chain#${chain}`], descending: true, pageSize: 1, consistent: true } as const;
  for await (const [item] of dynamo.query(request)) {
    if (item !== undefined) return { seq: Number(readText(item, 'sk')), hash: readText(item, 'entryHash') };
  }
  return EMPTY_CHAIN;
}

function headOfItem(item: Item): ChainHead {
  return { seq: readNumber(item, 'seq'), hash: readText(item, 'entryHash') };
}

/** Creates the chain's item. Call it before the first entry of a chain is stored. */
export async function registerChain(dynamo: Dynamo, chain: string): Promise<void> {
  await dynamo.put(chainItem(chain, EMPTY_CHAIN), { expression: 'attribute_not_exists(pk)' });
}

/** Updates the chain's item after entries up to `head` were stored. If two writers race, the higher end stays. */
export async function rememberEnd(dynamo: Dynamo, chain: string, head: ChainHead): Promise<void> {
  await dynamo.put(chainItem(chain, head), {
    expression: 'attribute_not_exists(pk) OR seq < :seq',
    values: { ':seq': number(head.seq) },
  });
}

function chainItem(chain: string, head: ChainHead): Item {
  return { ...keyItem(keyOf(chain)), seq: number(head.seq), entryHash: text(head.hash) };
}

/** Names of chains that have an entry, ascending. */
export async function listChains(dynamo: Dynamo, after: string | null, limit: number): Promise<readonly string[]> {
  const streams = shardKeys('chains', CHAIN_SHARDS).map((pk) =>
    dynamo.query({
      hash: ['pk', pk],
      pageSize: Math.ceil((2 * limit) / CHAIN_SHARDS) + 2,
      consistent: true,
      ...(after !== null && after !== '' && { range: { name: 'sk', from: after } }),
    }),
  );
  const names: string[] = [];
  for await (const item of merge(streams, (a, b) => readText(a, 'sk') < readText(b, 'sk'))) {
    if (names.length >= limit) break;
    const name = readText(item, 'sk');
    if (name !== after && (await hasEntries(dynamo, item))) names.push(name);
  }
  return names;
}

/** Whether the chain has an entry. If its item has no end yet, its writer may have crashed right after storing the first entry, so that is looked up. */
async function hasEntries(dynamo: Dynamo, item: Item): Promise<boolean> {
  if (readNumber(item, 'seq') > 0) return true;
  const name = readText(item, 'sk');
  const last = await lastEntry(dynamo, name);
  if (last.seq > 0) await rememberEnd(dynamo, name, last);
  return last.seq > 0;
}
