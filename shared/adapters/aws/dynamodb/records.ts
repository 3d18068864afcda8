import { type AccountRecord, wakeAt } from '../../../domain/account/record.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import { mapParallel } from '../../../domain/map-parallel.ts';
import type { DueRecord, Records } from '../../../ports/records.ts';
import { fromStoredRecord, isStoredRecord, toStoredRecord } from '../../stored-shapes.ts';
import { type Item, number, parseJson, readNumber, readText, refuseTooLarge, text } from './attributes.ts';
import { keyOf } from './ledger-query.ts';
import { merge } from './merge-sorted.ts';
import { RECORD_SHARDS, shardKey, shardKeys, timeKey } from './schema.ts';
import { type Dynamo, type Key, keyItem } from './table-client.ts';

const PAGE = 500;
/** How many records `advance` writes in parallel. */
const PARALLEL = 32;

export function dynamoRecords(dynamo: Dynamo): Records {
  return {
    async get(accountId) {
      const item = await dynamo.get(recordKey(accountId));
      return item === null ? null : toRecord(item);
    },
    async getMany(accountIds) {
      const records = (await dynamo.getMany(accountIds.map(recordKey))).map(toRecord);
      return new Map(records.map((record) => [record.accountId, record]));
    },
    all: () => pagesOfAll(dynamo, undefined, toRecord),
    heads: () =>
      pagesOfAll(dynamo, ['sk', 'seq'], (item) => ({ accountId: readText(item, 'sk'), seq: readNumber(item, 'seq') })),
    async view() {
      const items = new Map<AccountId, Item>();
      const readShard = async (pk: string): Promise<void> => {
        // An eventually consistent query is billed by its bytes at half price, BatchGetItem at least one unit per record.
        for await (const page of dynamo.query({ hash: ['pk', pk], only: ['pk', 'sk', 'body'], consistent: false })) {
          for (const item of page) items.set(readText(item, 'sk'), item);
        }
      };
      await Promise.all(shardKeys('record', RECORD_SHARDS).map(readShard));
      return {
        accountIds: [...items.keys()].sort(),
        async getMany(accountIds) {
          const found = new Map<AccountId, AccountRecord>();
          for (const id of accountIds) {
            const item = items.get(id);
            if (item !== undefined) found.set(id, toRecord(item));
          }
          return found;
        },
      };
    },
    async advance(records) {
      const newest = new Map<AccountId, AccountRecord>();
      for (const record of records) {
        const known = newest.get(record.accountId);
        if (known === undefined || known.head.seq < record.head.seq) newest.set(record.accountId, record);
      }
      const items = [...newest.values()].map(recordItem);
      await mapParallel(items, PARALLEL, (item) =>
        dynamo.put(item, {
          expression: 'attribute_not_exists(pk) OR seq < :seq',
          values: { ':seq': number(readNumber(item, 'seq')) },
        }),
      );
    },
    due: (until, limit) => readDue(dynamo, until, limit),
    async snooze(accountId, headSeq, until) {
      const condition = 'attribute_exists(pk) AND seq <= :head';
      const values = { ':head': number(headSeq) };
      if (until === null) {
        await dynamo.update(recordKey(accountId), 'REMOVE wake, todoKey, todoTime', { expression: condition, values });
        return;
      }
      const { wake, todoKey, todoTime } = dueAttributes(accountId, until);
      await dynamo.update(recordKey(accountId), 'SET wake = :wake, todoKey = :key, todoTime = :time', {
        expression: condition,
        values: { ...values, ':wake': wake, ':key': todoKey, ':time': todoTime },
      });
    },
  };
}

function recordKey(accountId: AccountId): Key {
  return { pk: shardKey('record', accountId, RECORD_SHARDS), sk: accountId };
}

/** @throws RangeError for an invalid time, because the record would never be due again */
function recordItem(record: AccountRecord): Item {
  const { accountId, head } = record;
  const wake = wakeAt(record);
  if (Number.isNaN(wake)) throw new RangeError(`the record of ${accountId} contains an invalid time`);
  const body = JSON.stringify(toStoredRecord(record));
  refuseTooLarge(`record of account ${accountId}`, Buffer.byteLength(body), 'Nothing of the call was stored.');
  return {
    ...keyItem(recordKey(accountId)),
    body: text(body),
    seq: number(head.seq),
    ...(wake !== null && dueAttributes(accountId, wake)),
  };
}

function dueAttributes(accountId: AccountId, wake: number) {
  return {
    wake: number(wake),
    todoKey: text(shardKey('due', accountId, RECORD_SHARDS)),
    todoTime: text(`${timeKey(wake)}#${accountId}`),
  };
}

function toRecord(item: Item): AccountRecord {
  return fromStoredRecord(parseJson(item, readText(item, 'body'), 'an account record', isStoredRecord));
}

async function* pagesOfAll<T>(
  dynamo: Dynamo,
  only: readonly string[] | undefined,
  read: (item: Item) => T,
): AsyncGenerator<readonly T[]> {
  const pageSize = Math.ceil((2 * PAGE) / RECORD_SHARDS);
  const streams = shardKeys('record', RECORD_SHARDS).map((pk) =>
    dynamo.query({ hash: ['pk', pk], pageSize, ...(only && { only }), consistent: true }),
  );
  let page: T[] = [];
  for await (const item of merge(streams, (a, b) => readText(a, 'sk') < readText(b, 'sk'))) {
    page.push(read(item));
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/**
 * Due records, earliest first. The index lags behind the table, so each record's time is checked in the table. A record whose time has just been set
 * may be missing; the next call finds it.
 */
async function readDue(dynamo: Dynamo, until: number, limit: number): Promise<readonly DueRecord[]> {
  const range = { name: 'todoTime', to: `${timeKey(until)}$` };
  const pageSize = Math.min(1_000, Math.ceil((2 * limit) / RECORD_SHARDS) + 2);
  const streams = shardKeys('due', RECORD_SHARDS).map((hash) =>
    dynamo.query({ index: 'todo', hash: ['todoKey', hash], range, pageSize, consistent: false }),
  );
  const due: DueRecord[] = [];
  let batch: Key[] = [];
  const read = async (): Promise<void> => {
    for (const item of await dynamo.getMany(batch)) {
      if (item['wake'] === undefined) continue;
      const wake = readNumber(item, 'wake');
      if (wake <= until) due.push({ record: toRecord(item), wakeAt: wake });
    }
    batch = [];
  };
  for await (const item of merge(streams, (a, b) => readText(a, 'todoTime') < readText(b, 'todoTime'))) {
    batch.push(keyOf(item));
    if (due.length + batch.length < limit) continue;
    await read();
    if (due.length >= limit) break;
  }
  await read();
  return due.sort((a, b) => a.wakeAt - b.wakeAt || (a.record.accountId < b.record.accountId ? -1 : 1)).slice(0, limit);
}
