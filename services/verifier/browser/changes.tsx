import { useMemo, useState } from 'preact/hooks';
import { ENROLLMENT_IDS, TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Change } from '../../../shared/domain/ledger/changes.ts';
import { count, instant } from './verify/finding.ts';

/** More rows would make the page slow. */
const PAGE = 200;

interface ChangeTableProps {
  readonly changes: readonly Change[];
  /** What the table is worth, after the checks of the entries behind it. */
  readonly note: string;
}

/** The changes that follow from the entries, with a search over all their fields. */
export function ChangeTable({ changes, note }: ChangeTableProps) {
  const [search, setSearch] = useState('');
  const [shown, setShown] = useState(PAGE);
  const texts = useMemo(() => changes.map(searchText), [changes]);
  const words = search.toLowerCase().split(/\s+/);
  const found = changes.filter((_, at) => words.every((word) => texts[at]?.includes(word) === true));
  return (
    <section class="panel" aria-labelledby="changes">
      <header>
        <h2 id="changes">Changes</h2>
        <p>{note}</p>
        <label class="input right">
          <span class="sr">Search changes</span>
          <input
            type="search"
            placeholder="Account, actor, reason, outcome…"
            value={search}
            onInput={(event) => {
              setSearch(event.currentTarget.value);
              setShown(PAGE);
            }}
          />
        </label>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard */}
      <section class="scrolling" aria-label="Table of changes" tabIndex={0}>
        <table>
          <thead>
            <tr>
              {['Time', 'Kind', 'Target', 'Enrollment', 'Actor', 'Reason', 'Rule', 'Change', 'Outcome'].map((title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.slice(0, shown).map((change) => (
              <Row key={`${change.entryId} ${change.kind}`} change={change} />
            ))}
          </tbody>
        </table>
      </section>
      <footer>
        <p role="status">
          {search.trim() === ''
            ? count(changes.length, 'change')
            : `${count(found.length, 'change')} of ${count(changes.length, 'change')}`}
        </p>
        {found.length > shown && (
          <button type="button" class="btn" onClick={() => setShown(shown + PAGE)}>
            Show {count(Math.min(PAGE, found.length - shown), 'more change')}
          </button>
        )}
      </footer>
    </section>
  );
}

/** `Compute Optimizer`; the id of a kind that this version does not know. */
function enrollmentText(enrollment: Change['enrollment']): string | null {
  const known = ENROLLMENT_IDS.find((id) => id === enrollment);
  return known === undefined ? enrollment : TITLES[known];
}

/** All fields, as shown and as in the files, in lower case. */
function searchText(change: Change): string {
  return [enrollmentText(change.enrollment), ...Object.values(change)].join(' ').toLowerCase();
}

/** A drift that a new policy caused has no change of state. */
function statesText({ before, requested, after }: Change): string {
  const end = after ?? requested ?? '?';
  return before === after ? end : `${before ?? '?'} → ${end}`;
}

function Row({ change }: { readonly change: Change }) {
  const { startedAt, endedAt, kind, target, enrollment, actor, reason, rule, outcome } = change;
  return (
    <tr>
      <td>
        <time>{instant(startedAt ?? endedAt ?? '')}</time>
      </td>
      <td>{kind}</td>
      <td class="mono">{target}</td>
      <td>{enrollmentText(enrollment)}</td>
      <td>{actor}</td>
      <td>{reason}</td>
      <td>{rule}</td>
      <td>{statesText(change)}</td>
      <td>{outcome}</td>
    </tr>
  );
}
