import { Link } from 'wouter-preact';
import { STATUSES } from '../../../../shared/domain/enrollment/status.ts';
import { StatusMark } from '../parts/icon.tsx';
import { revealFocus } from '../parts/reveal-focus.ts';
import type { AccountsAnswer } from '../types.ts';
import { number } from '../words.ts';

interface Props {
  readonly counts: AccountsAnswer['counts'];
  /** The chosen status; empty: all. */
  readonly chosen: string;
  /** The address of this page with another status. */
  readonly hrefOf: (status: string) => string;
}

/** A tab for each status with its number of accounts within the other filters. A status without accounts has none, unless it is chosen. */
export function StatusTabs({ counts, chosen, hrefOf }: Props) {
  const shown = STATUSES.filter((status) => counts[status] > 0 || status === chosen);
  const all = STATUSES.reduce((sum, status) => sum + counts[status], 0);
  const current = (status: string) => (status === chosen ? ({ 'aria-current': 'true' } as const) : {});
  return (
    <nav class="tabs" onFocusCapture={revealFocus} aria-label="Filter by status">
      <Link href={hrefOf('')} replace {...current('')}>
        All <b>{number(all)}</b>
      </Link>
      {shown.map((status) => (
        <Link key={status} href={hrefOf(status)} replace {...current(status)}>
          <StatusMark status={status} /> <b>{number(counts[status])}</b>
        </Link>
      ))}
    </nav>
  );
}
