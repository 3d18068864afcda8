import { DatabaseSync } from 'node:sqlite';
import { BLOCKING_WAIT_MS } from './connection.ts';

/**
 * Opens a connection on which the schema of the file is not trusted: expressions in it may not call functions with side effects, and
 * neither the schema nor the file's internals can be written as if they were data [sqlite.org/security.html].
 */
export function openDatabase(name: string, { readOnly = false }: { readonly readOnly?: boolean } = {}): DatabaseSync {
  const db = new DatabaseSync(name, { readOnly, timeout: BLOCKING_WAIT_MS });
  try {
    db.enableDefensive(true);
    db.exec('PRAGMA trusted_schema = OFF');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
