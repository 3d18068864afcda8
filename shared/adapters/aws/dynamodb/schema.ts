import type { CreateTableCommandInput, KeySchemaElement, Projection } from '@aws-sdk/client-dynamodb';

/*
 * The one table of the `aws` profile: its keys, its indexes, and their costs.
 *
 *   what               pk                 sk               other attributes
 *   ─────────────────  ─────────────────  ───────────────  ─────────────────────────────────────────────────────────────
 *   ledger entry       chain#<chain>      <seq, 12 digits> body, entryHash, time; keys of the indexes; published
 *   chain (its end)    chains#<0..7>      <chain>          seq, entryHash: the last entry known to be stored; 0 before the first
 *   record             record#<0..15>     <account id>     body, seq, wake; todoKey and todoTime while it has a due time
 *   register           register#<0..15>   <name>           version, body or zipped; `removed` instead while it is a tombstone
 *   snapshot           facts              current          the snapshot's id, its meta, its number of buckets
 *   snapshot's name    facts              snapshot#<id>    at: when its save began, to remove abandoned snapshots
 *   snapshot's bucket  facts#<id>         bucket#<n>       about 128 accounts, compressed
 *   refreshed account  facts#<id>         account#<id>     body, which replaces the account in the bucket
 *
 *   index              hash                    range  holds                                     projects
 *   ─────────────────  ──────────────────────  ─────  ────────────────────────────────────────  ────────
 *   chain-time (LSI)   pk                      time   ledger entries                            FILTERS
 *   all-time           all#<0..7>              time   ledger entries                            FILTERS
 *   type-time          <type>#<0..7>           time   ledger entries                            FILTERS
 *   run-time           <run>#<0..7>            time   entries of a run                          FILTERS
 *   actor-time         <actor>#<0..7>          time   ledger entries                            FILTERS
 *   account-time       <account>               time   entries about an account in another chain FILTERS
 *                      #unsent                 time   outcomes of calls that were never sent    FILTERS
 *                      #approved               time   intents under an approval                 FILTERS
 *   todo               outbox#<0..7>           time   entries not yet marked as published       keys
 *   todo               due#<0..15>             wake   records with a due time                   keys
 *
 * `time` is `<epoch ms, 16 digits>#<chain>#<seq>`: unique, so that a page can end after any entry.
 *
 * Consistency. A global index (GSI) usually follows the table within a second, but AWS promises no limit:
 *   strong:    head, read, chains; query by account (the LSI); records except `due` and `view`, registers, snapshots
 *   eventual:  query by run, type, actor, enrollment or time alone, changedSince, reachedSince, outline, unpublished, due, `view` of the records. They may
 *              miss the latest writes; a later read returns these. `changedSince` is used with the register `claimed-changes`, which has them.
 * Entries and records that an index finds are then read from the table, so their content is never outdated.
 *
 * Costs. A write unit (WRU) is 1 KB written, a strongly consistent read unit (RRU) 4 KB read. An entry has about 1.2 KB, a record 1.3 KB, an
 * index item 0.35 KB:
 *   append one entry     1 head: 2 RRU · entry 2 + LSI 1 + four indexes 4 + outbox 1 + the chain's end 1 = 9 WRU
 *                        (a chain's first entry: +1 WRU; an entry without a run: −1)
 *   markPublished        entry 2 + outbox 1 = 3 WRU
 *   advance a record     2 WRU, and 1 to 2 more if its due time changes
 *   register             1 WRU a write, 1 RRU a read (a stored plan of 20,000 changes: about 150 WRU)
 *   save 10,000 accounts 79 buckets of 5 KB: 400 WRU, and as many to delete the old ones; unchanged accounts: 1 WRU; get: 3 to 4 RRU
 *   view of the records  8 records per RRU at half price: 10,000: 1,900 RRU for records of 1.5 KB
 *   query a page of 100  8 shards: 8 RRU of index, then 100 RRU of entries
 *   tails (as-of)        ends of all chains: 300 RRU for 10,000; each account: 1 to 2 RRU of its LSI, 3 of entries, 1 for its first entry. If a kind
 *                        occurs only in the account's first entry or nowhere, the LSI is read that far, at 11 entries per RRU
 *   ends                 35 chains per RRU
 *   prune                1 RRU for 30 keys, and as many WRU per entry as it took to write it
 *   reachedSince         20 entries per RRU, from the index of all entries
 *   facts                20 entries per RRU, eventually consistent at half price: 50,000 entries: 1,250 RRU
 *   outline              20 entries per RRU, eventually consistent at half price: a run of 10,000 accounts with two changes each: 2,000 RRU
 *   changedSince         20 intents per RRU, eventually consistent at half price: 10,000 in a day: 250 RRU
 *
 * Load. docs/explanation/architecture.md shows that no partition key gets more than a partition takes (1,000 WRU and 3,000 RRU a second). A chain, like any
 * partition key of a table with an LSI, may have 10 GB: about 6 million entries.
 */

/** Over how many partition keys the entries of an index are spread, by a hash of chain and sequence number. */
export const ENTRY_SHARDS = 8;
/** Over how many partition keys chains, records and registers are spread, by a hash of their name. */
export const CHAIN_SHARDS = 8;
export const RECORD_SHARDS = 16;
export const REGISTER_SHARDS = 16;

/** The attributes that indexes of entries contain, so that filters apply before the entry itself is read. */
const FILTERS = ['type', 'accountId', 'enrollment', 'runId', 'actor', 'optOut'] as const;

const TIME_INDEXES = [
  ['all-time', 'allKey'],
  ['type-time', 'typeKey'],
  ['run-time', 'runKey'],
  ['actor-time', 'actorKey'],
  ['account-time', 'accountKey'],
] as const;

export const TIME_INDEX_KEYS: ReadonlyMap<string, string> = new Map([['chain-time', 'pk'], ...TIME_INDEXES]);

/** Keys and indexes of the table. The deployment adds encryption, point-in-time recovery and deletion protection. Nothing expires, so there is no TTL. */
export function createTableInput(table: string): CreateTableCommandInput {
  const attributes = ['pk', 'sk', 'time', ...TIME_INDEXES.map(([, key]) => key), 'todoKey', 'todoTime'];
  const entries: Projection = { ProjectionType: 'INCLUDE', NonKeyAttributes: [...FILTERS] };
  const index = (name: string, hash: string, range: string, projection: Projection) => ({
    IndexName: name,
    KeySchema: keySchema(hash, range),
    Projection: projection,
  });
  return {
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: attributes.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: keySchema('pk', 'sk'),
    LocalSecondaryIndexes: [index('chain-time', 'pk', 'time', entries)],
    GlobalSecondaryIndexes: [
      ...TIME_INDEXES.map(([name, key]) => index(name, key, 'time', entries)),
      index('todo', 'todoKey', 'todoTime', { ProjectionType: 'KEYS_ONLY' }),
    ],
  };
}

function keySchema(hash: string, range: string): KeySchemaElement[] {
  return [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ];
}

/** The shard of a name: FNV-1a over its UTF-16 code units. It must never change, because stored keys depend on it. */
export function shardOf(name: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % shards;
}

/** The partition keys of items that are spread over `shards`. */
export function shardKeys(family: string, shards: number): readonly string[] {
  return Array.from({ length: shards }, (_, shard) => `${family}#${shard}`);
}

export function shardKey(family: string, name: string, shards: number): string {
  return `${family}#${shardOf(name, shards)}`;
}

const TIME_DIGITS = 16;
const SEQ_DIGITS = 12;

/** Epoch ms as text that sorts like the number. Times before 1970 do not occur; they would sort as 1970. */
export function timeKey(epochMs: number): string {
  return String(Math.max(0, Math.trunc(epochMs))).padStart(TIME_DIGITS, '0');
}

/** The time at the beginning of a sort key, epoch ms. */
export function epochOf(key: string): number {
  return Number(key.slice(0, TIME_DIGITS));
}

export function seqKey(seq: number): string {
  return String(seq).padStart(SEQ_DIGITS, '0');
}
