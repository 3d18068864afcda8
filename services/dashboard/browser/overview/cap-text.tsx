import { Bar } from '../parts/bar.tsx';
import { count, number } from '../words.ts';

interface CapUse {
  readonly used: number;
  readonly cap: number | null;
  /** Accounts that do not count, because an operator has approved all their changes. */
  readonly approved?: number;
}

/** The number of accounts changed in 24 hours, and how many the cap allows. */
export function CapText({ use: { used, cap, approved = 0 } }: { readonly use: CapUse }) {
  if (cap === null) return <>{count(used, 'account')}</>;
  if (cap === 0) return <>{number(used)}, none allowed</>;
  const text = `${number(used)} of at most ${count(cap, 'account')}`;
  return (
    <>
      {text}
      {approved > 0 && <small class="muted"> and {number(approved)} approved</small>}
      <Bar thin label={text} total={cap} parts={[{ tone: 'accent', size: Math.min(used, cap) }]} />
    </>
  );
}
