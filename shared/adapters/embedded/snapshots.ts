import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OrganizationAccount } from '../../domain/policy/types.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';
import { isOrganizationAccount, isSnapshotMeta, type SnapshotMeta } from '../stored-shapes.ts';
import type { Connection } from './connection.ts';
import type { Row, Sql } from './sql.ts';

export function sqliteSnapshots(connection: Connection): SnapshotStore {
  return {
    save: ({ accounts, ...meta }) =>
      connection.write((sql) => {
        sql.run('DELETE FROM facts');
        put(sql, accounts);
        sql.run('INSERT OR REPLACE INTO snapshot VALUES (1, ?)', JSON.stringify(meta));
      }),
    async load() {
      // Reading a large organization blocks the event loop for tens of milliseconds, so pending requests to AWS are sent first.
      await nextTurn();
      return connection.snapshot((sql) => {
        const meta = readMeta(sql);
        if (meta === null) return null;
        const accounts: OrganizationAccount[] = [];
        for (const row of sql.each('SELECT account_id, body FROM facts ORDER BY account_id'))
          accounts.push(toFacts(sql, row));
        return { ...meta, accounts };
      });
    },
    meta: () => connection.read(readMeta),
    get: (accountId) =>
      connection.read((sql) => {
        const row = sql.get('SELECT account_id, body FROM facts WHERE account_id = ?', accountId);
        return row === undefined ? null : toFacts(sql, row);
      }),
    refresh: (accounts) => connection.write((sql) => put(sql, accounts)),
    remove: (accountIds) =>
      connection.write((sql) => {
        for (const id of accountIds) sql.run('DELETE FROM facts WHERE account_id = ?', id);
      }),
  };
}

function put(sql: Sql, accounts: readonly OrganizationAccount[]): void {
  for (const account of accounts) {
    sql.run('INSERT OR REPLACE INTO facts VALUES (?, ?)', account.id, JSON.stringify(account));
  }
}

function readMeta(sql: Sql): SnapshotMeta | null {
  const row = sql.get('SELECT body FROM snapshot');
  return row === undefined ? null : sql.json(row, 'body', 'the snapshot', isSnapshotMeta);
}

function toFacts(sql: Sql, row: Row): OrganizationAccount {
  const facts = sql.json(row, 'body', 'an account', isOrganizationAccount);
  sql.same(row, 'account_id', facts.id, 'an account');
  return facts;
}
