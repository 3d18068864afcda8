import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { sealEntry } from '../../domain/ledger/entry.ts';
import type { Reconcile, Reconciled, Replaced, StoredContent } from '../../ports/restore.ts';
import { toEpoch } from '../stored-shapes.ts';
import { openDatabase } from './database.ts';
import { toStoreError, translating } from './errors.ts';
import { holdFile } from './file.ts';
import { appendOne, headOfChain } from './ledger.ts';
import { replaceRegisters } from './registers.ts';
import { Sql } from './sql.ts';
import { contentOf, lostEntries, publishedSince } from './stored-content.ts';

/**
 * Replaces the content of an open store by that of the draft (the checked copy of the backup). `db` has an open transaction, which this function commits,
 * and the draft attached as `restored`.
 */
export function replaceContent<Report>(
  db: DatabaseSync,
  path: string,
  { backup, reconcile }: { readonly backup: StoredContent; readonly reconcile: Reconcile<Report> },
): Report {
  return translating(path, () => {
    const sql = new Sql(db, path);
    const reconciled = reconcile(backup, { kind: 'store', content: contentOf(sql), lost: lostEntries(sql) });
    const published = publishedSince(sql);
    copyTables(db, sql);
    for (const { chain, seq } of published) {
      sql.run('UPDATE ledger SET published = 1 WHERE chain = ? AND seq = ?', chain, seq);
    }
    write(sql, reconciled);
    db.exec('COMMIT');
    return reconciled.report;
  });
}

/** `INSERT … SELECT *` is fast because SQLite copies whole rows if both tables have the same schema and the target is empty. */
function copyTables(db: DatabaseSync, sql: Sql): void {
  const tables = sql.all(
    "SELECT name FROM restored.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
  );
  for (const row of tables) {
    const name = `"${sql.text(row, 'name')}"`;
    db.exec(`DELETE FROM main.${name}; INSERT INTO main.${name} SELECT * FROM restored.${name}`);
  }
}

function write<Report>(sql: Sql, { registers, drafts }: Reconciled<Report>): void {
  replaceRegisters(sql, registers);
  for (const draft of drafts) {
    const entry = sealEntry(draft, headOfChain(sql, draft.chain));
    appendOne(sql, entry, toEpoch(entry.at));
  }
}

/** Reconciles inside the draft. For a missing store, and for a damaged one, whose content cannot be replaced in place. */
export function reconcileAlone<Report>(draft: string, reconcile: Reconcile<Report>, replaced: Replaced): Report {
  const db = openDatabase(draft);
  try {
    db.exec('BEGIN IMMEDIATE');
    const sql = new Sql(db, draft);
    const reconciled = reconcile(contentOf(sql), replaced);
    write(sql, reconciled);
    db.exec('COMMIT');
    return reconciled.report;
  } finally {
    db.close();
  }
}

/** Reconciles with what can be read of a damaged store. That content can only make the restored settings stricter. */
export function reconcileWithRest<Report>(draft: string, path: string, reconcile: Reconcile<Report>): Report {
  if (!existsSync(path)) return reconcileAlone(draft, reconcile, { kind: 'damaged', content: null });
  let db: DatabaseSync | null = null;
  const letGo = holdFile(path);
  try {
    db = openDatabase(path, { readOnly: true });
    const content = contentOf(new Sql(db, path));
    return reconcileAlone(draft, reconcile, { kind: 'damaged', content });
  } catch (error) {
    const known = toStoreError(error, path);
    if (known.code === 'Internal' || known.resource !== path) throw error;
    return reconcileAlone(draft, reconcile, { kind: 'damaged', content: null });
  } finally {
    db?.close();
    letGo();
  }
}
