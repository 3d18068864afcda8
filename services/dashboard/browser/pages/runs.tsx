import { useEffect, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { get } from '../api.ts';
import { READ } from '../endpoints.ts';
import { changes } from '../live.ts';
import { FilterChip } from '../parts/filter-chip.tsx';
import { Button, Segments } from '../parts/form.tsx';
import { Heading } from '../parts/heading.tsx';
import { Icon, Mark } from '../parts/icon.tsx';
import { ScanNow } from '../parts/operate.tsx';
import { PartsBar } from '../parts/parts-bar.tsx';
import { RunOutcome, RunPill } from '../parts/run-mark.tsx';
import { Loaded } from '../parts/small.tsx';
import { now, Time } from '../parts/time.tsx';
import { useResource } from '../resource.ts';
import {
  barParts,
  CHANGE_LOOKS,
  CHANGE_OUTCOMES,
  grouped,
  openText,
  quietText,
  type RunRow,
  splitText,
  TRIGGERS,
  triggerText,
} from '../run-line.ts';
import { useParams } from '../search-params.ts';
import { durationText, zoneName } from '../time-text.ts';
import type { Run, Runs } from '../types.ts';
import { count, number } from '../words.ts';

export function RunsPage() {
  const runs = useResource<Runs>(READ.runs(), changes.value);
  return (
    <>
      <Heading title="Runs" actions={<ScanNow />}>
        Runs
      </Heading>
      <Loaded resource={runs} what="The runs">
        {(first) => (first.runs.length === 0 ? <NoRuns /> : <All first={first} />)}
      </Loaded>
    </>
  );
}

function NoRuns() {
  return (
    <section class="panel" aria-label="Runs">
      <div class="message">
        <p>
          <b class="strong">No scan yet.</b> The first scan reads all accounts and their enrollments.
        </p>
      </div>
    </section>
  );
}

function All({ first }: { readonly first: Runs }) {
  const older = useOlder(first);
  const [params, change] = useParams();
  const current = older.runs.find(({ outcome }) => outcome === 'In progress');
  const [outcome, trigger] = [params.get('outcome') ?? '', params.get('trigger') ?? ''];
  const all = params.get('show') === 'all' || outcome !== '' || trigger !== '';
  const fitting = older.runs.filter(
    (run) => (outcome === '' || run.outcome === outcome) && (trigger === '' || run.trigger?.kind === trigger),
  );
  const rows: readonly RunRow[] = all ? fitting.map((run) => ({ kind: 'run', run })) : grouped(fitting);
  const quiet = rows.reduce((n, row) => n + (row.kind === 'quiet' ? row.runs.length : 0), 0);
  return (
    <>
      {current !== undefined && <Current run={current} />}
      <section class="panel" aria-label="All runs">
        <div class="tools filters">
          <Segments
            label="Show"
            value={all ? 'all' : 'grouped'}
            options={[
              ['grouped', 'Group quiet runs'],
              ['all', 'Show all'],
            ]}
            onChange={(to) => change({ show: to === 'all' ? 'all' : null, outcome: null, trigger: null })}
          />
          <FilterChip
            label="Outcome"
            value={outcome}
            options={OUTCOMES.map((each) => [each, each] as const)}
            onChange={(to) => change({ outcome: to })}
          />
          <FilterChip label="Trigger" value={trigger} options={TRIGGERS} onChange={(to) => change({ trigger: to })} />
          <span class="right muted" role="status">
            {count(fitting.length, 'run')}
            {quiet > 0 && `, ${number(quiet)} of them grouped`}, times in {zoneName()}
          </span>
        </div>
        {rows.length === 0 ? (
          <div class="message">
            <p>
              <b class="strong">No run matches these filters.</b>
            </p>
            <Button onClick={() => change({ outcome: null, trigger: null })}>Clear filters</Button>
          </div>
        ) : (
          <RunsTable rows={rows} />
        )}
        <div class="table-foot">
          {older.next !== null && (
            <Button look="tiny" onClick={older.more}>
              Older runs
            </Button>
          )}
          <span class="right">Drift counts every open drift that the scan found</span>
        </div>
      </section>
    </>
  );
}

const OUTCOMES = [
  'In progress',
  'Completed',
  'Needs attention',
  'Stopped by guardrail',
  'Stopped by halt',
  'Interrupted',
  'Scan only',
] as const;

/** The newest runs, which are read again after each change, and the older ones that the reader asked for. */
function useOlder(first: Runs) {
  const [pages, setPages] = useState<readonly Runs[]>([]);
  const known = new Set(first.runs.map(({ runId }) => runId));
  const next = (pages.at(-1) ?? first).next;
  return {
    runs: [...first.runs, ...pages.flatMap(({ runs }) => runs.filter(({ runId }) => !known.has(runId)))],
    next,
    more: async () => {
      if (next === null) return;
      const page = await get<Runs>(READ.runs(next));
      setPages((now) => [...now, page]);
    },
  };
}

const runHref = (runId: string): string => `/run?id=${encodeURIComponent(runId)}`;

/** The run in progress: its changes by outcome. The same numbers stand in its row. */
function Current({ run }: { readonly run: Run }) {
  const { outcomes, changes: made, startedAt, completedAt } = run;
  const split = splitText(run);
  return (
    <section class="panel" aria-labelledby="current">
      <header>
        <h2 id="current">
          <Link href={runHref(run.runId)}>
            {triggerText(run) === '–' ? 'Run' : triggerText(run)}, <Time iso={startedAt} zoned />
          </Link>
        </h2>
        <RunPill outcome={run.outcome} />
        <span class="sub">
          {completedAt === null
            ? 'Scanning the organization'
            : `${number(outcomes['Succeeded'] ?? 0)} of ${count(made.total, 'change')} succeeded${split === null ? '' : `: ${split}`}`}
        </span>
        <span class="right muted">{durationText(Math.max(0, now.value - Date.parse(startedAt)))} so far</span>
      </header>
      {completedAt !== null && (
        <div class="body progress">
          <PartsBar parts={barParts(outcomes)} />
          <Legend outcomes={outcomes} />
        </div>
      )}
    </section>
  );
}

/** The numbers of a bar. */
export function Legend({ outcomes }: Pick<Run, 'outcomes'>) {
  const shown = [...CHANGE_OUTCOMES].reverse().filter((each) => (outcomes[each] ?? 0) > 0 || each === 'Needs attention');
  return (
    <p class="legend">
      {shown.map((outcome) => {
        const { mark, tone } = CHANGE_LOOKS[outcome];
        return (
          <span key={outcome} class={`st c-${tone}`}>
            <Mark name={mark} />
            {number(outcomes[outcome] ?? 0)} {outcome === 'Needs attention' ? 'need attention' : outcome.toLowerCase()}
          </span>
        );
      })}
    </p>
  );
}

function RunsTable({ rows }: { readonly rows: readonly RunRow[] }) {
  return (
    <table class="grid cards runs" aria-label="Runs, newest first">
      <colgroup>
        <col class="w-time" />
        <col class="w-outcome" />
        <col class="w-trig" />
        <col class="w-short drop-s" />
        <col class="w-id" />
        <col class="w-num drop-m drop-s" />
        <col />
        <col class="w-dur drop-m" />
        <col class="w-num drop-m drop-s" />
      </colgroup>
      <thead>
        <tr>
          <th scope="col" aria-sort="descending">
            Started ↓
          </th>
          <th scope="col">Outcome</th>
          <th scope="col">Trigger</th>
          <th scope="col" class="num drop-s">
            Drift
          </th>
          <th scope="col" class="num">
            Changes
          </th>
          <th scope="col" class="drop-m drop-s">
            <span class="sr">Share</span>
          </th>
          <th scope="col">Open</th>
          <th scope="col" class="num drop-m">
            Duration
          </th>
          <th scope="col" class="drop-m drop-s">
            Policy
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) =>
          row.kind === 'run' ? (
            <Row key={row.run.runId} run={row.run} />
          ) : (
            <Quiet key={`quiet ${row.runs.at(-1)?.runId}`} runs={row.runs} />
          ),
        )}
      </tbody>
    </table>
  );
}

/** Several runs in one row, which opens on a click. */
function Quiet({ runs }: { readonly runs: readonly Run[] }) {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (runs.length === 0) setOpen(false);
  }, [runs.length]);
  return (
    <>
      <tr class="fold">
        <td colSpan={9}>
          <button type="button" class="btn quiet tiny" aria-expanded={open} onClick={() => setOpen(!open)}>
            <Icon name={open ? 'chev' : 'right'} />
            {quietText(runs, now.value)}
          </button>
        </td>
      </tr>
      {open && runs.map((run) => <Row key={run.runId} run={run} />)}
    </>
  );
}

function madeText({ outcomes, changes: made, completedAt }: Run): string | null {
  if (made.total > 0) return `${number(outcomes['Succeeded'] ?? 0)} of ${number(made.total)}`;
  return completedAt === null ? null : 'No changes';
}

/** How long a run took; of the run in progress, how long it has taken so far. */
export function runDuration({ startedAt, endedAt }: Run, at: number): string {
  return durationText(Math.max(0, (endedAt === null ? at : Date.parse(endedAt)) - Date.parse(startedAt)));
}

function Row({ run }: { readonly run: Run }) {
  const { runId, startedAt, outcome, outcomes, drift, policyHash, stopped, changes: made } = run;
  const trigger = triggerText(run);
  const text = madeText(run);
  return (
    <tr>
      <th scope="row">
        <Link href={runHref(runId)}>
          <Time iso={startedAt} />
        </Link>
      </th>
      <td class="outcome">
        <RunOutcome outcome={outcome} />
      </td>
      <td class="trig" title={run.trigger?.reason ?? run.trigger?.actor ?? run.actor}>
        {trigger}
      </td>
      <td class="num drop-s">{drift === null ? '–' : number(drift)}</td>
      <td class="num made">{made.total > 0 ? text : <span class="muted">{text ?? '–'}</span>}</td>
      <td class="drop-m drop-s">{made.total > 0 && <PartsBar parts={barParts(outcomes)} />}</td>
      <td class="why left" title={stopped?.message ?? ''}>
        {stopped === null ? openText(run) : stopped.message}
      </td>
      <td class="num muted dur drop-m">{runDuration(run, now.value)}</td>
      <td class="mono muted drop-m drop-s">{policyHash?.slice(0, 8) ?? '–'}</td>
    </tr>
  );
}
