import type { RefObject } from 'preact';
import { Link } from 'wouter-preact';
import { TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import type { AccountPages } from '../account-pages.ts';
import { StatusMark } from '../parts/icon.tsx';
import { Age, now } from '../parts/time.tsx';
import type { VirtualRows } from '../parts/virtual.ts';
import type { AccountRow } from '../types.ts';
import { briefOf, sinceOf, worstKinds } from './row-text.ts';

interface Props {
  readonly scrolling: RefObject<HTMLElement>;
  readonly virtual: VirtualRows;
  readonly pages: AccountPages;
}

/** The accounts in a narrow window: a list of items of three lines. */
export function NarrowList({ scrolling, virtual: { rows, total }, pages }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
    <section class="list-rows" ref={scrolling} tabIndex={0} aria-label="Accounts">
      <ul class="account-items" style={{ height: `${total}px` }}>
        {rows.map(({ index, start, size }) => (
          <li
            key={index}
            style={{ transform: `translateY(${start}px)`, height: `${size}px` }}
            aria-setsize={pages.total}
            aria-posinset={index + 1}
          >
            <Item row={pages.rowAt(index)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Item({ row }: { readonly row: AccountRow | undefined }) {
  if (row === undefined) return <span class="muted">…</span>;
  const { accountId, name, accountStatus, leading } = row;
  const kinds = worstKinds(row).map((id) => TITLES[id]);
  return (
    <Link href={`/account?id=${accountId}`}>
      <span class="first">
        <b class="cut">{name || accountId}</b>
        <Age iso={sinceOf(row, leading)} />
      </span>
      <span class="second cut">
        <StatusMark status={accountStatus} />
        <span class="muted small"> {kinds.join(', ')}</span>
      </span>
      <span class="third cut">{briefOf(row, leading, now.value)}</span>
    </Link>
  );
}
