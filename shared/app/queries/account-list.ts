import * as z from 'zod';
import { NOBODY_NAMED } from '../../domain/actor.ts';
import { sha256Hex } from '../../domain/canonical-hash.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import { type Status, severityOf } from '../../domain/enrollment/status.ts';
import { VERDICTS, type Verdict } from '../../domain/enrollment/verdict.ts';
import { ouCovers } from '../../domain/policy/index.ts';
import { makeCursor } from '../../ports/cursor.ts';
import { BadCursorError } from '../../ports/ledger.ts';
import type { Clock } from '../../ports/system.ts';
import { type AccountRow, type AccountSources, type Cell, RowMaker } from './account-rows.ts';
import type { accountsAnswer } from './answers/accounts.ts';
import { fullCounts } from './plan-document.ts';

type AccountPage = Omit<z.infer<typeof accountsAnswer>, 'facets'>;
type Facets = NonNullable<z.infer<typeof accountsAnswer>['facets']>;

/** `severity`: worst status first, then oldest. */
export const ACCOUNT_SORTS = ['accountId', 'name', 'ou', ...ENROLLMENT_IDS, 'since', 'severity', 'age'] as const;
type AccountSort = (typeof ACCOUNT_SORTS)[number];

export interface AccountListQuery {
  /** Any of these statuses. Together with `verdict`, `reason`, `rule` and `changedBy`, all conditions must hold for the same enrollment. */
  readonly status?: readonly Status[] | undefined;
  readonly verdict?: readonly Verdict[] | undefined;
  readonly reason?: readonly string[] | undefined;
  readonly rule?: readonly string[] | undefined;
  /** Who caused the open drift, as the row names them; `unknown`: nobody is named. */
  readonly changedBy?: readonly string[] | undefined;
  /** The status of `enrollment`, or, without it, of the account: the worst of its enrollments. */
  readonly accountStatus?: readonly Status[] | undefined;
  /** Accounts with a recorded status of this enrollment; all other conditions are then about it. */
  readonly enrollment?: EnrollmentId | undefined;
  /** The OU and all OUs below it. */
  readonly ou?: string | undefined;
  /** Part of id, name, OU, reason, rule or actor; case does not matter. */
  readonly text?: string | undefined;
  readonly sort: AccountSort;
  readonly order: 'asc' | 'desc';
  readonly limit: number;
  readonly cursor: string | null;
  /** Skips this many accounts; without a cursor only. */
  readonly offset?: number | undefined;
}

/** A list of accounts without its page. */
export type AccountFilter = Omit<AccountListQuery, 'limit' | 'cursor' | 'offset'>;

/** All accounts at one time. */
interface Rows {
  readonly all: readonly AccountRow[];
  /** Changes with the content of the rows. */
  readonly version: number;
}

/** Lists of accounts. Sorting and counting need all accounts, so all are cached for a moment. */
export class AccountTable {
  readonly #stores: AccountSources;
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #turn: () => Promise<void>;
  readonly #made = new RowMaker();
  #known: { readonly at: number; readonly rows: Promise<Rows> } | null = null;
  readonly #begunAt: number;
  #last: Rows = { all: [], version: 0 };

  /** @param turn called before each longer computation; returns when the thread has time for it, so that other requests are not delayed */
  constructor(
    stores: AccountSources,
    clock: Clock,
    maxAgeMs: number,
    turn: () => Promise<void> = async () => undefined,
  ) {
    this.#stores = stores;
    this.#clock = clock;
    this.#begunAt = clock.now();
    this.#maxAgeMs = maxAgeMs;
    this.#turn = turn;
  }

  /** @throws BadCursorError for an invalid cursor, and for a cursor of a list with other filters, sort or order */
  async page(query: AccountListQuery): Promise<AccountPage> {
    const { all: rows } = await this.#rows();
    await this.#turn();
    const { limit } = query;
    const { counted, places, compare } = arranged(rows, query);
    const after = query.cursor === null ? null : placeOf(query.cursor, query);
    const from = after === null ? (query.offset ?? 0) : places.findIndex((place) => compare(place, after) > 0);
    const page = from < 0 ? [] : places.slice(from, from + limit);
    const last = page.at(-1);
    const more = last !== undefined && from + limit < places.length;
    return {
      accounts: page.map(({ row }) => row),
      next: more ? cursorOf(last, query) : null,
      total: places.length,
      all: rows.length,
      counts: countsOf(counted, query.enrollment),
    };
  }

  /** All accounts that match, in order. */
  async all(filter: AccountFilter): Promise<readonly AccountRow[]> {
    const { all: rows } = await this.#rows();
    await this.#turn();
    return arranged(rows, filter).places.map(({ row }) => row);
  }

  /** The values that accounts can be filtered by, most frequent first. */
  async facets(): Promise<Facets> {
    const { all: rows } = await this.#rows();
    await this.#turn();
    return {
      statuses: countValues(rows, ({ complianceStatus }) => complianceStatus),
      verdicts: countValues(rows, ({ verdict }) => verdict),
      ous: mostFrequent(countBy(rows, ({ ou }) => ou)),
      rules: countValues(rows, ({ rule }) => rule),
      reasons: countValues(rows, ({ reason }) => reason),
      actors: countValues(rows, ({ changedBy }) => changedBy),
    };
  }

  /** Changes whenever a page may have changed. No other table has the same version, so it can serve as an entity tag. */
  async version(): Promise<string> {
    const { version } = await this.#rows();
    return `${this.#begunAt.toString(36)}.${version.toString(36)}`;
  }

  /** A page as JSON. Takes a tenth of a second for 10,000 accounts the first time, then a few milliseconds. */
  json({ accounts, ...rest }: AccountPage, facets: Facets | null): string {
    const rows = accounts.map((row) => this.#made.json(row));
    return `{"accounts":[${rows.join(',')}],${JSON.stringify({ ...rest, facets }).slice(1)}`;
  }

  #rows(): Promise<Rows> {
    const now = this.#clock.now();
    const known = this.#known;
    if (known !== null && now - known.at < this.#maxAgeMs) return known.rows;
    const rows = this.#read().catch((error: unknown) => {
      this.#known = null;
      throw error;
    });
    this.#known = { at: now, rows };
    return rows;
  }

  async #read(): Promise<Rows> {
    const all = await this.#made.read(this.#stores);
    const { all: before, version } = this.#last;
    const same = all.length === before.length && all.every((row, index) => row === before[index]);
    if (!same) this.#last = { all, version: version + 1 };
    return this.#last;
  }
}

/** `counted`: the accounts that match every condition except the status; `places`: those with the status too, in order. */
function arranged(rows: readonly AccountRow[], filter: AccountFilter) {
  const { accountStatus, enrollment, order } = filter;
  const counted = rows.filter((row) => fits(row, filter));
  const fitting = counted.filter((row) => accountStatus?.includes(statusIn(row, enrollment)) ?? true);
  const sign = order === 'asc' ? 1 : -1;
  const compare = (a: Key, b: Key): number => sign * (compareText(a.key, b.key) || compareText(a.id, b.id));
  const keyed = fitting.map((row): Place => ({ row, key: sortKey(row, filter), id: row.accountId }));
  return { counted, places: keyed.sort(compare), compare };
}

/** The status that tabs and filters are about. */
const statusIn = (row: AccountRow, only: EnrollmentId | undefined): Status =>
  only === undefined ? row.accountStatus : (row[only]?.complianceStatus ?? 'Unknown');

function countsOf(rows: readonly AccountRow[], only: EnrollmentId | undefined): AccountPage['counts'] {
  return fullCounts(Object.fromEntries(countBy(rows, (row) => statusIn(row, only))));
}

function countBy<T extends string>(rows: readonly AccountRow[], textOf: (row: AccountRow) => T): Map<T, number> {
  const counts = new Map<T, number>();
  for (const row of rows) {
    const value = textOf(row);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

/** How many accounts have each value in any of their enrollments. */
function countValues(rows: readonly AccountRow[], textOf: (cell: Cell) => string | null): Facets['ous'] {
  const counts = new Map<string, number>();
  const values: string[] = [];
  for (const row of rows) {
    values.length = 0;
    for (const id of ENROLLMENT_IDS) {
      const cell = row[id];
      const value = cell === null ? null : textOf(cell);
      if (value === null || values.includes(value)) continue;
      values.push(value);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
  }
  return mostFrequent(counts);
}

function mostFrequent(counts: ReadonlyMap<string, number>): Facets['ous'] {
  const found = [...counts].map(([value, count]) => ({ value, count }));
  return found.sort((a, b) => b.count - a.count || compareText(a.value, b.value));
}

interface Key {
  readonly key: string;
  readonly id: string;
}

interface Place extends Key {
  readonly row: AccountRow;
}

function cellsOf(row: AccountRow, only?: EnrollmentId): Cell[] {
  const names = only === undefined ? ENROLLMENT_IDS : [only];
  return names.flatMap((name) => row[name] ?? []);
}

function fits(row: AccountRow, query: AccountFilter): boolean {
  const { status, verdict, reason, rule, changedBy, enrollment, ou, text } = query;
  if (enrollment !== undefined && row[enrollment] === null) return false;
  if (ou !== undefined && !(row.ou !== '' && ouCovers(ou, row.ou))) return false;
  const asksCells = [status, verdict, reason, rule, changedBy].some((each) => each !== undefined);
  const cellFits = (cell: Cell): boolean =>
    (status?.includes(cell.complianceStatus) ?? true) &&
    (verdict?.includes(cell.verdict) ?? true) &&
    (reason?.includes(cell.reason ?? '') ?? true) &&
    (rule?.includes(cell.rule ?? '') ?? true) &&
    (changedBy?.includes(cell.changedBy ?? (cell.driftSince === null ? '' : NOBODY_NAMED)) ?? true);
  if (asksCells && !cellsOf(row, enrollment).some(cellFits)) return false;
  return text === undefined || hasText(row, text.toLowerCase());
}

function hasText(row: AccountRow, wanted: string): boolean {
  const cells = cellsOf(row).flatMap(({ reason, rule, changedBy }) => [reason, rule, changedBy]);
  return [row.accountId, row.name, row.ou, ...cells].some((part) => part?.toLowerCase().includes(wanted) ?? false);
}

function sortKey(row: AccountRow, { sort, enrollment }: Pick<AccountFilter, 'sort' | 'enrollment'>): string {
  switch (sort) {
    case 'accountId':
      return row.accountId;
    case 'name':
      return row.name.toLowerCase();
    case 'ou':
      return row.ou.toLowerCase();
    case 'since':
      // Newest change first.
      return cellsOf(row).reduce((latest, { since }) => (since > latest ? since : latest), '');
    case 'severity': {
      const severity = String(severityOf(statusIn(row, enrollment))).padStart(2, '0');
      return `${severity} ${sinceIn(row, enrollment)} ${row.name.toLowerCase()}`;
    }
    case 'age':
      return sinceIn(row, enrollment);
    default:
      return verdictKey(row[sort]);
  }
}

/** Start of the open drift, or of the status. */
function sinceIn(row: AccountRow, only: EnrollmentId | undefined): string {
  const cell = only === undefined ? null : row[only];
  return (cell === null ? row.since : (cell.driftSince ?? cell.since)) ?? '';
}

/** In the order of VERDICTS; enrollments without a verdict come last. */
function verdictKey(cell: Cell | null): string {
  const at = cell === null ? VERDICTS.length : VERDICTS.indexOf(cell.verdict);
  return `${String(at).padStart(2, '0')} ${cell?.reason ?? ''}`;
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The sort key and id of the last account on the page, and {@link questionOf} of the list. */
const listCursor = makeCursor(z.tuple([z.string(), z.string(), z.string()]));

/** Identifies the list that a cursor belongs to: the query without its page. */
function questionOf({ limit: _limit, cursor: _cursor, offset: _offset, ...question }: AccountListQuery): string {
  return sha256Hex(JSON.stringify(Object.entries(question).sort())).slice(0, 16);
}

function cursorOf({ key, id }: Key, query: AccountListQuery): string {
  return listCursor.encode([key, id, questionOf(query)]);
}

function placeOf(cursor: string, query: AccountListQuery): Key {
  const [key, id, question] = listCursor.decode(cursor);
  if (question !== questionOf(query)) {
    throw new BadCursorError(
      'This cursor belongs to another list: filters, sort and order must stay the same from page to page',
    );
  }
  return { key, id };
}
