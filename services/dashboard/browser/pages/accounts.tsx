import { useMemo, useRef } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { ENROLLMENT_IDS, KINDS, kindsInUse } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { STATUSES } from '../../../../shared/domain/enrollment/status.ts';
import { readAccounts } from '../accounts.ts';
import { slowChanges } from '../live.ts';
import { enrollmentOptions } from '../parts/enrollments.ts';
import { Button, Choice } from '../parts/form.tsx';
import { Heading } from '../parts/heading.tsx';
import { StatusMark } from '../parts/icon.tsx';
import { Empty, Loaded } from '../parts/small.tsx';
import { Time } from '../parts/time.tsx';
import { useVirtualRows } from '../parts/virtual.ts';
import { useLoaded } from '../resource.ts';
import { useParams } from '../search-params.ts';
import type { AccountRow, Cell } from '../types.ts';
import { count, number, reasonText } from '../words.ts';

const SORTS = ['name', 'ou', ...ENROLLMENT_IDS, 'rule', 'since'] as const;
type Sort = (typeof SORTS)[number];
const ROW_HEIGHT = 52;

export function AccountsPage() {
  const accounts = useLoaded('accounts', slowChanges.value, readAccounts);
  return (
    <>
      <Heading title="Accounts">Accounts</Heading>
      <Loaded resource={accounts} what="The accounts">
        {(rows) => (rows.length === 0 ? <Empty>No accounts have been scanned yet.</Empty> : <Accounts rows={rows} />)}
      </Loaded>
    </>
  );
}

const conditionsOf = (row: AccountRow): readonly Cell[] =>
  ENROLLMENT_IDS.flatMap((enrollment) => row[enrollment] ?? []);

const distinct = (values: Iterable<string | null>): readonly string[] =>
  [...new Set([...values].flatMap((value) => (value === null ? [] : [value])))].sort();

/** When the status of an enrollment last changed. */
const sinceOf = (row: AccountRow): string =>
  conditionsOf(row)
    .map(({ since }) => since)
    .sort()
    .at(-1) ?? '';

function sortKey(row: AccountRow, sort: Sort): string {
  if (sort === 'name') return row.name;
  if (sort === 'ou') return row.ou;
  if (sort === 'since') return sinceOf(row);
  if (sort === 'rule') return conditionsOf(row)[0]?.rule ?? '';
  const condition = row[sort];
  // The most severe status comes first, and accounts without a status last.
  const severity = condition === null ? STATUSES.length : STATUSES.indexOf(condition.complianceStatus);
  return `${String(severity).padStart(2, '0')} ${condition?.reason ?? ''}`;
}

/** Compares by code unit: with 10,000 rows, a comparison by language takes too long. */
const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

type Filters = Readonly<Record<'search' | 'enrollment' | 'status' | 'ou' | 'rule' | 'reason', string>>;

/** Status, rule and reason must match on the same enrollment. */
function passes(row: AccountRow, { search, enrollment, status, ou, rule, reason }: Filters): boolean {
  const found = `${row.accountId} ${row.name} ${row.ou}`.toLowerCase();
  if (search !== '' && !found.includes(search.toLowerCase())) return false;
  if (ou !== '' && row.ou !== ou && !row.ou.startsWith(ou === '/' ? '/' : `${ou}/`)) return false;
  if (status === '' && rule === '' && reason === '') return true;
  return ENROLLMENT_IDS.some((name) => {
    const condition = row[name];
    if (condition === null || (enrollment !== '' && enrollment !== name)) return false;
    const holds = (wanted: string, is: string | null): boolean => wanted === '' || wanted === is;
    return holds(status, condition.complianceStatus) && holds(rule, condition.rule) && holds(reason, condition.reason);
  });
}

function Accounts({ rows }: { readonly rows: readonly AccountRow[] }) {
  const [params, change] = useParams();
  const value = (name: string): string => params.get(name) ?? '';
  const filters: Filters = {
    search: value('q'),
    enrollment: value('enrollment'),
    status: value('status'),
    ou: value('ou'),
    rule: value('rule'),
    reason: value('reason'),
  };
  const sort = SORTS.find((each) => each === value('sort')) ?? 'name';
  const down = value('order') === 'down';
  const choices = useMemo(() => choicesOf(rows), [rows]);
  const key = JSON.stringify(filters);
  // `filters` is a new object at each render, so the list depends on `key`, which changes only with the content.
  const shown = useMemo(() => {
    const keyed = rows.filter((row) => passes(row, filters)).map((row) => [sortKey(row, sort), row] as const);
    keyed.sort(
      ([a, one], [b, other]) =>
        inOrder(a, b) || inOrder(one.name, other.name) || inOrder(one.accountId, other.accountId),
    );
    return (down ? keyed.reverse() : keyed).map(([, row]) => row);
  }, [rows, key, sort, down]);
  const choice = (label: string, name: Exclude<keyof Filters, 'search' | 'enrollment'>, values: readonly string[]) => {
    const chosen = filters[name];
    // If no account has the value in the page's address, it still appears as an option, because it explains why the list is empty.
    const all = chosen === '' || values.includes(chosen) ? values : [chosen, ...values];
    const options = all.map((each) => [each, optionText(name, each)] as const);
    return <Choice label={label} value={chosen} options={options} onChange={(to) => change({ [name]: to })} />;
  };
  const onSort = (by: Sort): void => change({ sort: by, order: by === sort && !down ? 'down' : null });
  return (
    <>
      <search>
        <form class="filters" onSubmit={(event) => event.preventDefault()}>
          <label>
            Search
            <input
              type="search"
              placeholder="Name, id or OU"
              value={filters.search}
              onInput={(event) => change({ q: event.currentTarget.value })}
            />
          </label>
          <Choice
            label="Enrollment"
            value={filters.enrollment}
            options={enrollmentOptions(filters.enrollment, (id) => choices.enrollment.has(id))}
            onChange={(to) => change({ enrollment: to })}
          />
          {choice('Status', 'status', choices.status)}
          {choice('Organizational unit', 'ou', choices.ou)}
          {choice('Rule', 'rule', choices.rule)}
          {choice('Reason', 'reason', choices.reason)}
        </form>
      </search>
      <p role="status">
        {shown.length === rows.length
          ? count(rows.length, 'account')
          : `${number(shown.length)} of ${count(rows.length, 'account')}`}
      </p>
      {shown.length === 0 ? (
        <Empty>
          No accounts match these filters. <Button onClick={() => change(NO_FILTERS)}>Clear filters</Button>
        </Empty>
      ) : (
        <Table rows={shown} sort={sort} down={down} onSort={onSort} />
      )}
    </>
  );
}

const NO_FILTERS = { q: null, enrollment: null, status: null, ou: null, rule: null, reason: null };

const recordedIn = (rows: readonly AccountRow[]): ReadonlySet<string> =>
  new Set(ENROLLMENT_IDS.filter((id) => rows.some((row) => row[id] !== null)));

function choicesOf(rows: readonly AccountRow[]) {
  const conditions = rows.flatMap(conditionsOf);
  const ous = rows.flatMap(({ ou }) => ancestors(ou));
  return {
    enrollment: recordedIn(rows),
    status: distinct(conditions.map(({ complianceStatus }) => complianceStatus)),
    rule: distinct(conditions.map(({ rule }) => rule)),
    reason: distinct(conditions.map(({ reason }) => reason)),
    ou: distinct(ous),
  };
}

/** `/A/B` has the ancestors `/A` and `/A/B`. */
function ancestors(ou: string): readonly string[] {
  const names = ou.split('/').filter((name) => name !== '');
  return ou === '/' ? ['/'] : names.map((_name, index) => `/${names.slice(0, index + 1).join('/')}`);
}

function optionText(name: keyof Filters, value: string): string {
  return name === 'reason' ? reasonText(value) : value;
}

/** `wide` columns are hidden on a phone; the page of the account shows their content. */
const COLUMNS: readonly { readonly by: Sort; readonly title: string; readonly wide: boolean }[] = [
  { by: 'name', title: 'Account', wide: false },
  { by: 'ou', title: 'Organizational unit', wide: true },
  ...KINDS.map(({ id, title }) => ({ by: id, title, wide: false })),
  { by: 'rule', title: 'Rule', wide: true },
  { by: 'since', title: 'Since', wide: true },
];

const isKind = (by: Sort): boolean => ENROLLMENT_IDS.some((id) => id === by);

interface TableProps {
  readonly rows: readonly AccountRow[];
  readonly sort: Sort;
  readonly down: boolean;
  readonly onSort: (by: Sort) => void;
}

/** Draws only the visible rows; `aria-rowcount` gives screen readers the total. */
function Table({ rows, sort, down, onSort }: TableProps) {
  const scrolling = useRef<HTMLElement>(null);
  const { rows: visible, total } = useVirtualRows(scrolling, rows.length, ROW_HEIGHT);
  const before = visible[0]?.start ?? 0;
  const kinds = useMemo(() => {
    const recorded = recordedIn(rows);
    return new Set<string>(kindsInUse((id) => recorded.has(id)).map(({ id }) => id));
  }, [rows]);
  const after = total - (visible.at(-1)?.end ?? 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
    <section class="rows" ref={scrolling} tabIndex={0} aria-label="Accounts">
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {COLUMNS.filter(({ by }) => kinds.has(by) || !isKind(by)).map(({ by, title, wide }) => (
              <th
                key={by}
                scope="col"
                class={wide ? 'wide' : ''}
                aria-sort={by !== sort ? 'none' : down ? 'descending' : 'ascending'}
              >
                <button type="button" class="sort" onClick={() => onSort(by)}>
                  {title}
                  <span class="arrow" aria-hidden="true" />
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap height={before} />
          {visible.map(({ index }) => {
            const row = rows[index];
            return row === undefined ? null : <Row key={row.accountId} row={row} index={index} kinds={kinds} />;
          })}
          <Gap height={after} />
        </tbody>
      </table>
    </section>
  );
}

function Gap({ height }: { readonly height: number }) {
  return height <= 0 ? null : (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: no element in it can take the focus
    <tr class="gap" aria-hidden="true" style={{ height: `${height}px` }}>
      <td />
    </tr>
  );
}

interface RowProps {
  readonly row: AccountRow;
  readonly index: number;
  readonly kinds: ReadonlySet<string>;
}

function Row({ row, index, kinds }: RowProps) {
  const { accountId, name, ou } = row;
  const rules = distinct(conditionsOf(row).map(({ rule }) => rule)).join(', ');
  return (
    <tr aria-rowindex={index + 2}>
      <td>
        <Link href={`/account?id=${accountId}`}>{name || accountId}</Link>
        <small class="muted">{accountId}</small>
      </td>
      <td class="wide" title={ou}>
        {ou || '–'}
      </td>
      {ENROLLMENT_IDS.filter((id) => kinds.has(id)).map((enrollment) => (
        <td key={enrollment}>
          <Standing condition={row[enrollment]} />
        </td>
      ))}
      <td class="wide" title={rules}>
        {rules || '–'}
      </td>
      <td class="wide">
        <Time iso={sinceOf(row) || null} />
      </td>
    </tr>
  );
}

function Standing({ condition }: { readonly condition: Cell | null }) {
  if (condition === null) return <span class="muted">–</span>;
  const { complianceStatus, message } = condition;
  return (
    <>
      <StatusMark status={complianceStatus} />
      {message !== null && (
        <small class="muted" title={message}>
          {message}
        </small>
      )}
    </>
  );
}
