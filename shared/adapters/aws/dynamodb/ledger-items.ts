import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../../../domain/canonical-hash.ts';
import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import { TamperedError } from '../../../ports/ledger.ts';
import { inShownOrder, isLedgerEntry, toEpoch } from '../../stored-shapes.ts';
import { storeError } from '../store-errors.ts';
import { flag, type Item, MAX_BODY_BYTES, parseJson, readText, text } from './attributes.ts';
import { ENTRY_SHARDS, seqKey, shardKey, shardOf, timeKey } from './schema.ts';
import type { Key } from './table-client.ts';

/** A sort key may have 1,024 bytes, and it includes the chain's name, the time and the number. */
const MAX_CHAIN_BYTES = 512;
/** A partition key may have 2,048 bytes. A longer name is indexed by its start, and the results are compared in full. */
const MAX_KEY_CHARS = 300;

/** Key in the index of accounts for outcomes of intents that were never sent. It is not a valid account id. */
export const UNSENT_KEY = '#unsent';

export function entryKey(chain: string, seq: number): Key {
  return { pk: `chain#${chain}`, sk: seqKey(seq) };
}

/** The entry's sort key by time: unique, and the same in every index. */
function entryTime(entry: Pick<LedgerEntry, 'at' | 'chain' | 'seq'>): string {
  return `${timeKey(toEpoch(entry.at))}#${entry.chain}#${seqKey(entry.seq)}`;
}

/** The hash keys of a value in an index of entries. */
export function entryShards(value: string): readonly string[] {
  return Array.from({ length: ENTRY_SHARDS }, (_, shard) => `${indexed(value)}#${shard}`);
}

/** The part of a value that is used in an index key. */
export function indexed(value: string): string {
  // An unpaired surrogate has no UTF-8 form; DynamoDB would store a different text.
  return value.slice(0, MAX_KEY_CHARS).toWellFormed();
}

/**
 * The item of an entry that is not yet published.
 * @throws StoreError `TooLarge` if DynamoDB would not accept it, `Rejected` for a name that is not a valid key; RangeError for an invalid time
 */
export function entryItem(entry: LedgerEntry): Item {
  // Exactly the text that was hashed, so that reading it back gives the same hash.
  const body = canonicalJson(entry);
  checkSize(entry, body);
  const { chain, seq } = entry;
  const todo = { todoKey: text(shardKey('outbox', `${chain}#${seq}`, ENTRY_SHARDS)), todoTime: text(entryTime(entry)) };
  return { ...foundBy(entry), body: text(body), ...todo };
}

/** The attributes that an entry is found by: its keys, the index keys, and projected attributes. All follow from the entry. */
function foundBy(entry: LedgerEntry): Item {
  const { chain, seq, type, actor, runId, accountId, enrollment } = entry;
  const time = entryTime(entry);
  const shard = shardOf(`${chain}#${seq}`, ENTRY_SHARDS);
  const key = (value: string) => text(`${indexed(value)}#${shard}`);
  return {
    ...{ pk: text(`chain#${chain}`), sk: text(seqKey(seq)), entryHash: text(entry.hash) },
    ...{ time: text(time), allKey: key('all'), typeKey: key(type), actorKey: key(actor) },
    ...{ type: text(type), actor: text(actor.toWellFormed()) },
    ...(runId !== null && { runKey: key(runId), runId: text(runId.toWellFormed()) }),
    ...(accountId !== null && { accountId: text(accountId.toWellFormed()) }),
    // The table's key finds entries in the account's own chain; only its entries in other chains need an index.
    ...(accountId !== null && accountId !== '' && accountId !== chain && { accountKey: text(indexed(accountId)) }),
    // An outcome in its account's own chain does not use this key, so the key can mark the outcomes that the caps ignore.
    ...(entry.detail?.unsent === true && accountId === chain && { accountKey: text(UNSENT_KEY) }),
    ...(enrollment !== null && { enrollment: text(enrollment) }),
    ...(entry.detail?.optOut === true && { optOut: flag(true) }),
  };
}

/** The only attributes of a stored entry that change: whether it was published, which is not part of the entry. */
const MARKS: ReadonlySet<string> = new Set(['body', 'published', 'todoKey', 'todoTime']);

/**
 * Reads the entry of an item, and checks that the item's other attributes match it: the chain's hashes do not cover them.
 * @throws TamperedError naming the first attribute that differs
 */
export function untampered(item: Item, chain: string): LedgerEntry {
  const entry = toEntry(item);
  if (Number.isNaN(Date.parse(entry.at))) throw new TamperedError(chain, entry.seq, 'time');
  const said = foundBy(entry);
  if (entry.chain !== chain) throw new TamperedError(chain, entry.seq, 'chain');
  for (const name of new Set([...Object.keys(said), ...Object.keys(item)])) {
    if (!MARKS.has(name) && !isDeepStrictEqual(item[name], said[name])) throw new TamperedError(chain, entry.seq, name);
  }
  return entry;
}

function checkSize({ chain, seq, actor, runId }: LedgerEntry, body: string): void {
  const entry = `entry ${seq} of chain ${chain.slice(0, 100)}`;
  const nameBytes = Buffer.byteLength(chain);
  if (nameBytes === 0 || nameBytes > MAX_CHAIN_BYTES || !chain.isWellFormed()) {
    const found = `its chain's name has ${nameBytes} bytes or is not valid text; 1 to ${MAX_CHAIN_BYTES} bytes are allowed`;
    throw storeError('Rejected', entry, found, 'Nothing of the call was stored.');
  }
  // Actor and run are also stored as attributes of the item, for the indexes.
  const bytes = Buffer.byteLength(body) + Buffer.byteLength(actor) + Buffer.byteLength(runId ?? '');
  if (bytes > MAX_BODY_BYTES) {
    const found = `it has ${bytes} bytes; the maximum is ${MAX_BODY_BYTES}, because a DynamoDB item may have 400 KB`;
    throw storeError('TooLarge', entry, found, 'Nothing of the call was stored. Shorten its detail.');
  }
}

export function toEntry(item: Item): LedgerEntry {
  return inShownOrder(parseJson(item, readText(item, 'body'), 'a ledger entry', isLedgerEntry));
}
