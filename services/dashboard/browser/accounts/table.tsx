import type { RefObject } from 'preact';
import { Link } from 'wouter-preact';
import type { EnrollmentId } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import type { AccountQuery, Sort } from '../account-filters.ts';
import type { AccountPages } from '../account-pages.ts';
import { StatusMark } from '../parts/icon.tsx';
import { Age, now } from '../parts/time.tsx';
import type { AccountColumns } from '../parts/viewport.ts';
import type { VirtualRows } from '../parts/virtual.ts';
import type { AccountRow } from '../types.ts';
import { briefOf, fullReason, leadingOf, sinceOf } from './row-text.ts';
import type { Selection } from './selection.ts';

interface Props {
  readonly scrolling: RefObject<HTMLElement>;
  readonly virtual: VirtualRows;
  readonly pages: AccountPages;
  readonly query: AccountQuery;
  readonly kinds: readonly EnrollmentId[];
  readonly columns: AccountColumns;
  readonly selection: Selection;
  readonly onSort: (by: Sort) => void;
}

/** Draws only the visible rows; `aria-rowcount` gives screen readers the total. */
export function AccountTable({ scrolling, virtual, pages, query, kinds, columns, selection, onSort }: Props) {
  const { rows, total } = virtual;
  const before = rows[0]?.start ?? 0;
  const after = total - (rows.at(-1)?.end ?? 0);
  const read = rows.flatMap(({ index }) => pages.rowAt(index) ?? []);
  const width = nameWidth(read, columns);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
    <section class="list-rows" ref={scrolling} tabIndex={0} aria-label="Accounts">
      <table
        class={`grid stickyhead ${columns.id ? '' : 'tall'}`}
        aria-rowcount={pages.total + 1}
        style={{ minWidth: `${width + kinds.length * STATUS_WIDTH + OTHER_WIDTH}rem` }}
      >
        <colgroup>
          <col class="w-check" />
          <col style={{ width: `${width}rem` }} />
          {columns.id && <col class="w-id" />}
          {columns.ou && <col class="w-path" />}
          {kinds.map((id) => (
            <col key={id} class="w-status" />
          ))}
          <col />
          <col class="w-since" />
        </colgroup>
        <Head {...{ query, kinds, columns, selection, onSort }} read={read} />
        <tbody>
          <Gap height={before} />
          {rows.map(({ index }) => (
            <Row key={index} {...{ index, kinds, columns, selection, query }} row={pages.rowAt(index)} />
          ))}
          <Gap height={after} />
        </tbody>
      </table>
    </section>
  );
}

/** The width of the column of a status, rem (`w-status`). */
const STATUS_WIDTH = 9.5;
/** The least width of the columns that remain on a tablet besides name and status, rem: checkbox, reason, age. The list scrolls to them. */
const OTHER_WIDTH = 15.5;

/** The least width of the first column, rem: an account name, or an account id and the beginning of an OU. */
const NAME_WIDTH = 10;
const ID_AND_OU_WIDTH = 13;

/** Names are never cut, so their column is as wide as the longest visible one, rem. */
function nameWidth(rows: readonly AccountRow[], { ou }: AccountColumns): number {
  const longest = rows.reduce((most, { name }) => Math.max(most, name.length), 0);
  return Math.min(26, Math.max(ou ? NAME_WIDTH : ID_AND_OU_WIDTH, longest * 0.48 + 1.5));
}

type HeadProps = Pick<Props, 'query' | 'kinds' | 'columns' | 'selection' | 'onSort'> & {
  readonly read: readonly AccountRow[];
};

function Head({ query: { sort, down }, kinds, columns, selection, onSort, read }: HeadProps) {
  const heading = (by: Sort, title: string, more = '') => (
    <th key={by} scope="col" class={more} aria-sort={by !== sort ? undefined : down ? 'descending' : 'ascending'}>
      <button type="button" onClick={() => onSort(by)}>
        {title}
        {by === sort && <span aria-hidden="true">{down ? ' ↓' : ' ↑'}</span>}
      </button>
    </th>
  );
  const every = read.length > 0 && read.every(({ accountId }) => selection.ids.has(accountId));
  return (
    <thead>
      <tr aria-rowindex={1}>
        <th scope="col">
          <input
            type="checkbox"
            aria-label="Select the visible accounts"
            checked={every}
            onChange={() => (every ? selection.clear() : selection.add(read.map(({ accountId }) => accountId)))}
          />
        </th>
        {heading('name', 'Account')}
        {columns.id && <th scope="col">Account id</th>}
        {columns.ou && heading('ou', 'OU')}
        {kinds.map((id) => heading(id, TITLES[id]))}
        <th scope="col">Reason</th>
        {heading('age', 'Age', 'num')}
      </tr>
    </thead>
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

interface RowProps extends Pick<Props, 'kinds' | 'columns' | 'selection' | 'query'> {
  readonly index: number;
  /** `undefined`: not read yet. */
  readonly row: AccountRow | undefined;
}

function Row({ row, index, kinds, columns, selection, query }: RowProps) {
  if (row === undefined) {
    return (
      <tr aria-rowindex={index + 2} aria-busy="true">
        <td />
        <th scope="row" class="muted">
          …
        </th>
      </tr>
    );
  }
  const { accountId, name, ou } = row;
  const leading = leadingOf(row, kinds.find((id) => id === query.filters.enrollment) ?? null);
  const brief = briefOf(row, leading, now.value);
  const selected = selection.ids.has(accountId);
  return (
    <tr aria-rowindex={index + 2} data-index={index} aria-selected={selected}>
      <td>
        <input
          type="checkbox"
          aria-label={`Select ${name || accountId}`}
          checked={selected}
          onClick={(event) => (event.shiftKey ? selection.extend(index) : selection.toggle(index))}
        />
      </td>
      <th scope="row">
        <Link href={`/account?id=${accountId}`} title={`${name} (${accountId})`}>
          {name || accountId}
        </Link>
        {!columns.id && (
          <small title={ou}>
            <span class="mono">{accountId}</span>
            {!columns.ou && <span class="cut">{ou}</span>}
          </small>
        )}
      </th>
      {columns.id && <td class="id">{accountId}</td>}
      {columns.ou && <td title={ou}>{ou || '–'}</td>}
      {kinds.map((id) => (
        <td key={id}>
          {row[id] === null ? <span class="muted">–</span> : <StatusMark status={row[id].complianceStatus} />}
        </td>
      ))}
      <td class="why" title={fullReason(row, leading, brief)}>
        {brief}
      </td>
      <td class="num">
        <Age iso={sinceOf(row, leading)} />
      </td>
    </tr>
  );
}
