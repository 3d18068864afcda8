import { useRef } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { entryTitle } from '../../../../shared/domain/ledger/entry-titles.ts';
import { entryActor, entryLook, whatChanged } from '../entry-line.ts';
import { useShortcuts } from '../frame/shortcuts.ts';
import type { Entry } from '../types.ts';
import { Mark } from './icon.tsx';
import { Time } from './time.tsx';

interface Props {
  readonly entries: readonly Entry[];
  /** Names of accounts by id. */
  readonly names: Readonly<Record<string, string>>;
  readonly selected: string | null;
  readonly onSelect: (id: string) => void;
}

/** One line for each entry. `J` and `K` move the selection. */
export function AuditEntries({ entries, names, selected, onSelect }: Props) {
  const body = useRef<HTMLTableSectionElement>(null);
  const move = (by: number): void => {
    const at = entries.findIndex(({ id }) => id === selected);
    const next = entries[Math.min(entries.length - 1, Math.max(0, at + by))];
    if (next === undefined) return;
    onSelect(next.id);
    body.current?.rows[entries.indexOf(next)]?.scrollIntoView({ block: 'nearest' });
  };
  useShortcuts({ j: () => move(1), k: () => move(-1) });
  return (
    <table class="grid cards audit two-lines" aria-label="Entries, newest first">
      <colgroup>
        <col class="w-at" />
        <col class="w-entry" />
        <col class="w-acct" />
        <col />
        <col class="w-actor" />
      </colgroup>
      <thead>
        <tr>
          <th scope="col" aria-sort="descending">
            Time ↓
          </th>
          <th scope="col">Entry</th>
          <th scope="col">Account</th>
          <th scope="col">What changed</th>
          <th scope="col">Actor</th>
        </tr>
      </thead>
      <tbody ref={body}>
        {entries.map((entry) => (
          <Row key={entry.id} entry={entry} names={names} selected={entry.id === selected} onSelect={onSelect} />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps extends Pick<Props, 'names' | 'onSelect'> {
  readonly entry: Entry;
  readonly selected: boolean;
}

function Row({ entry, names, selected, onSelect }: RowProps) {
  const { id, at, accountId } = entry;
  const { mark, tone } = entryLook(entry);
  const what = whatChanged(entry);
  const actor = entryActor(entry);
  return (
    // The button in the row does the same by keyboard.
    <tr class={selected ? 'here' : ''} onClick={() => onSelect(id)}>
      <td class="muted clock">
        <Time iso={at} seconds />
      </td>
      <td class="type">
        <button
          type="button"
          class={`plain st c-${tone}`}
          title={entryTitle(entry.type)}
          aria-current={selected}
          onClick={() => onSelect(id)}
        >
          <Mark name={mark} />
          <span class="strong">{entryTitle(entry.type)}</span>
        </button>
      </td>
      <td class="whose">
        {accountId === null ? (
          <span class="muted">Organization</span>
        ) : (
          <Link href={`/account?id=${accountId}`}>{names[accountId] ?? accountId}</Link>
        )}
      </td>
      <td class="why" title={what}>
        {what}
      </td>
      <td class="actor" title={actor.full}>
        {actor.name}
      </td>
    </tr>
  );
}
