import { DatabaseSync } from 'node:sqlite';
import { BLOCKING_WAIT_MS } from './connection.ts';

/** Opens a database without trusting its schema: expressions in it cannot call functions with side effects [sqlite.org/security.html]. */
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
