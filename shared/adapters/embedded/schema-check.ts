import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../ports/store-error.ts';
import type { Migration } from './schema.ts';

/*
 * The file may contain only the tables and indexes that the migrations make. A trigger that another program adds runs inside Rollcall's own
 * statements; it could, for example, undo a halt.
 */

interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  /** `null`: an index that SQLite made for a constraint. */
  readonly sql: string | null;
}

type Schema = ReadonlyMap<string, SchemaObject>;

/** Tables that SQLite itself creates (`ANALYZE`). They cannot run statements. */
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
  const objects = rows.map(({ type, name, tbl_name: table, sql = null }): SchemaObject => {
    const normalized = sql === null ? null : String(sql).replace(/\s+/g, ' ').trim();
    return { type: String(type), name: String(name), table: String(table), sql: normalized };
  });
  return new Map(objects.map((object) => [`${object.type} ${object.name}`, object]));
}

/** Compares the file's schema with that of the first `version` migrations. @throws StoreError `ForeignSchema` naming the first difference */
export function assertSchema(db: DatabaseSync, path: string, migrations: readonly Migration[], version: number): void {
  const found = readSchema(db);
  const expected = expectedSchema(migrations, version);
  for (const [key, object] of found) {
    const wanted = expected.get(key);
    const { type, name } = object;
    if (wanted === undefined && !(type === 'table' && OWN_TABLES.has(name)))
      throw foreign(path, `${nameOf(object)}, which Rollcall never makes`);
    if (wanted !== undefined && (wanted.sql !== object.sql || wanted.table !== object.table)) {
      throw foreign(path, `${nameOf(object)} with a definition that Rollcall never makes`);
    }
  }
  for (const [key, object] of expected) {
    if (!found.has(key)) throw foreign(path, `no ${nameOf(object)}, which Rollcall makes`);
  }
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

/** Checks the schema of a long-lived connection whenever it has changed. */
export class SchemaGuard {
  readonly #db: DatabaseSync;
  readonly #check: (db: DatabaseSync) => void;
  #checked: number | null = null;

  /** @param check throws if the schema is not the expected one */
  constructor(db: DatabaseSync, check: (db: DatabaseSync) => void) {
    this.#db = db;
    this.#check = check;
  }

  /** Call it inside a write transaction, during which no other process can change the schema. */
  assertUnchanged(): void {
    const version = Number(this.#db.prepare('PRAGMA schema_version').get()?.['schema_version']);
    if (version === this.#checked) return;
    this.#check(this.#db);
    this.#checked = version;
  }
}
