import { mkdirSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { databasePath } from '../../shared/adapters/embedded/file.ts';
import type { Bench as AwsBench, SimulatedAws } from '../adapters/aws/stores.ts';

/*
 * Stores written by version 0.1.0 in November 2026: an embedded store and a table with the same content. Both contain every entry type and
 * register of that version. `expected.json` is the content as read back.
 */

/** When the stores were written. */
export const STORED_AT = Date.UTC(2026, 10, 29, 12);

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./stored/${name}.json`, import.meta.url), 'utf8'));

const dumpSchema = z.object({
  applicationId: z.int(),
  userVersion: z.int(),
  schema: z.array(z.string()),
  tables: z.record(z.string(), z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()])))),
});
const dump = dumpSchema.parse(read('embedded'));

const attribute = z.union([
  z.object({ S: z.string() }),
  z.object({ N: z.string() }),
  z.object({ BOOL: z.boolean() }),
  z.object({ B: z.string().transform((base64) => Buffer.from(base64, 'base64')) }),
]);
const items = z.array(z.record(z.string(), attribute)).parse(read('aws'));

export const expected = z
  .object({
    verify: z.record(z.string(), z.json()),
    ends: z.record(z.string(), z.object({ seq: z.int(), hash: z.string(), first: z.int(), entries: z.int() })),
    unpublished: z.array(z.string()),
    facts: z.record(z.string(), z.json()),
  })
  .parse(read('expected'));

function bodies(table: string, key: string): ReadonlyMap<string, unknown> {
  return new Map((dump.tables[table] ?? []).map((row) => [String(row[key]), JSON.parse(String(row['body']))]));
}
export const storedRecords = bodies('records', 'account_id');
export const storedRegisters = bodies('registers', 'name');

/** Recreates the file from SQL. */
export function restoreFile(dataDir: string): void {
  mkdirSync(dataDir);
  const db = new DatabaseSync(databasePath(dataDir));
  db.exec('BEGIN');
  for (const sql of dump.schema) db.exec(sql);
  for (const [table, rows] of Object.entries(dump.tables)) {
    for (const row of rows) {
      const names = Object.keys(row);
      db.prepare(`INSERT INTO ${table} (${names}) VALUES (${names.map(() => '?')})`).run(...Object.values(row));
    }
  }
  db.exec(`COMMIT; PRAGMA application_id = ${dump.applicationId}; PRAGMA user_version = ${dump.userVersion}`);
  db.close();
}

const BATCH = 25;

/** Writes the items into a new table. */
export async function restoreTable({ table: client }: SimulatedAws, { table }: AwsBench): Promise<void> {
  for (let from = 0; from < items.length; from += BATCH) {
    const puts = items.slice(from, from + BATCH).map((Item) => ({ PutRequest: { Item } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: puts } }));
  }
}
