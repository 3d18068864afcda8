import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { mapParallel } from '../../../domain/map-parallel.ts';
import { chunksOf } from '../../chunks.ts';
import { IncompleteAnswerError } from '../complete-answers.ts';
import { storeError } from '../store-errors.ts';
import type { StoreRetry } from '../store-retry.ts';
import { type Item, text } from './attributes.ts';

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** A condition on the item that is written. */
export interface Condition {
  readonly expression: string;
  readonly values?: Item;
}

export interface WriteOutcome {
  /** Whether the condition held and the item was written. */
  readonly stored: boolean;
  /** Whether there were earlier attempts. One of them may have stored the item without an answer, which makes the condition of a later one fail. */
  readonly retried: boolean;
}

export interface QueryRequest {
  /** Name of the index to query; default: the table itself. */
  readonly index?: string;
  readonly hash: readonly [name: string, value: string];
  /** Range of sort keys, inclusive on both ends. */
  readonly range?: { readonly name: string; readonly from?: string; readonly to?: string };
  readonly descending?: boolean;
  /** Items per page. A small page suits queries that need few items. */
  readonly pageSize?: number;
  /** Makes each page twice as large as the one before, for queries that usually need few items but may need many. Default false. */
  readonly growing?: boolean;
  /** The attributes to return; default: all. DynamoDB bills the whole item either way. */
  readonly only?: readonly string[];
  /** Strongly consistent reads; possible only on the table and its LSI. */
  readonly consistent: boolean;
}

/** Maximum number of items in a growing page. */
const MAX_PAGE = 1_000;
/** Maximum number of parallel requests. */
const PARALLEL = 32;
/** The limits of BatchGetItem and BatchWriteItem. */
const MAX_GETS = 100;
const MAX_WRITES = 25;
/** Makes every correct answer contain a member. Without it, the answer for a missing item would look like the empty answer of a broken proxy. */
const ASK_CAPACITY = { ReturnConsumedCapacity: 'TOTAL' } as const;

/** Operations on the table, with retries. Items are read with strong consistency. All methods throw StoreError. */
export class Dynamo {
  readonly #client: DynamoDBClient;
  readonly #retry: StoreRetry;
  readonly table: string;
  /** The table's name in error messages. */
  readonly resource: string;

  constructor(client: DynamoDBClient, table: string, retry: StoreRetry) {
    this.#client = client;
    this.#retry = retry;
    this.table = table;
    this.resource = `table ${table}`;
  }

  async get(key: Key): Promise<Item | null> {
    const input = { TableName: this.table, Key: keyItem(key), ConsistentRead: true, ...ASK_CAPACITY };
    const { Item: item } = await this.#run('GetItem', () => this.#client.send(new GetItemCommand(input)));
    return item ?? null;
  }

  put(item: Item, condition?: Condition): Promise<WriteOutcome> {
    const input = { TableName: this.table, Item: item, ...conditionInput(condition), ...ASK_CAPACITY };
    return this.#write('PutItem', () => this.#client.send(new PutItemCommand(input)));
  }

  /** @param change an UpdateExpression; its values are among those of `condition` */
  update(key: Key, change: string, condition: Condition): Promise<WriteOutcome> {
    const input = { ...this.#changeInput(key, condition), UpdateExpression: change };
    return this.#write('UpdateItem', () => this.#client.send(new UpdateItemCommand(input)));
  }

  remove(key: Key, condition: Condition): Promise<WriteOutcome> {
    const input = this.#changeInput(key, condition);
    return this.#write('DeleteItem', () => this.#client.send(new DeleteItemCommand(input)));
  }

  #changeInput(key: Key, condition: Condition) {
    return { TableName: this.table, Key: keyItem(key), ...conditionInput(condition), ...ASK_CAPACITY };
  }

  /** The pages of a query; stops reading when the consumer stops. */
  async *query(request: QueryRequest): AsyncGenerator<readonly Item[]> {
    const { index, range, descending = false, growing = false, only, consistent } = request;
    if (range?.from !== undefined && range.to !== undefined && range.from > range.to) return;
    const { KeyConditionExpression, names, values } = keyCondition(request);
    for (const name of only ?? []) names[`#only_${name}`] = name;
    let { pageSize } = request;
    let from: Item | undefined;
    do {
      const command = new QueryCommand({
        TableName: this.table,
        ScanIndexForward: !descending,
        ConsistentRead: consistent,
        KeyConditionExpression,
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: values,
        ...(index !== undefined && { IndexName: index }),
        ...(only !== undefined && { ProjectionExpression: only.map((name) => `#only_${name}`).join(', ') }),
        ...(pageSize !== undefined && { Limit: pageSize }),
        ...(from !== undefined && { ExclusiveStartKey: from }),
      });
      const { Items: items = [], LastEvaluatedKey } = await this.#run('Query', () => this.#client.send(command));
      if (items.length > 0) yield items;
      if (growing && pageSize !== undefined) pageSize = Math.min(2 * pageSize, MAX_PAGE);
      from = LastEvaluatedKey;
    } while (from !== undefined);
  }

  /** All items of a query. */
  async queryAll(request: QueryRequest): Promise<Item[]> {
    const found: Item[] = [];
    for await (const page of this.query(request)) found.push(...page);
    return found;
  }

  /** The items that exist, in no particular order. */
  async getMany(keys: readonly Key[]): Promise<Item[]> {
    const unique = [...new Map(keys.map((key) => [JSON.stringify([key.pk, key.sk]), key])).values()];
    const parts = await mapParallel(chunksOf(unique, MAX_GETS), PARALLEL, (part) => this.#getBatch(part));
    return parts.flat();
  }

  /** Puts items without conditions, in no particular order. Their keys must differ. */
  async putMany(items: readonly Item[]): Promise<void> {
    await this.#writeMany(items.map((item) => ({ PutRequest: { Item: item } })));
  }

  async removeMany(keys: readonly Key[]): Promise<void> {
    await this.#writeMany(keys.map((key) => ({ DeleteRequest: { Key: keyItem(key) } })));
  }

  async #getBatch(keys: readonly Key[]): Promise<readonly Item[]> {
    const found: Item[] = [];
    let open: Item[] = keys.map(keyItem);
    for (let attempt = 1; ; attempt += 1) {
      const RequestItems = { [this.table]: { Keys: open, ConsistentRead: true } };
      const { got, unprocessed } = await this.#run('BatchGetItem', async () => {
        const answer = await this.#client.send(new BatchGetItemCommand({ RequestItems }));
        const items = answer.Responses?.[this.table];
        const left = answer.UnprocessedKeys?.[this.table]?.Keys;
        if (items === undefined && left === undefined)
          throw new IncompleteAnswerError(`Responses.${this.table}`, answer);
        return { got: items ?? [], unprocessed: left ?? [] };
      });
      found.push(...got);
      open = unprocessed;
      if (open.length === 0) return found;
      // DynamoDB ends an answer at 16 MB, so unprocessed keys are an error only if an answer has no items.
      if (got.length > 0) attempt = 0;
      await this.#again('BatchGetItem', attempt);
    }
  }

  async #writeMany(requests: readonly WriteRequest[]): Promise<void> {
    await mapParallel(chunksOf(requests, MAX_WRITES), PARALLEL, async (part) => {
      let open = part;
      for (let attempt = 1; ; attempt += 1) {
        const command = new BatchWriteItemCommand({ RequestItems: { [this.table]: open } });
        const answer = await this.#run('BatchWriteItem', () => this.#client.send(command));
        const left = answer.UnprocessedItems?.[this.table] ?? [];
        if (left.length === 0) return;
        if (left.length < open.length) attempt = 0;
        open = left;
        await this.#again('BatchWriteItem', attempt);
      }
    });
  }

  async #again(operation: string, attempt: number): Promise<void> {
    if (attempt > this.#retry.maxRetries) {
      const found = `${operation} left items unprocessed after all retries`;
      throw storeError('Throttled', this.resource, found, 'Retry what was not acknowledged.');
    }
    if (attempt > 0) await this.#retry.pause(attempt);
  }

  #run<T>(operation: string, call: () => Promise<T>): Promise<T> {
    return this.#retry.run(this.resource, operation, call);
  }

  #write(operation: string, call: () => Promise<unknown>): Promise<WriteOutcome> {
    return this.#retry.run(this.resource, operation, async (attemptsBefore) => {
      const retried = attemptsBefore > 0;
      try {
        await call();
        return { stored: true, retried };
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return { stored: false, retried };
        throw error;
      }
    });
  }
}

export function keyItem({ pk, sk }: Key): Item {
  return { pk: text(pk), sk: text(sk) };
}

function conditionInput(condition: Condition | undefined) {
  if (condition === undefined) return {};
  const { expression, values } = condition;
  return { ConditionExpression: expression, ...(values !== undefined && { ExpressionAttributeValues: values }) };
}

function keyCondition({ hash, range }: QueryRequest) {
  const names: Record<string, string> = { '#hash': hash[0] };
  const values: Item = { ':hash': text(hash[1]) };
  let KeyConditionExpression = '#hash = :hash';
  const from = range?.from;
  const to = range?.to;
  if (range !== undefined && (from !== undefined || to !== undefined)) {
    names['#range'] = range.name;
    if (from !== undefined) values[':from'] = text(from);
    if (to !== undefined) values[':to'] = text(to);
    KeyConditionExpression +=
      from === undefined
        ? ' AND #range <= :to'
        : to === undefined
          ? ' AND #range >= :from'
          : ' AND #range BETWEEN :from AND :to';
  }
  return { KeyConditionExpression, names, values };
}
