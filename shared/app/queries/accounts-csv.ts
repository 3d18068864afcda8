import { csvLine } from '../../domain/csv.ts';
import { kindsInUse } from '../../domain/enrollment/kinds/index.ts';
import type { AccountRow, Cell } from './account-rows.ts';

type Columns<T> = Readonly<Record<string, (row: T) => unknown>>;

const ACCOUNT: Columns<AccountRow> = {
  accountId: ({ accountId }) => accountId,
  name: ({ name }) => name,
  ou: ({ ou }) => ou,
  state: ({ state }) => state,
  status: ({ accountStatus }) => accountStatus,
  since: ({ since }) => since,
};

const ENROLLMENT: Columns<Cell> = {
  Status: ({ complianceStatus }) => complianceStatus,
  Reason: ({ message }) => message,
  Observed: ({ status }) => status,
  Desired: ({ desired }) => desired,
  ObservedRuleMode: ({ ruleMode }) => ruleMode,
  DesiredRuleMode: ({ desiredRuleMode }) => desiredRuleMode,
  Rule: ({ rule }) => rule,
  Since: ({ since }) => since,
  DriftSince: ({ driftSince }) => driftSince,
  ChangedBy: ({ changedBy }) => changedBy,
};

/** One line for each account, after a header: facts of the account, then the columns of each enrollment kind in use. */
export function* accountsCsv(rows: readonly AccountRow[]): Generator<string> {
  const kinds = kindsInUse((id) => rows.some((row) => row[id] !== null));
  const names = kinds.flatMap(({ id }) => Object.keys(ENROLLMENT).map((name) => `${id}${name}`));
  yield csvLine([...Object.keys(ACCOUNT), ...names]);
  for (const row of rows) {
    const cells = kinds.flatMap(({ id }) => valuesOf(row[id]));
    yield csvLine([...Object.values(ACCOUNT).map((value) => value(row)), ...cells]);
  }
}

const valuesOf = (cell: Cell | null): readonly unknown[] =>
  Object.values(ENROLLMENT).map((value) => (cell === null ? null : value(cell)));
