import { changedAccounts, type RecentChange } from '../../domain/decision/changed-accounts.ts';
import { APPROVED_PLAN } from './schema.ts';
import type { Row, Sql } from './sql.ts';

type Changed = ReadonlyMap<string, RecentChange>;

const CHANGED = `
  SELECT account_id, max(opt_out) AS opt_out, count(*) AS intents FROM ledger INDEXED BY ledger_changes
  WHERE type = 'RemediationStarted' AND at >= ? AND account_id IS NOT NULL GROUP BY account_id`;

const APPROVED = `
  SELECT account_id, enrollment, count(*) AS intents FROM ledger INDEXED BY ledger_approved
  WHERE type = 'RemediationStarted' AND ${APPROVED_PLAN} IS NOT NULL
    AND at >= ? AND account_id IS NOT NULL GROUP BY account_id, enrollment`;

const UNSENT = `
  SELECT account_id, enrollment, seq FROM ledger INDEXED BY ledger_unsent
  WHERE type IN ('RemediationFailed', 'RemediationBlocked') AND json_extract(body, '$.detail.unsent') = 1
    AND at >= ? AND account_id IS NOT NULL`;

const INTENTS = `
  SELECT account_id, enrollment, seq, opt_out, ${APPROVED_PLAN} IS NOT NULL AS approved
  FROM ledger INDEXED BY ledger_account
  WHERE account_id = ? AND at >= ? AND type = 'RemediationStarted'`;

/** Reads only indexes. The few accounts with an unsent intent are examined one by one. */
export function changedSince(sql: Sql, from: number): Changed {
  const approvals = Map.groupBy(sql.all(APPROVED, from), (row) => sql.text(row, 'account_id'));
  const changed = new Map<string, RecentChange>();
  for (const row of sql.each(CHANGED, from)) {
    const accountId = sql.text(row, 'account_id');
    const under = approvals.get(accountId) ?? [];
    const approvedIntents = under.reduce((sum, each) => sum + sql.number(each, 'intents'), 0);
    changed.set(accountId, {
      optOut: sql.number(row, 'opt_out') === 1,
      counted: sql.number(row, 'intents') > approvedIntents,
      approved: under.flatMap((each) => (each['enrollment'] === null ? [] : [sql.text(each, 'enrollment')])),
    });
  }
  const unsent = Map.groupBy(
    sql.all(UNSENT, from).map((row) => placeOf(sql, row)),
    ({ accountId }) => accountId,
  );
  for (const [accountId, outcomes] of unsent) {
    const intents = sql.all(INTENTS, accountId, from).map((row) => ({
      ...placeOf(sql, row),
      optOut: sql.number(row, 'opt_out') === 1,
      approved: sql.number(row, 'approved') === 1,
    }));
    const counted = changedAccounts(intents, outcomes).get(accountId);
    if (counted === undefined) changed.delete(accountId);
    else changed.set(accountId, counted);
  }
  return changed;
}

function placeOf(sql: Sql, row: Row) {
  const enrollment = row['enrollment'] === null ? null : sql.text(row, 'enrollment');
  return { accountId: sql.text(row, 'account_id'), enrollment, seq: sql.number(row, 'seq') };
}
