import { type EnrollmentId, KINDS, kindsInUse } from '../../domain/enrollment/kinds/index.ts';
import { STATUSES, type Status, severityOf } from '../../domain/enrollment/status.ts';
import { ouCovers } from '../../domain/policy/index.ts';
import { compileGlob } from '../../domain/policy/rules/glob.ts';
import type { Stores } from '../context.ts';
import { type AccountRow, type Cell, RowMaker } from './account-rows.ts';

/** Filters and order of `rollcall accounts`. An account must match all filters; those of enrollments must match the same one. */
export interface RankedQuery {
  /** Any of these; empty: all. */
  readonly statuses: readonly Status[];
  /** Only this enrollment kind counts. */
  readonly kind: EnrollmentId | null;
  /** The OU and all OUs below it. */
  readonly ou: string | null;
  readonly rule: string | null;
  /** A glob over the account's name, in any case. */
  readonly name: string | null;
  readonly sort: RankedSort;
  /** The maximum number of accounts; `null`: all. */
  readonly limit: number | null;
}

/** `status`: worst first, then oldest drift. */
export const RANKED_SORTS = ['status', 'age', 'name', 'ou', 'account'] as const;
type RankedSort = (typeof RANKED_SORTS)[number];

export interface RankedAccount {
  readonly row: AccountRow;
  /** The worst status of the enrollments that count. */
  readonly status: Status;
  /** The enrollments that count and match, in the order of the registry. */
  readonly cells: readonly { readonly enrollment: EnrollmentId; readonly cell: Cell }[];
  /** Start of the oldest open drift, ISO 8601; `null`: none is open. */
  readonly driftSince: string | null;
}

export interface RankedAccounts {
  /** At most `limit`, in the order of the query. */
  readonly accounts: readonly RankedAccount[];
  /** The number of accounts that match. */
  readonly matching: number;
  /** The number of all accounts. */
  readonly all: number;
  /** Whether the filter names an OU with no account in it or below it. */
  readonly emptyOu: boolean;
  /** The kinds that have columns. */
  readonly kinds: readonly EnrollmentId[];
  /** Accounts that match, by their worst status, worst first. */
  readonly counts: readonly { readonly status: Status; readonly accounts: number }[];
}

/** The accounts of the last scan with their status, without calls to AWS. */
export async function rankedAccounts(
  stores: Pick<Stores, 'snapshots' | 'records'>,
  query: RankedQuery,
): Promise<RankedAccounts> {
  const rows = await new RowMaker().read(stores);
  const used = kindsInUse((id) => rows.some((row) => isShown(row[id]))).map(({ id }) => id);
  const kinds = query.kind === null ? used : [query.kind];
  const matches = matcher(query);
  const found = rows.flatMap((row) => rankedOf(row, kinds, query, matches) ?? []).sort(ORDERS[query.sort]);
  const counts = STATUSES.map((status) => {
    return { status, accounts: found.filter((each) => each.status === status).length };
  });
  const { ou } = query;
  const emptyOu = ou !== null && !rows.some((row) => isIn(ou, row));
  const accounts = found.slice(0, query.limit ?? undefined);
  const known = { all: rows.length, emptyOu, kinds, counts: counts.filter(({ accounts: n }) => n > 0) };
  return { ...known, accounts, matching: found.length };
}

function isShown(cell: Cell | null): boolean {
  return cell !== null && cell.complianceStatus !== 'Unmanaged' && cell.complianceStatus !== 'Not applicable';
}

function matcher({ ou, name }: RankedQuery): (row: AccountRow) => boolean {
  const named = name === null ? () => true : compileGlob(name.toLowerCase());
  return (row) => named(row.name.toLowerCase()) && (ou === null || isIn(ou, row));
}

function isIn(ou: string, row: AccountRow): boolean {
  return row.ou !== '' && ouCovers(ou, row.ou);
}

function rankedOf(
  row: AccountRow,
  kinds: readonly EnrollmentId[],
  { statuses, rule }: RankedQuery,
  matches: (row: AccountRow) => boolean,
): RankedAccount | null {
  if (!matches(row)) return null;
  const counted = KINDS.flatMap(({ id }) => {
    const cell = row[id];
    return cell === null || !kinds.includes(id) ? [] : [{ enrollment: id, cell }];
  });
  const cells = counted.filter(
    ({ cell }) =>
      (statuses.length === 0 || statuses.includes(cell.complianceStatus)) && (rule === null || cell.rule === rule),
  );
  const isFiltered = statuses.length > 0 || rule !== null;
  // An account without a record is known from the listing of the organization only.
  const isNew = counted.length === 0 && (statuses.length === 0 || statuses.includes('Unknown')) && rule === null;
  if (isFiltered && cells.length === 0 && !isNew) return null;
  const worst = counted.map(({ cell }) => cell.complianceStatus).sort((a, b) => severityOf(a) - severityOf(b));
  const open = counted.flatMap(({ cell }) => cell.driftSince ?? []).sort();
  return { row, status: worst[0] ?? 'Unknown', cells, driftSince: open[0] ?? null };
}

const LAST = '~';
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byName = (a: RankedAccount, b: RankedAccount): number =>
  compare(a.row.name.toLowerCase(), b.row.name.toLowerCase()) || compare(a.row.accountId, b.row.accountId);
const byAge = (a: RankedAccount, b: RankedAccount): number =>
  compare(a.driftSince ?? LAST, b.driftSince ?? LAST) || byName(a, b);

const ORDERS: Readonly<Record<RankedSort, (a: RankedAccount, b: RankedAccount) => number>> = {
  status: (a, b) => severityOf(a.status) - severityOf(b.status) || byAge(a, b),
  age: byAge,
  name: byName,
  ou: (a, b) => compare(a.row.ou.toLowerCase(), b.row.ou.toLowerCase()) || byName(a, b),
  account: (a, b) => compare(a.row.accountId, b.row.accountId),
};
