import {
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  type KeySchemaElement,
  type Projection,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { StoreError } from '../../../ports/store-error.ts';
import type { StoreRetry } from '../store-retry.ts';
import { createTableInput } from './schema.ts';

/** The differences of a table from {@link createTableInput}; additional indexes are allowed. @throws StoreError if the table cannot be described */
export async function findTableFaults(
  client: DynamoDBClient,
  table: string,
  retry: StoreRetry,
): Promise<readonly string[]> {
  try {
    const answer = await retry.run(`table ${table}`, 'DescribeTable', () =>
      client.send(new DescribeTableCommand({ TableName: table })),
    );
    return answer.Table === undefined
      ? [`table ${table}: DescribeTable returned no description`]
      : compare(answer.Table, table);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'NotFound') return [`table ${table} does not exist`];
    throw error;
  }
}

interface Index {
  readonly IndexName?: string | undefined;
  readonly KeySchema?: readonly KeySchemaElement[] | undefined;
  readonly Projection?: Projection | undefined;
  readonly IndexStatus?: string | undefined;
}

function compare(found: TableDescription, table: string): readonly string[] {
  const wanted: CreateTableCommandInput = createTableInput(table);
  const faults: string[] = [];
  const where = `table ${table}`;
  // A table accepts reads and writes while it is being updated.
  if (found.TableStatus !== 'ACTIVE' && found.TableStatus !== 'UPDATING') {
    faults.push(`${where} is ${found.TableStatus ?? 'in no known state'}, not ACTIVE`);
  }
  if (keysOf(found.KeySchema) !== keysOf(wanted.KeySchema)) {
    faults.push(`${where} has the key ${keysOf(found.KeySchema)}, expected ${keysOf(wanted.KeySchema)}`);
  }
  const types = new Map(found.AttributeDefinitions?.map((each) => [each.AttributeName, each.AttributeType]));
  for (const { AttributeName: name } of wanted.AttributeDefinitions ?? []) {
    const type = types.get(name);
    if (type !== undefined && type !== 'S') faults.push(`${where}: attribute ${name} is of type ${type}, expected S`);
  }
  faults.push(...indexFaults(where, 'local', found.LocalSecondaryIndexes, wanted.LocalSecondaryIndexes));
  faults.push(...indexFaults(where, 'global', found.GlobalSecondaryIndexes, wanted.GlobalSecondaryIndexes));
  return faults;
}

function indexFaults(
  where: string,
  kind: string,
  found: readonly Index[] | undefined,
  wanted: readonly Index[] | undefined,
): readonly string[] {
  const known = new Map(found?.map((index) => [index.IndexName, index]));
  return (wanted ?? []).flatMap((index) => {
    const present = known.get(index.IndexName);
    const name = `${where}: the ${kind} index ${index.IndexName}`;
    if (present === undefined) return [`${name} is missing`];
    const faults: string[] = [];
    if (keysOf(present.KeySchema) !== keysOf(index.KeySchema)) {
      faults.push(`${name} has the key ${keysOf(present.KeySchema)}, expected ${keysOf(index.KeySchema)}`);
    }
    const missing = missingFrom(present.Projection, index.Projection);
    if (missing.length > 0) faults.push(`${name} does not project ${missing.join(', ')}`);
    if (present.IndexStatus === 'CREATING' || present.IndexStatus === 'DELETING') {
      faults.push(`${name} is ${present.IndexStatus}`);
    }
    return faults;
  });
}

function keysOf(schema: readonly KeySchemaElement[] | undefined): string {
  return (schema ?? []).map((key) => `${key.AttributeName} (${key.KeyType})`).join(', ') || 'none';
}

function missingFrom(found: Projection | undefined, wanted: Projection | undefined): readonly string[] {
  if (found?.ProjectionType === 'ALL') return [];
  const projected = new Set(found?.NonKeyAttributes);
  return (wanted?.NonKeyAttributes ?? []).filter((name) => !projected.has(name));
}
