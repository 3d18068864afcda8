import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { StoreError } from '../../ports/store-error.ts';
import type { Migration } from './schema.ts';

/*
 * A trigger or a view in the file runs inside Rollcall's own statements: it could undo a halt in the same transaction that sets it. So the file may
 * contain only the objects that the migrations make.
 */

interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  /** `null`: an index that SQLite made for a constraint. */
  readonly sql: string | null;
}

type Schema = ReadonlyMap<string, SchemaObject>;

/** SQLite's own tables, which `ANALYZE` creates. They cannot run statements. */
const OWN_TABLES: ReadonlySet<string> = new Set(['sqlite_sequence', 'sqlite_stat1', 'sqlite_stat3', 'sqlite_stat4']);

const known = new WeakMap<readonly Migration[], Map<number, Schema>>();

/** The schema that the first `version` migrations make. */
function expectedSchema(migrations: readonly Migration[], version: number): Schema {
  const versions = known.get(migrations) ?? new Map<number, Schema>();
  known.set(migrations, versions);
  const made = versions.get(version) ?? makeSchema(migrations.slice(0, version));
  versions.set(version, made);
  return made;
}

function makeSchema(migrations: readonly Migration[]): Schema {
  const db = new DatabaseSync(':memory:');
  try {
    for (const { up } of migrations) up(db);
    return readSchema(db);
  } finally {
    db.close();
  }
}

function readSchema(db: DatabaseSync): Schema {
  const rows = db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type DESC, name').all();
  const objects = rows.map((row): SchemaObject => {
    const sql = row['sql'] ?? null;
    return {
      type: text(row['type']),
      name: text(row['name']),
      table: text(row['tbl_name']),
      sql: sql === null ? null : text(sql).replace(/\s+/g, ' ').trim(),
    };
  });
  return new Map(objects.map((object) => [`${object.type} ${object.name}`, object]));
}

function text(value: SQLOutputValue | undefined): string {
  return typeof value === 'string' ? value : String(value);
}

/**
 * Compares the file's schema with the one that the first `version` migrations make.
 * @throws StoreError `ForeignSchema` naming the first object that differs.
 */
export function assertSchema(db: DatabaseSync, path: string, migrations: readonly Migration[], version: number): void {
  const found = readSchema(db);
  const expected = expectedSchema(migrations, version);
  for (const [key, object] of found) {
    const wanted = expected.get(key);
    if (wanted === undefined && !isSqlites(object))
      throw foreign(path, `${nameOf(object)}, which Rollcall never makes`);
    if (wanted !== undefined && (wanted.sql !== object.sql || wanted.table !== object.table)) {
      throw foreign(path, `${nameOf(object)} with a definition that Rollcall never makes`);
    }
  }
  for (const [key, object] of expected) {
    if (!found.has(key)) throw foreign(path, `no ${nameOf(object)}, which Rollcall makes`);
  }
}

function isSqlites({ type, name }: SchemaObject): boolean {
  return type === 'table' && OWN_TABLES.has(name);
}

function nameOf({ type, name, table }: SchemaObject): string {
  const printable = JSON.stringify(name.slice(0, 100));
  return type === 'table' || type === 'view'
    ? `${type} ${printable}`
    : `${type} ${printable} on table ${table.slice(0, 100)}`;
}

function foreign(path: string, found: string): StoreError {
  return new StoreError({
    code: 'ForeignSchema',
    resource: path,
    found: `the database has ${found}`,
    expected: 'only the tables and indexes of its schema version',
    remedy:
      'Another program has changed it, so its content, including a halt, cannot be trusted. It was left as it is. Stop every ' +
      'Rollcall process on it, find out who can write to it, and restore a backup with `rollcall restore FILE`, which sets this file aside.',
  });
}

/** Detects, in a long-lived connection, that the schema has changed since it was checked. */
export class SchemaGuard {
  readonly #db: DatabaseSync;
  readonly #check: (db: DatabaseSync) => void;
  #checked: number | null = null;

  /** @param check throws if the schema is not the expected one */
  constructor(db: DatabaseSync, check: (db: DatabaseSync) => void) {
    this.#db = db;
    this.#check = check;
  }

  /** Call it inside a transaction, in which the schema can no longer change. */
  assertUnchanged(): void {
    const version = Number(this.#db.prepare('PRAGMA schema_version').get()?.['schema_version']);
    if (version === this.#checked) return;
    this.#check(this.#db);
    this.#checked = version;
  }
}
