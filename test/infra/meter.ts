import { createServer, request as forward, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { createTableInput } from '../../shared/adapters/aws/dynamodb/schema.ts';

/*
 * A proxy for a simulated DynamoDB that counts the read and write request units of a real one, by the rules of "DynamoDB read and write
 * operations" in AWS's guide. The simulation's own counts do not include indexes.
 */

/** The units so far. */
interface Units {
  readonly reads: number;
  readonly writes: number;
}

export interface Meter {
  readonly endpoint: string;
  readonly units: Units;
  close(): Promise<void>;
}

const attribute = z.record(z.string(), z.unknown());
const item = z.record(z.string(), attribute);
type Item = z.infer<typeof item>;

const KB = 1024;

/** The size of a value in bytes: a string's bytes, half a byte per digit, and three bytes plus the contents of a list or map. */
function sizeOf(value: unknown): number {
  const [[type, inner] = ['', null]] = Object.entries(attribute.parse(value));
  if (type === 'S') return Buffer.byteLength(String(inner));
  if (type === 'N') return Math.ceil(String(inner).replace(/[^0-9]/g, '').length / 2) + 1;
  if (type === 'B') return Buffer.from(String(inner), 'base64').length;
  if (type === 'BOOL' || type === 'NULL') return 1;
  if (type === 'M') return 3 + sizeOfItem(item.parse(inner)) + Object.keys(item.parse(inner)).length;
  if (type === 'L')
    return z
      .array(attribute)
      .parse(inner)
      .reduce((sum, each) => sum + 1 + sizeOf(each), 3);
  throw new Error(`no size is known for a value of type ${type}`);
}

function sizeOfItem(found: Item): number {
  return Object.entries(found).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOf(value), 0);
}

interface Index {
  readonly name: string;
  readonly keys: readonly string[];
  readonly attributes: readonly string[];
}

const table = createTableInput('any');
const INDEXES: readonly Index[] = [...(table.LocalSecondaryIndexes ?? []), ...(table.GlobalSecondaryIndexes ?? [])].map(
  ({ IndexName = '', KeySchema = [], Projection }) => {
    const keys = KeySchema.map(({ AttributeName = '' }) => AttributeName);
    return { name: IndexName, keys, attributes: ['pk', 'sk', ...keys, ...(Projection?.NonKeyAttributes ?? [])] };
  },
);

/** The part of an item that an index contains; `null`: the item is not in the index. */
function projected({ keys, attributes }: Index, from: Item | null): Item | null {
  if (from === null || !keys.every((key) => key in from)) return null;
  return Object.fromEntries(Object.entries(from).filter(([name]) => attributes.includes(name)));
}

const writeUnits = (found: Item | null): number => (found === null ? 0 : Math.ceil(sizeOfItem(found) / KB));

/** The units of a write: for the larger of the old and the new item, and for each addition, replacement or deletion in an index. */
export function unitsOfWrite(before: Item | null, after: Item | null): number {
  const own = Math.max(1, writeUnits(before), writeUnits(after));
  return INDEXES.reduce((sum, index) => {
    const [was, is] = [projected(index, before), projected(index, after)];
    if (was !== null && is !== null) {
      if (JSON.stringify(was) === JSON.stringify(is)) return sum;
      // A changed key counts as a deletion and a put.
      const moved = index.keys.some((key) => JSON.stringify(was[key]) !== JSON.stringify(is[key]));
      return sum + (moved ? writeUnits(was) + writeUnits(is) : Math.max(writeUnits(was), writeUnits(is)));
    }
    return sum + writeUnits(was) + writeUnits(is);
  }, own);
}

const consistency = z.looseObject({ ConsistentRead: z.boolean().default(false) });
const shapes = {
  GetItem: consistency,
  Query: consistency.extend({ IndexName: z.string().optional() }),
  BatchGetItem: z.object({ RequestItems: z.record(z.string(), consistency.extend({ Keys: z.array(item) })) }),
  PutItem: z.looseObject({ Item: item }),
  key: z.looseObject({ Key: item }),
  BatchWriteItem: z.object({
    RequestItems: z.record(
      z.string(),
      z.array(
        z.object({
          PutRequest: z.object({ Item: item }).optional(),
          DeleteRequest: z.object({ Key: item }).optional(),
        }),
      ),
    ),
  }),
  item: z.looseObject({ Item: item.optional() }),
  found: z.looseObject({ Items: z.array(item), ScannedCount: z.number() }),
  batch: z.looseObject({ Responses: z.record(z.string(), z.array(item)) }),
};

const readUnits = (bytes: number, consistent: boolean): number =>
  Math.max(1, Math.ceil(bytes / (4 * KB))) * (consistent ? 1 : 0.5);

/** @param question, answer the bodies of a successful call */
function unitsOfRead(operation: string, question: unknown, answer: unknown): number {
  if (operation === 'GetItem') {
    const found = shapes.item.parse(answer).Item;
    return readUnits(found === undefined ? 0 : sizeOfItem(found), shapes.GetItem.parse(question).ConsistentRead);
  }
  if (operation === 'BatchGetItem') {
    const [asked] = Object.values(shapes.BatchGetItem.parse(question).RequestItems);
    const [found = []] = Object.values(shapes.batch.parse(answer).Responses);
    const consistent = asked?.ConsistentRead ?? false;
    // Reading a missing item costs a unit too.
    const missing = (asked?.Keys.length ?? 0) - found.length;
    return found.reduce(
      (sum, each) => sum + readUnits(sizeOfItem(each), consistent),
      missing * readUnits(0, consistent),
    );
  }
  const { IndexName, ConsistentRead } = shapes.Query.parse(question);
  const { Items, ScannedCount } = shapes.found.parse(answer);
  const index = INDEXES.find(({ name }) => name === IndexName);
  const of = (each: Item): Item => (index === undefined ? each : (projected(index, each) ?? each));
  const bytes = Items.reduce((sum, each) => sum + sizeOfItem(of(each)), 0);
  // None of Rollcall's queries has a filter, so all items that are read are returned.
  if (ScannedCount !== Items.length) throw new Error(`a query read ${ScannedCount} items and brought ${Items.length}`);
  return readUnits(bytes, ConsistentRead);
}

interface Target {
  readonly TableName: string;
  readonly Key: Item;
}

const keyOf = ({ pk = {}, sk = {} }: Item): Item => ({ pk, sk });

/** The items that a call will write. */
function targetsOf(operation: string, question: unknown): readonly Target[] {
  const TableName = z.looseObject({ TableName: z.string().default('') }).parse(question).TableName;
  if (operation === 'PutItem') return [{ TableName, Key: keyOf(shapes.PutItem.parse(question).Item) }];
  if (operation === 'UpdateItem' || operation === 'DeleteItem')
    return [{ TableName, Key: shapes.key.parse(question).Key }];
  if (operation !== 'BatchWriteItem') return [];
  const requests = Object.entries(shapes.BatchWriteItem.parse(question).RequestItems);
  return requests.flatMap(([name, writes]) =>
    writes.map(({ PutRequest, DeleteRequest }) => {
      return { TableName: name, Key: keyOf(PutRequest?.Item ?? DeleteRequest?.Key ?? {}) };
    }),
  );
}

const READS: ReadonlySet<string> = new Set(['GetItem', 'BatchGetItem', 'Query']);

export async function startMeter(target: string): Promise<Meter> {
  const units = { reads: 0, writes: 0 };
  /** The items of one table, in the order of their keys. */
  const lookAtAll = async (targets: readonly Target[], headers: IncomingHttpHeaders): Promise<(Item | null)[]> => {
    const [first] = targets;
    if (first === undefined) return [];
    // Signed for another call, which dynalite does not mind.
    const asked = { ...headers, 'x-amz-target': 'DynamoDB_20120810.BatchGetItem' };
    const RequestItems = { [first.TableName]: { Keys: targets.map(({ Key }) => Key), ConsistentRead: true } };
    const { text } = await passOn(target, asked, JSON.stringify({ RequestItems }));
    const [found = []] = Object.values(shapes.batch.parse(JSON.parse(text)).Responses);
    return targets.map(({ Key }) => found.find((each) => isDeepStrictEqual(keyOf(each), Key)) ?? null);
  };
  const server = createServer(async (incoming, outgoing) => {
    const operation = String(incoming.headers['x-amz-target']).split('.').at(-1) ?? '';
    const body = await textOf(incoming);
    const question: unknown = JSON.parse(body);
    const targets = targetsOf(operation, question);
    const before = await lookAtAll(targets, incoming.headers);
    const answer = await passOn(target, incoming.headers, body);
    const taken = answer.status === 200;
    if (targets.length > 0) {
      // A write that fails its condition is charged like a successful one.
      const after = taken ? await lookAtAll(targets, incoming.headers) : before;
      units.writes += before.reduce((sum, was, n) => sum + unitsOfWrite(was, after[n] ?? null), 0);
    } else if (taken && READS.has(operation)) {
      units.reads += unitsOfRead(operation, question, JSON.parse(answer.text));
    }
    outgoing.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
    outgoing.end(answer.text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    units,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(stream: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}

function passOn(
  target: string,
  headers: IncomingHttpHeaders,
  body: string,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const { 'content-length': _, ...rest } = headers;
    const length = Buffer.byteLength(body);
    const outgoing = forward(target, { method: 'POST', headers: { ...rest, 'content-length': length } });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      textOf(response).then((text) => resolve({ status: response.statusCode ?? 500, text }), reject);
    });
    outgoing.end(body);
  });
}
