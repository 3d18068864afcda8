import { useEffect, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { shortReason } from '../../../../shared/domain/enrollment/explain-status.ts';
import { type EnrollmentId, TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { get } from '../api.ts';
import { type ChangeFilter, READ } from '../endpoints.ts';
import { changes } from '../live.ts';
import { FilterChip } from '../parts/filter-chip.tsx';
import { Button, Segments } from '../parts/form.tsx';
import { Icon, Mark } from '../parts/icon.tsx';
import { revealFocus } from '../parts/reveal-focus.ts';
import { ChangeOutcomeMark } from '../parts/run-mark.tsx';
import { Loaded } from '../parts/small.tsx';
import { Time } from '../parts/time.tsx';
import { useResource } from '../resource.ts';
import { ADDED_WHY, addedText, CHANGE_LOOKS, CHANGE_OUTCOMES } from '../run-line.ts';
import { useParams } from '../search-params.ts';
import type { Run, RunChanges } from '../types.ts';
import { number } from '../words.ts';

/** `added`: the list shows the changes that were added after the run was planned. */
const isAdded = ({ changes: { total, unplanned } }: Run, params: URLSearchParams): boolean =>
  total === 0 || (unplanned > 0 && params.get('changes') === 'added');

/** The planned changes or the added ones, those that need attention first. The server filters and sorts; the page loads 200 at a time. */
export function Changes({ run }: { readonly run: Run }) {
  const [params, change] = useParams();
  const [outcome, enrollment, text] = [params.get('outcome'), params.get('enrollment'), params.get('q')];
  const filter: ChangeFilter = { outcome, enrollment, text, planned: String(!isAdded(run, params)) };
  const path = READ.runChanges(run.runId, filter);
  const first = useResource<RunChanges>(path, changes.value);
  const [older, setOlder] = useState<{ readonly path: string; readonly pages: readonly RunChanges[] }>({
    path,
    pages: [],
  });
  useEffect(() => setOlder({ path, pages: [] }), [path]);
  const pages = older.path === path ? older.pages : [];
  const rows = unique([first.data, ...pages].flatMap((page) => page?.changes ?? []));
  const next = (pages.at(-1) ?? first.data)?.next ?? null;
  const more = async (): Promise<void> => {
    if (next === null) return;
    const page = await get<RunChanges>(READ.runChanges(run.runId, filter, next));
    setOlder({ path, pages: [...pages, page] });
  };
  return (
    <section class="panel" aria-label="Changes">
      <Tabs run={run} counts={first.data?.counts ?? null} outcome={outcome} />
      <Loaded resource={first} what="The changes">
        {({ total }) =>
          rows.length === 0 ? (
            <div class="message">
              <p>
                <b class="strong">No change matches these filters.</b>
              </p>
              <Button onClick={() => change({ outcome: null, enrollment: null, q: null })}>Clear filters</Button>
            </div>
          ) : (
            <>
              <ChangesTable rows={rows} />
              <div class="table-foot">
                <span>
                  Rows 1–{number(rows.length)} of {number(total)}
                </span>
                {next !== null && (
                  <Button look="tiny" onClick={more}>
                    Show more
                  </Button>
                )}
                <span class="right drop-s">
                  Open changes show their present state; those that need attention come first
                </span>
              </div>
            </>
          )
        }
      </Loaded>
    </section>
  );
}

const keyOf = ({ accountId, enrollment }: RunChanges['changes'][number]): string => `${accountId} ${enrollment}`;

/** While the run is in progress, a change may appear on two pages. */
function unique(rows: readonly RunChanges['changes'][number][]) {
  return [...new Map(rows.map((row) => [keyOf(row), row])).values()];
}

interface TabsProps {
  readonly run: Run;
  readonly counts: RunChanges['counts'] | null;
  readonly outcome: string | null;
}

function Tabs({ run, counts, outcome }: TabsProps) {
  const [params, change] = useParams();
  const { total, unplanned } = run.changes;
  const shown = CHANGE_OUTCOMES.filter((each) => (counts?.[each] ?? 0) > 0 || each === outcome);
  const href = (to: string | null): string => {
    const next = new URLSearchParams(params);
    if (to === null) next.delete('outcome');
    else next.set('outcome', to);
    return `/run?${next}`;
  };
  const all = Object.values(counts ?? {}).reduce((sum, n) => sum + (n ?? 0), 0);
  const kinds: readonly EnrollmentId[] = kindsOf(run);
  return (
    <>
      <nav class="tabs" onFocusCapture={revealFocus} aria-label="Filter by outcome">
        <Link href={href(null)} aria-current={outcome === null ? 'true' : undefined}>
          All <b>{number(all)}</b>
        </Link>
        {shown.map((each) => {
          const { mark, tone } = CHANGE_LOOKS[each];
          return (
            <Link key={each} href={href(each)} aria-current={each === outcome ? 'true' : undefined}>
              <span class={`st c-${tone}`}>
                <Mark name={mark} />
                {each}
              </span>{' '}
              <b>{number(counts?.[each] ?? 0)}</b>
            </Link>
          );
        })}
      </nav>
      <div class="tools filters">
        <label class="input search">
          <Icon name="search" />
          <span class="sr">Search changes</span>
          <input
            type="search"
            placeholder="Name, id or OU"
            value={params.get('q') ?? ''}
            onInput={(event) => change({ q: event.currentTarget.value })}
          />
        </label>
        {total > 0 && unplanned > 0 && (
          <span title={ADDED_WHY}>
            <Segments
              label={`Show changes; those added later were ${ADDED_WHY.toLowerCase()}`}
              value={isAdded(run, params) ? 'added' : 'planned'}
              options={[
                ['planned', `${number(total)} planned`],
                ['added', addedText(run) ?? ''],
              ]}
              onChange={(to) => change({ changes: to === 'added' ? 'added' : null, outcome: null })}
            />
          </span>
        )}
        {total === 0 && <span class="muted small">Added later: {ADDED_WHY.toLowerCase()}</span>}
        {kinds.length > 1 && (
          <FilterChip
            label="Enrollment"
            value={params.get('enrollment') ?? ''}
            options={kinds.map((id) => [id, TITLES[id]] as const)}
            onChange={(to) => change({ enrollment: to })}
          />
        )}
      </div>
    </>
  );
}

const KIND_IDS = Object.keys(TITLES);
function kindsOf({ summary }: Run): readonly EnrollmentId[] {
  const isKind = (id: string): id is EnrollmentId => KIND_IDS.includes(id);
  return Object.entries(summary ?? {}).flatMap(([id, counts]) =>
    isKind(id) && Object.values(counts).some((n) => n > 0) ? [id] : [],
  );
}

/** A change that waits is described in a few words; one that needs attention, by AWS's own message. */
function reasonOf({ result, enrollment, reason, message }: RunChanges['changes'][number]): string | null {
  if (result === 'Succeeded') return '';
  if (result === 'Needs attention' || reason === null) return message;
  return shortReason({ enrollment, reason, status: 'Waiting' });
}

function ChangesTable({ rows }: { readonly rows: RunChanges['changes'] }) {
  return (
    <table class="grid cards changes two-lines" aria-label="Changes of the run">
      <colgroup>
        <col class="w-out" />
        <col class="w-name" />
        <col class="w-id drop-l drop-m drop-s" />
        <col class="w-path drop-t drop-s" />
        <col class="w-kind" />
        <col class="w-ou drop-w drop-s" />
        <col />
        <col class="w-clock drop-s" />
      </colgroup>
      <thead>
        <tr>
          <th scope="col">Outcome</th>
          <th scope="col">Account</th>
          <th scope="col" class="drop-l drop-m drop-s">
            Account id
          </th>
          <th scope="col" class="drop-t drop-s">
            OU
          </th>
          <th scope="col">Enrollment</th>
          <th scope="col" class="drop-w drop-s">
            Desired
          </th>
          <th scope="col">Reason</th>
          <th scope="col" class="num drop-s">
            Last step
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            <td class="outcome">
              <ChangeOutcomeMark result={row.result} />
            </td>
            <th scope="row">
              <Link href={`/account?id=${row.accountId}`} title={row.accountId}>
                {row.name ?? row.accountId}
              </Link>
            </th>
            <td class="id drop-l drop-m drop-s">{row.accountId}</td>
            <td class="drop-t drop-s" title={row.ou ?? ''}>
              {row.ou ?? '–'}
            </td>
            <td class="kind">{TITLES[row.enrollment]}</td>
            <td class="drop-w drop-s">
              {[row.desired, row.desiredRuleMode].filter((part) => part !== null).join(', ')}
            </td>
            <td class="why" title={row.message ?? ''}>
              {reasonOf(row)}
            </td>
            <td class="num muted drop-s">
              <Time iso={row.at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
