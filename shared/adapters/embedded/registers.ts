import type { Register, Registers } from '../../ports/registers.ts';
import { isAnything } from '../stored-shapes.ts';
import type { Connection } from './connection.ts';
import type { Row, Sql } from './sql.ts';

/** Replaces all registers and gives each a version that was never used before. Call it inside a transaction. */
export function replaceRegisters(sql: Sql, registers: ReadonlyMap<string, unknown>): void {
  sql.run('DELETE FROM registers');
  for (const [name, value] of registers) {
    sql.run('INSERT INTO registers VALUES (?, ?, ?)', name, nextVersion(sql), JSON.stringify(value));
  }
}

export function sqliteRegisters(connection: Connection): Registers {
  return {
    read: (name) =>
      connection.read((sql) => {
        const row = sql.get('SELECT name, version, body FROM registers WHERE name = ?', name);
        return row === undefined ? null : toRegister(sql, row);
      }),
    async write(name, value, expected) {
      const body: string | undefined = JSON.stringify(value);
      if (body === undefined) throw new TypeError(`register ${name}: the value has no form in JSON`);
      return connection.write((sql) => {
        if (versionOf(sql, name) !== expected) return null;
        const version = nextVersion(sql);
        sql.run(
          'INSERT INTO registers VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET version = ?2, body = ?3',
          ...[name, version, body],
        );
        return version;
      });
    },
    remove: (name, expected) =>
      connection.write((sql) => sql.run('DELETE FROM registers WHERE name = ? AND version = ?', name, expected) === 1),
    list: (prefix) =>
      connection.read((sql) => {
        const found: Register[] = [];
        // Names with the prefix are adjacent, so the first name without it ends the listing.
        for (const row of sql.each('SELECT name, version, body FROM registers WHERE name >= ? ORDER BY name', prefix)) {
          if (!sql.text(row, 'name').startsWith(prefix)) break;
          found.push(toRegister(sql, row));
        }
        return found;
      }),
  };
}

function versionOf(sql: Sql, name: string): string | null {
  const row = sql.get('SELECT version FROM registers WHERE name = ?', name);
  return row === undefined ? null : sql.text(row, 'version');
}

/** All registers share one counter. So a register that is removed and created again never reuses a version. */
function nextVersion(sql: Sql): string {
  const row = sql.get(
    "UPDATE register_versions SET counter = counter + 1 RETURNING generation || '-' || counter AS version",
  );
  if (row === undefined) throw new Error('register_versions has lost its row');
  return sql.text(row, 'version');
}

function toRegister(sql: Sql, row: Row): Register {
  const value = sql.json(row, 'body', 'a register', isAnything);
  return { name: sql.text(row, 'name'), value, version: sql.text(row, 'version') };
}
