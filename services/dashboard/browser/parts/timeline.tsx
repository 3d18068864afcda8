import { useState } from 'preact/hooks';
import type { AuditPage, Entry } from '../types.ts';
import { messageOf } from '../words.ts';
import { EntryView, toneOf } from './entry.tsx';
import { Button } from './form.tsx';
import { Empty, Problem } from './small.tsx';

interface Props {
  /** The newest entries and the cursor of older ones. */
  readonly first: { readonly entries: readonly Entry[]; readonly next: string | null };
  readonly readOlder: (cursor: string) => Promise<AuditPage>;
  /** Shown in place of an empty list. */
  readonly none: string;
  /** Accessible name of the list if no heading names it; the list then has its own card. */
  readonly label?: string;
  readonly withAccount?: boolean;
}

/** Ledger entries, newest first, with a button that reads older ones. */
export function Timeline({ first, readOlder, none, label, withAccount = false }: Props) {
  const [older, setOlder] = useState<Props['first'] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const { next } = older ?? first;
  const more = async (cursor: string): Promise<void> => {
    try {
      const page = await readOlder(cursor);
      setOlder({ entries: [...(older?.entries ?? []), ...page.entries], next: page.next });
      setProblem(null);
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  // The first page is read again after a change and may then overlap with the older entries.
  const known = new Set(first.entries.map(({ id }) => id));
  const entries = [...first.entries, ...(older?.entries ?? []).filter(({ id }) => !known.has(id))];
  if (entries.length === 0) return <Empty>{none}</Empty>;
  return (
    <>
      <ol class={label === undefined ? 'timeline' : 'timeline card'} aria-label={label}>
        {entries.map((entry) => (
          <li key={entry.id} data-tone={toneOf(entry)}>
            <EntryView entry={entry} withAccount={withAccount} />
          </li>
        ))}
      </ol>
      <Problem text={problem} />
      {next !== null && (
        <div class="actions">
          <Button onClick={() => more(next)}>Older entries</Button>
        </div>
      )}
    </>
  );
}
