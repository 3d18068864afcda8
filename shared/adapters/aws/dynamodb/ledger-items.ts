import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../../../domain/canonical-hash.ts';
import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import type { StoredEntry } from '../../../domain/ledger/stored-entry.ts';
import { TamperedError } from '../../../ports/ledger.ts';
import { inShownOrder, isLedgerEntry, toEpoch } from '../../stored-shapes.ts';
import { storeError } from '../store-errors.ts';
import { flag, type Item, parseJson, readText, refuseTooLarge, text } from './attributes.ts';
import { ENTRY_SHARDS, seqKey, shardKey, shardOf, timeKey } from './schema.ts';
import type { Key } from './table-client.ts';

/** Maximum length of a chain's name. DynamoDB's limit for a sort key is 1,024 bytes, and the key also contains time and sequence number. */
const MAX_CHAIN_BYTES = 512;
/** How much of a value is used in an index key. DynamoDB's limit is 2,048 bytes; results are compared with the whole value. */
const MAX_KEY_CHARS = 300;

/** The key, in the index of accounts, of outcomes of intents that were never sent. No account has this id. */
export const UNSENT_KEY = '#unsent';

/** The key, in the index of accounts, of intents under an approval. No account has this id. */
export const APPROVED_KEY = '#approved';

export function entryKey(chain: string, seq: number): Key {
  return { pk: `chain#${chain}`, sk: seqKey(seq) };
}

/** The entry's sort key by time. It is unique and the same in every index. */
function entryTime(entry: Pick<LedgerEntry, 'at' | 'chain' | 'seq'>): string {
  return `${timeKey(toEpoch(entry.at))}#${entry.chain}#${seqKey(entry.seq)}`;
}

/** The partition keys of a value in an index of entries. */
export function entryShards(value: string): readonly string[] {
  return Array.from({ length: ENTRY_SHARDS }, (_, shard) => `${indexed(value)}#${shard}`);
}

export function indexed(value: string): string {
  // DynamoDB would store an unpaired surrogate as another character, so that the key would no longer match.
  return value.slice(0, MAX_KEY_CHARS).toWellFormed();
}

/**
 * The item of an entry that is not yet published.
 * @throws StoreError `TooLarge` if DynamoDB would not accept it, `Rejected` for a name that is not a valid key; RangeError for an invalid time
 */
export function entryItem(entry: LedgerEntry): Item {
  // The stored text must be exactly the hashed text. Otherwise verification would report the entry as changed.
  const body = canonicalJson(entry);
  checkSize(entry, body);
  const { chain, seq } = entry;
  const todo = { todoKey: text(shardKey('outbox', `${chain}#${seq}`, ENTRY_SHARDS)), todoTime: text(entryTime(entry)) };
  return { ...foundBy(entry), body: text(body), ...todo };
}

/** The attributes by which an entry is found: its keys, index keys and projected attributes. All are computed from the entry. */
function foundBy(entry: LedgerEntry): Item {
  const { chain, seq, type, actor, runId, accountId, enrollment } = entry;
  const time = entryTime(entry);
  const shard = shardOf(`${chain}#${seq}`, ENTRY_SHARDS);
  const key = (value: string) => text(`${indexed(value)}#${shard}`);
  return {
    pk: text(`chain#${chain}`),
    sk: text(seqKey(seq)),
    entryHash: text(entry.hash),
    time: text(time),
    allKey: key('all'),
    typeKey: key(type),
    actorKey: key(actor),
    type: text(type),
    actor: text(actor.toWellFormed()),
    ...(runId !== null && { runKey: key(runId), runId: text(runId.toWellFormed()) }),
    ...(accountId !== null && { accountId: text(accountId.toWellFormed()) }),
    // Entries in the account's own chain are found by the table's key. Only entries about it in other chains need this index.
    ...(accountId !== null && accountId !== '' && accountId !== chain && { accountKey: text(indexed(accountId)) }),
    // In the account's own chain this key has no other use, so it marks entries for the change caps: outcomes of unsent calls, and approved intents.
    ...(entry.detail?.unsent === true && accountId === chain && { accountKey: text(UNSENT_KEY) }),
    ...(isApproved(entry) && accountId === chain && { accountKey: text(APPROVED_KEY) }),
    ...(enrollment !== null && { enrollment: text(enrollment) }),
    ...(entry.detail?.optOut === true && { optOut: flag(true) }),
  };
}

const isApproved = ({ type, detail }: LedgerEntry): boolean =>
  type === 'RemediationStarted' && detail?.approvedPlan !== undefined;

/** Attributes that do not follow from the entry's fields: its text, and whether it was published. */
const MARKS: ReadonlySet<string> = new Set(['body', 'published', 'todoKey', 'todoTime']);

/** Reads an entry and compares the item's attributes with it, because the chain's hashes do not cover them. @throws TamperedError */
export function untampered(item: Item, chain: string): StoredEntry {
  const stored = toStored(item);
  const { entry } = stored;
  if (Number.isNaN(Date.parse(entry.at))) throw new TamperedError(chain, entry.seq, 'time');
  const said = foundBy(entry);
  if (entry.chain !== chain) throw new TamperedError(chain, entry.seq, 'chain');
  for (const name of new Set([...Object.keys(said), ...Object.keys(item)])) {
    if (!MARKS.has(name) && !isDeepStrictEqual(item[name], said[name])) throw new TamperedError(chain, entry.seq, name);
  }
  return stored;
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
  refuseTooLarge(entry, bytes, 'Nothing of the call was stored. Shorten its detail.');
}

export function toEntry(item: Item): LedgerEntry {
  return inShownOrder(toStored(item).entry);
}

function toStored(item: Item): StoredEntry {
  const body = readText(item, 'body');
  return { entry: parseJson(item, body, 'a ledger entry', isLedgerEntry), text: body };
}
