import { useEffect, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { type EnrollmentId, TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { actorName } from '../actor.ts';
import { get } from '../api.ts';
import { type ChangeFilter, READ } from '../endpoints.ts';
import { changes } from '../live.ts';
import { FilterChip } from '../parts/filter-chip.tsx';
import { Button } from '../parts/form.tsx';
import { Heading } from '../parts/heading.tsx';
import { Icon, Mark } from '../parts/icon.tsx';
import { Approve } from '../parts/operate.tsx';
import { PartsBar } from '../parts/parts-bar.tsx';
import { ChangeOutcomeMark, RunPill } from '../parts/run-mark.tsx';
import { Loaded } from '../parts/small.tsx';
import { now, Sentence, Time } from '../parts/time.tsx';
import { useResource } from '../resource.ts';
import { barParts, CHANGE_LOOKS, CHANGE_OUTCOMES, splitText, triggerText } from '../run-line.ts';
import { useParams } from '../search-params.ts';
import { exactText } from '../time-text.ts';
import type { Run, RunChanges, RunDetail } from '../types.ts';
import { count, number } from '../words.ts';
import { runDuration } from './runs.tsx';

export function RunPage() {
  const [params] = useParams();
  const id = params.get('id') ?? '';
  const resource = useResource<RunDetail>(id === '' ? null : READ.run(id), changes.value);
  const run = resource.data?.run ?? null;
  const title = run === null ? 'Run' : `Run of ${exactText(Date.parse(run.startedAt)).replace(/:\d\d (?=\S+$)/, ' ')}`;
  return (
    <>
      <Heading
        title={title}
        crumb={<Link href="/runs">Runs</Link>}
        beside={run !== null && <RunPill outcome={run.outcome} />}
        sub={run !== null && <Origin run={run} />}
        actions={
          <Link class="btn" href={`/audit?${new URLSearchParams({ run: id, period: 'all' })}`}>
            Audit entries
          </Link>
        }
      >
        {title}
      </Heading>
      {id !== '' && (
        <Loaded resource={resource} what="The run">
          {(found) => <Found found={found} />}
        </Loaded>
      )}
    </>
  );
}

function Origin({ run }: { readonly run: Run }) {
  const [copied, setCopied] = useState(false);
  const trigger = triggerText(run);
  const reason = run.trigger?.reason ?? null;
  return (
    <>
      {trigger === '–' ? `Started by ${actorName(run.actor)}` : trigger}
      {reason !== null && ` (${reason})`}. Run id{' '}
      <span class="mono" title={run.runId}>
        {run.runId}
      </span>{' '}
      <button
        type="button"
        class="icon-btn inline"
        aria-label={copied ? 'Run id copied' : 'Copy run id'}
        onClick={() => void navigator.clipboard.writeText(run.runId).then(() => setCopied(true))}
      >
        {copied ? <Mark name="compliant" class="c-compliant" /> : <Icon name="copy" />}
      </button>
    </>
  );
}

function Found({ found }: { readonly found: RunDetail }) {
  const { run, plan } = found;
  return (
    <>
      {run.stopped !== null && <Stopped found={found} />}
      <Result found={found} />
      {plan.total > 0 && <Changes run={run} />}
    </>
  );
}

/** Why the run makes no changes, with the approval that it asks for. */
function Stopped({ found: { run, plan } }: { readonly found: RunDetail }) {
  return (
    <section class="panel" aria-label="Why the run stopped">
      <div class="message">
        <p class="st c-attention">
          <Mark name="attention" />
          <b class="strong">
            <Sentence text={run.stopped?.message ?? ''} />
          </b>
        </p>
        {plan.approvable && plan.planHash !== null && (
          <>
            <p>
              Nothing was changed. Plan <code title={plan.planHash}>{plan.planHash.slice(0, 8)}</code> with{' '}
              {count(run.changes.total, 'change')} is stored. An approval is valid for 24 hours and one run.
            </p>
            <span class="actions">
              <Approve planHash={plan.planHash} changes={run.changes.total} />
            </span>
          </>
        )}
      </div>
    </section>
  );
}

function Result({ found }: { readonly found: RunDetail }) {
  const { run, accounts } = found;
  const { total } = run.changes;
  const split = splitText(run);
  const open = (run.outcomes['In progress'] ?? 0) + (run.outcomes['Not started'] ?? 0);
  return (
    <section class="panel" aria-labelledby="result">
      <header>
        <h2 id="result">
          {total === 0 ? 'No changes' : `${count(total, 'change')} in ${count(accounts, 'account')}`}
        </h2>
        {split !== null && <span class="sub">{split}</span>}
        <span class="right muted">
          {total > 0 && `${Math.floor(((total - open) / total) * 100)}% done `}
          {run.endedAt === null ? 'after ' : 'in '}
          {runDuration(run, now.value)}
        </span>
      </header>
      {total > 0 && (
        <div class="body">
          <PartsBar parts={barParts(run.outcomes)} />
          <ByKind found={found} />
        </div>
      )}
      <Facts found={found} />
    </section>
  );
}

function ByKind({ found: { run, kinds } }: { readonly found: RunDetail }) {
  const columns = [...CHANGE_OUTCOMES]
    .reverse()
    .filter((each) => (run.outcomes[each] ?? 0) > 0 || each === 'Needs attention' || each === 'Succeeded');
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label="Result by enrollment">
      <table class="mini result">
        <thead>
          <tr>
            <th scope="col">Enrollment</th>
            <th scope="col" class="num">
              Changes
            </th>
            {columns.map((each) => (
              <th key={each} scope="col" class="num">
                {each}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {kinds.map(({ enrollment, total, outcomes }) => (
            <tr key={enrollment}>
              <td>{TITLES[enrollment]}</td>
              <td class="num">{number(total)}</td>
              {columns.map((each) => (
                <td key={each} class="num plain">
                  {number(outcomes[each] ?? 0)}
                </td>
              ))}
            </tr>
          ))}
          <tr class="sum">
            <td>All</td>
            <td class="num">{number(run.changes.total)}</td>
            {columns.map((each) => (
              <td key={each} class="num">
                {number(run.outcomes[each] ?? 0)}
              </td>
            ))}
          </tr>
        </tbody>
      </table>
    </section>
  );
}

function Facts({ found: { run, plan } }: { readonly found: RunDetail }) {
  const { coverage, completedAt, startedAt, totals, policyHash, drift } = run;
  const { approval, planHash } = plan;
  const active = coverage === null ? 0 : coverage.evaluated + coverage.unknown;
  return (
    <dl class="strip lined">
      <div>
        <dt>Scan</dt>
        <dd>
          {coverage === null ? 'Not complete' : count(coverage.listed, 'account')}
          {completedAt !== null && <small>{runDuration({ ...run, startedAt, endedAt: completedAt }, now.value)}</small>}
        </dd>
      </div>
      {coverage !== null && (
        <div>
          <dt>Coverage</dt>
          <dd>
            {number(coverage.evaluated)} of {number(active)} active
            <small>
              {number(coverage.unknown)} unknown, {number(coverage.notApplicable)} not active
            </small>
          </dd>
        </div>
      )}
      <div>
        <dt>Drift found</dt>
        <dd>{drift === null ? '–' : number(drift)}</dd>
      </div>
      <div>
        <dt>Policy</dt>
        <dd>
          {policyHash === null ? (
            '–'
          ) : (
            <Link class="mono" href="/policy" title={policyHash}>
              {policyHash.slice(0, 8)}
            </Link>
          )}
        </dd>
      </div>
      <div>
        <dt>Plan</dt>
        <dd>
          <span class="mono" title={planHash ?? ''}>
            {planHash?.slice(0, 8) ?? '–'}
          </span>
          {totals !== null && <small>{count(totals.calls, 'planned call')}</small>}
        </dd>
      </div>
      {approval !== null && (
        <div>
          <dt>Approved</dt>
          <dd title={approval.actor}>
            {actorName(approval.actor)}
            <small>
              <Time iso={approval.at} />
              {approval.reason !== null && `: ${approval.reason}`}
            </small>
          </dd>
        </div>
      )}
    </dl>
  );
}

/** All changes, those that need attention first. The server filters and sorts; the page loads 200 at a time. */
function Changes({ run }: { readonly run: Run }) {
  const [params, change] = useParams();
  const [outcome, enrollment, text] = [params.get('outcome'), params.get('enrollment'), params.get('q')];
  const filter: ChangeFilter = { outcome, enrollment, text };
  const path = READ.runChanges(run.runId, filter);
  const first = useResource<RunChanges>(path, changes.value);
  const [older, setOlder] = useState<{ readonly path: string; readonly pages: readonly RunChanges[] }>({ path, pages: [] });
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
                <span class="right drop-s">Open changes as they are now; those that need attention first</span>
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
      <nav class="tabs" aria-label="Filter by outcome">
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

function ChangesTable({ rows }: { readonly rows: RunChanges['changes'] }) {
  return (
    <table class="grid cards changes" aria-label="Changes of the run">
      <colgroup>
        <col class="w-out" />
        <col class="w-name" />
        <col class="w-id drop-m drop-s" />
        <col class="w-ou drop-s" />
        <col class="w-kind" />
        <col class="w-ou drop-m drop-s" />
        <col />
        <col class="w-time drop-s" />
      </colgroup>
      <thead>
        <tr>
          <th scope="col">Outcome</th>
          <th scope="col">Account</th>
          <th scope="col" class="drop-m drop-s">
            Account id
          </th>
          <th scope="col" class="drop-s">
            OU
          </th>
          <th scope="col">Enrollment</th>
          <th scope="col" class="drop-m drop-s">
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
            <td class="wide-cell">
              <ChangeOutcomeMark result={row.result} />
            </td>
            <th scope="row">
              <Link href={`/account?id=${row.accountId}`}>{row.name ?? row.accountId}</Link>
            </th>
            <td class="id drop-m drop-s">{row.accountId}</td>
            <td class="drop-s" title={row.ou ?? ''}>
              {row.ou ?? '–'}
            </td>
            <td>{TITLES[row.enrollment]}</td>
            <td class="drop-m drop-s">{[row.desired, row.desiredRuleMode].filter((part) => part !== null).join(', ')}</td>
            <td class="why wide-cell" title={row.message ?? ''}>
              {row.result === 'Succeeded' ? '' : row.message}
              {!row.planned && <span class="tag"> unplanned</span>}
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
