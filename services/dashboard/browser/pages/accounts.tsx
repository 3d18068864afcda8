import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { EnrollmentId } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { kindsShownIn } from '../../../../shared/domain/enrollment/status.ts';
import { type AccountQuery, accountQuery, apiQuery, CLEARED, type Sort } from '../account-filters.ts';
import { type AccountPages, useAccountPages } from '../account-pages.ts';
import { BulkBar } from '../accounts/bulk.tsx';
import { NarrowList } from '../accounts/narrow-list.tsx';
import { useSelection } from '../accounts/selection.ts';
import { AccountTable } from '../accounts/table.tsx';
import { StatusTabs } from '../accounts/tabs.tsx';
import { Tools } from '../accounts/tools.tsx';
import { READ } from '../endpoints.ts';
import { useShortcuts } from '../frame/shortcuts.ts';
import { useStatus } from '../frame/source.ts';
import { slowChanges } from '../live.ts';
import { Button } from '../parts/form.tsx';
import { Heading } from '../parts/heading.tsx';
import { Icon } from '../parts/icon.tsx';
import { saveFile } from '../parts/save-file.ts';
import { Loaded, Problem } from '../parts/small.tsx';
import { type AccountColumns, useAccountColumns, useNarrow, useRowHeights } from '../parts/viewport.ts';
import { useVirtualRows, type VirtualRows } from '../parts/virtual.ts';
import { useParams } from '../search-params.ts';
import { messageOf, number } from '../words.ts';

export function AccountsPage() {
  const [params, change] = useParams();
  const query = accountQuery(params);
  return (
    <div class="list-page">
      <Heading title="Accounts" actions={<Export query={query} />}>
        Accounts
      </Heading>
      <Accounts {...{ query, params, change }} />
    </div>
  );
}

interface Props {
  readonly query: AccountQuery;
  readonly params: URLSearchParams;
  readonly change: (changes: Readonly<Record<string, string | null>>) => void;
}

function Accounts({ query, params, change }: Props) {
  const scrolling = useRef<HTMLElement>(null);
  const [total, setTotal] = useState(0);
  const narrow = useNarrow();
  const statuses = useStatus().data?.statuses;
  const kinds = (statuses === undefined ? kindsShownIn() : kindsShownIn(statuses)).map(({ id }) => id);
  const columns = useAccountColumns(kinds.length);
  const heights = useRowHeights();
  const height = columns.id ? heights.row : heights.tall;
  const virtual = useVirtualRows(scrolling, total, narrow ? heights.item : height, narrow ? 0 : heights.header);
  const range = { first: virtual.rows[0]?.index ?? 0, last: virtual.rows.at(-1)?.index ?? 0 };
  const resource = useAccountPages(query, slowChanges.value, range);
  const pages = resource.data;
  const found = pages?.total ?? 0;
  useEffect(() => setTotal(found), [found]);
  // Another list begins at its top.
  const key = JSON.stringify(query);
  useEffect(() => scrolling.current?.scrollTo(0, 0), [key]);
  const hrefOf = (status: string): string => {
    const next = new URLSearchParams(params);
    if (status === '') next.delete('status');
    else next.set('status', status);
    return next.size === 0 ? '/accounts' : `/accounts?${next}`;
  };
  return (
    <section class="panel list-panel" aria-label="List of accounts">
      {pages !== null && <StatusTabs counts={pages.counts} chosen={query.filters.status} hrefOf={hrefOf} />}
      <Tools {...{ query, change }} version={slowChanges.value} total={pages?.total ?? null} all={pages?.all ?? null} />
      <Loaded resource={resource} what="The accounts">
        {(read) =>
          read.total === 0 ? (
            <NoAccounts pages={read} query={query} change={change} />
          ) : (
            <Rows {...{ query, change, scrolling, virtual, narrow, kinds, columns, height }} pages={read} />
          )
        }
      </Loaded>
    </section>
  );
}

interface RowsProps extends Pick<Props, 'query' | 'change'> {
  readonly pages: AccountPages;
  readonly scrolling: { readonly current: HTMLElement | null };
  readonly virtual: VirtualRows;
  readonly narrow: boolean;
  readonly kinds: readonly EnrollmentId[];
  readonly columns: AccountColumns;
  /** Of a row of the table, pixels. */
  readonly height: number;
}

function Rows({ pages, query, change, scrolling, virtual, narrow, kinds, columns, height }: RowsProps) {
  const latest = useRef(pages);
  latest.current = pages;
  const idAt = useCallback((index: number) => latest.current.rowAt(index)?.accountId, []);
  const selection = useSelection(idAt);
  const { move, active } = useActiveRow(scrolling, virtual, pages.total);
  useShortcuts({
    j: () => move(1),
    k: () => move(-1),
    x: () => selection.toggle(active()),
    'Shift x': () => selection.extend(active()),
    Escape: () => selection.clear(),
  });
  const onSort = (by: Sort): void => {
    const again = by === query.sort;
    change({ sort: again && query.down ? null : by, order: again && !query.down ? 'down' : null });
  };
  if (narrow) return <NarrowList {...{ scrolling, virtual, pages }} />;
  return (
    <>
      {selection.ids.size > 0 && <BulkBar {...{ selection, query }} total={pages.total} />}
      <AccountTable {...{ scrolling, virtual, pages, query, kinds, columns, selection, onSort }} />
      <Foot {...{ virtual, scrolling, height }} total={pages.total} />
    </>
  );
}

/** The row that the keyboard is on: the last one that `J` or `K` chose, or in which something has the focus. */
function useActiveRow(scrolling: RowsProps['scrolling'], virtual: VirtualRows, total: number) {
  const last = useRef<number | null>(null);
  useEffect(() => {
    const follow = ({ target }: FocusEvent): void => {
      const row = target instanceof Element ? target.closest('tr[data-index]') : null;
      if (row instanceof HTMLElement) last.current = Number(row.dataset['index']);
    };
    const element = scrolling.current;
    element?.addEventListener('focusin', follow);
    return () => element?.removeEventListener('focusin', follow);
  }, []);
  const move = (step: 1 | -1): void => {
    const next = last.current === null ? 0 : Math.min(total - 1, Math.max(0, last.current + step));
    last.current = next;
    virtual.reveal(next);
    const link = () => scrolling.current?.querySelector<HTMLElement>(`tr[data-index="${next}"] th a`);
    const rendered = link();
    // Immediately if possible: Enter, pressed before the next frame, opens the row that has the focus.
    if (rendered) rendered.focus({ preventScroll: true });
    else
      requestAnimationFrame(() => {
        if (last.current === next) link()?.focus({ preventScroll: true });
      });
  };
  return { move, active: () => last.current ?? 0 };
}

interface FootProps extends Pick<RowsProps, 'virtual' | 'scrolling' | 'height'> {
  readonly total: number;
}

function Foot({ total, virtual, scrolling, height }: FootProps) {
  const { header } = useRowHeights();
  const top = scrolling.current?.scrollTop ?? 0;
  const room = (scrolling.current?.clientHeight ?? 0) - header;
  const first = Math.min(total, Math.floor(top / height) + 1);
  const last = Math.min(total, Math.max(first, Math.floor((top + room) / height)));
  return virtual.rows.length === 0 ? null : (
    <div class="table-foot">
      <span>
        Rows {number(first)}–{number(last)} of {number(total)}
      </span>
      <span class="right drop-s">
        <kbd>J</kbd> <kbd>K</kbd> move, <kbd>X</kbd> select, <kbd>Enter</kbd> open, <kbd>?</kbd> all shortcuts
      </span>
    </div>
  );
}

function NoAccounts({ pages, query, change }: Pick<RowsProps, 'pages' | 'query' | 'change'>) {
  const { status, q } = query.filters;
  if (pages.all === 0) return <p class="message">No accounts have been scanned yet.</p>;
  return (
    <div class="message" role="status">
      <p>
        <b class="strong">
          {q === '' ? 'No accounts match these filters.' : `No accounts match “${q}” with these filters.`}
        </b>
      </p>
      {status !== '' && <Button onClick={() => change({ status: null })}>Show all statuses</Button>}
      <Button onClick={() => change(CLEARED)}>Clear filters</Button>
    </div>
  );
}

function Export({ query }: { readonly query: AccountQuery }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const save = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      const day = new Date().toISOString().slice(0, 10);
      await saveFile(READ.accountsExport(apiQuery(query)), `rollcall-accounts-${day}.csv`);
    } catch (error) {
      setProblem(`The export failed. ${messageOf(error)}`);
    } finally {
      setBusy(false);
    }
  };
  return (
    <span class="actions drop-s">
      <Problem text={problem} />
      <button type="button" class="btn" aria-busy={busy} disabled={busy} onClick={save}>
        <Icon name="down" />
        Export CSV
      </button>
    </span>
  );
}
