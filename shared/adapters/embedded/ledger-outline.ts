import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import { ENTRY_TYPES, STEP_TYPES } from '../../domain/ledger/entry-types.ts';
import type { RunOutline, RunStep } from '../../ports/ledger.ts';
import type { Row, Sql } from './sql.ts';

export const COUNTS = 'SELECT type, count(*) AS n FROM ledger INDEXED BY ledger_steps WHERE run_id = ? GROUP BY type';

/** SQLite takes the other columns from the row with the max(): so `type` is the type of the last entry. */
export const STEPS = `
  SELECT account_id, enrollment, type, max(seq) AS seq, sum(type = 'RemediationStarted') AS intents
  FROM ledger INDEXED BY ledger_steps
  WHERE run_id = ? AND chain = account_id AND enrollment IS NOT NULL
    AND type IN (${STEP_TYPES.map((type) => `'${type}'`).join(', ')})
  GROUP BY account_id, enrollment`;

/** Separate from `STEPS`, because in a query with both max() and min() SQLite takes the other columns from an arbitrary row. */
export const RESOLUTIONS = `
  SELECT account_id, enrollment, min(seq) AS seq
  FROM ledger INDEXED BY ledger_steps
  WHERE run_id = ? AND chain = account_id AND enrollment IS NOT NULL AND type = 'DriftResolved'
  GROUP BY account_id, enrollment`;

/** The statements read only an index: about 30 ms for 10,000 accounts. */
export function readOutline(sql: Sql, runId: string): RunOutline {
  const entries: Record<string, number> = {};
  for (const row of sql.each(COUNTS, runId)) entries[sql.text(row, 'type')] = sql.number(row, 'n');
  const resolved = new Map<string, number>();
  for (const row of sql.each(RESOLUTIONS, runId)) resolved.set(nameOf(sql, row), sql.number(row, 'seq'));
  return {
    entries: Object.fromEntries(ENTRY_TYPES.flatMap((type) => (entries[type] ? [[type, entries[type]]] : []))),
    steps: [...sql.each(STEPS, runId)].flatMap((row) => toStep(sql, row, resolved.get(nameOf(sql, row)) ?? null) ?? []),
  };
}

const nameOf = (sql: Sql, row: Row): string => `${sql.text(row, 'account_id')} ${sql.text(row, 'enrollment')}`;

function toStep(sql: Sql, row: Row, resolvedSeq: number | null): RunStep | null {
  const type = STEP_TYPES.find((each) => each === row['type']);
  const enrollment = ENROLLMENT_IDS.find((each) => each === row['enrollment']);
  if (type === undefined || enrollment === undefined) return null;
  const begun = sql.number(row, 'intents') > 0;
  return { accountId: sql.text(row, 'account_id'), enrollment, type, seq: sql.number(row, 'seq'), begun, resolvedSeq };
}
