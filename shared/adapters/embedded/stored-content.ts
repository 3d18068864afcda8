import { type AccountRecord, emptyRecord, foldEntry } from '../../domain/account/record.ts';
import { storedKey } from '../../domain/decision/changed-accounts.ts';
import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import type { EntryType } from '../../domain/ledger/entry-types.ts';
import { type LastChange, type LostEntries, MAX_LOST_RUNS, type StoredContent } from '../../ports/restore.ts';
import { fromStoredRecord, isAnything, isSnapshotMeta, isStoredRecord } from '../stored-shapes.ts';
import { headOfChain, toEntry } from './ledger.ts';
import { APPROVED_PLAN } from './schema.ts';
import type { Sql } from './sql.ts';

/** Reads the content of a store's database. During a restore the draft is attached too; table names without a schema mean the main database. */
export function contentOf(sql: Sql): StoredContent {
  const record = (accountId: AccountId): AccountRecord | null => {
    const row = sql.get('SELECT account_id, body FROM records WHERE account_id = ?', accountId);
    const stored = row === undefined ? null : sql.json(row, 'body', 'a record', isStoredRecord);
    return caughtUp(sql, stored === null ? emptyRecord(accountId) : fromStoredRecord(stored));
  };
  return {
    organizationId: () => {
      const row = sql.get('SELECT body FROM snapshot');
      return row === undefined ? null : sql.json(row, 'body', 'the snapshot', isSnapshotMeta).organizationId;
    },
    registers: () => {
      const rows = sql.all('SELECT name, body FROM registers ORDER BY name');
      return new Map(rows.map((row) => [sql.text(row, 'name'), sql.json(row, 'body', 'a register', isAnything)]));
    },
    head: (chain) => headOfChain(sql, chain),
    changedSince: (since) => changedSince(sql, since),
    *records() {
      const chains = sql.all("SELECT chain FROM chains WHERE chain <> 'organization' ORDER BY chain");
      for (const row of chains) {
        const found = record(sql.text(row, 'chain'));
        if (found !== null) yield found;
      }
    },
    record,
    intent: (accountId, entryId) => lastEntry(sql, accountId, 'RemediationStarted', (entry) => entry.id === entryId),
    outcome: (accountId, intentId) => lastEntry(sql, accountId, null, ({ detail }) => detail?.intentId === intentId),
    contest: (accountId, enrollment: EnrollmentId) =>
      lastEntry(sql, accountId, 'FlapDetected', (entry) => entry.enrollment === enrollment),
  };
}

/** The record with all entries of its chain applied; `null` if the chain has none. */
function caughtUp(sql: Sql, record: AccountRecord): AccountRecord | null {
  const { accountId, head } = record;
  // A record that is ahead of its chain does not belong to the chain, so it is computed again from the chain's start.
  const from = head.seq <= headOfChain(sql, accountId).seq ? record : emptyRecord(accountId);
  const rows = sql.all('SELECT body FROM ledger WHERE chain = ? AND seq > ? ORDER BY seq', accountId, from.head.seq);
  const caught = rows.reduce((known, row) => foldEntry(known, toEntry(sql, row)), from);
  return caught.head.seq === 0 ? null : caught;
}

/** @param type `null`: any */
function lastEntry(
  sql: Sql,
  accountId: AccountId,
  type: EntryType | null,
  wanted: (entry: LedgerEntry) => boolean,
): LedgerEntry | null {
  const text = 'SELECT body FROM ledger WHERE chain = ? AND type = coalesce(?, type) ORDER BY seq DESC';
  const rows = sql.each(text, ...[accountId, type]);
  for (const row of rows) {
    const entry = toEntry(sql, row);
    if (wanted(entry)) return entry;
  }
  return null;
}

function changedSince(sql: Sql, since: number): ReadonlyMap<string, LastChange> {
  const rows = sql.all(
    `SELECT account_id, iif(${APPROVED_PLAN} IS NULL, NULL, enrollment) AS approved,
       max(at) AS at, max(iif(opt_out = 1, at, NULL)) AS opt_out_at
     FROM ledger INDEXED BY ledger_changes
     WHERE type = 'RemediationStarted' AND at >= ? AND account_id IS NOT NULL GROUP BY 1, 2`,
    since,
  );
  return new Map(
    rows.map((row) => {
      const optOutAt = row['opt_out_at'] === null ? null : sql.number(row, 'opt_out_at');
      const approved = row['approved'] === null ? null : sql.text(row, 'approved');
      return [storedKey(sql.text(row, 'account_id'), approved), { at: sql.number(row, 'at'), optOutAt }];
    }),
  );
}

const MISSING = `FROM main.ledger AS present WHERE NOT EXISTS (
  SELECT 1 FROM restored.ledger AS kept WHERE kept.chain = present.chain AND kept.seq = present.seq AND kept.hash = present.hash)
  AND present.seq >= coalesce((SELECT min(seq) FROM restored.ledger AS first WHERE first.chain = present.chain), 0)`;

/** Entries that the main database has and the attached database `restored` lacks. Entries that were pruned in `restored` do not count. */
export function lostEntries(sql: Sql): LostEntries {
  const counted = sql.get(`SELECT count(*) AS entries, min(at) AS first, max(at) AS last ${MISSING}`);
  if (counted === undefined) throw new Error('count(*) gives one row');
  const entries = sql.number(counted, 'entries');
  if (entries === 0) return { entries, from: null, to: null, runs: 0, runIds: [] };
  const runs = sql.all(`SELECT run_id ${MISSING} AND type = 'ScanStarted' AND run_id IS NOT NULL ORDER BY at DESC`);
  const runIds = [...new Set(runs.map((row) => sql.text(row, 'run_id')))];
  return {
    entries,
    from: sql.number(counted, 'first'),
    to: sql.number(counted, 'last'),
    runs: runIds.length,
    runIds: runIds.slice(0, MAX_LOST_RUNS),
  };
}

/** Entries of both databases that were published after the backup was made and must not be published again. */
export function publishedSince(sql: Sql): readonly { readonly chain: string; readonly seq: number }[] {
  const rows = sql.all(
    `SELECT kept.chain AS chain, kept.seq AS seq FROM restored.ledger AS kept JOIN main.ledger AS present
     ON present.chain = kept.chain AND present.seq = kept.seq AND present.hash = kept.hash
     WHERE kept.published = 0 AND present.published = 1`,
  );
  return rows.map((row) => ({ chain: sql.text(row, 'chain'), seq: sql.number(row, 'seq') }));
}
