import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { get } from '../api.ts';
import { READ } from '../endpoints.ts';
import { changes } from '../live.ts';
import { FilterChip } from '../parts/filter-chip.tsx';
import { Button, Segments } from '../parts/form.tsx';
import { Heading } from '../parts/heading.tsx';
import { Mark } from '../parts/icon.tsx';
import { ScanNow } from '../parts/operate.tsx';
import { RunPill } from '../parts/run-mark.tsx';
import { Loaded } from '../parts/small.tsx';
import { now, Time } from '../parts/time.tsx';
import { useResource } from '../resource.ts';
import {
  CHANGE_LOOKS,
  CHANGE_OUTCOMES,
  grouped,
  type RunRow,
  runHref,
  splitText,
  TRIGGERS,
  triggerText,
} from '../run-line.ts';
import { Outcomes } from '../runs/outcomes.tsx';
import { RunsTable } from '../runs/table.tsx';
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
  'Waiting',
  'Needs attention',
  'Stopped by guardrail',
  'Stopped by halt',
  'Interrupted',
  'Nothing planned',
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

/** The run in progress: its changes by outcome. Its row shows the same numbers. */
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
          <Outcomes outcomes={outcomes} />
          <Legend outcomes={outcomes} />
        </div>
      )}
    </section>
  );
}

/** The numbers of a bar. */
function Legend({ outcomes }: Pick<Run, 'outcomes'>) {
  const shown = [...CHANGE_OUTCOMES]
    .reverse()
    .filter((each) => (outcomes[each] ?? 0) > 0 || each === 'Needs attention');
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
