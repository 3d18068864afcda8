import { useEffect, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { Icon } from '../parts/icon.tsx';
import { RunOutcome } from '../parts/run-mark.tsx';
import { now, Time } from '../parts/time.tsx';
import {
  ADDED_WHY,
  AGAIN_WHY,
  addedText,
  driftedAgainText,
  madeText,
  openText,
  quietText,
  type RunRow,
  runDuration,
  runHref,
  triggerText,
} from '../run-line.ts';
import type { Run } from '../types.ts';
import { firstClause, number } from '../words.ts';
import { Outcomes } from './outcomes.tsx';

export function RunsTable({ rows }: { readonly rows: readonly RunRow[] }) {
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
          <th scope="col">Details</th>
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

/** Why the run stopped or what is open, and what happened after it was planned. */
function detailsText(run: Run): string {
  const open = run.stopped === null ? openText(run) : firstClause(run.stopped.message);
  return [open, addedText(run) ?? '', driftedAgainText(run) ?? ''].filter((part) => part !== '').join(', ');
}

/** The whole message, and what "added later" and "drifted again later" mean. */
function detailsTitle(run: Run): string {
  const [added, again] = [addedText(run), driftedAgainText(run)];
  const parts = [
    run.stopped?.message ?? '',
    added === null ? '' : `${added}: ${ADDED_WHY}.`,
    again === null ? '' : `${again}: ${AGAIN_WHY}.`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function Row({ run }: { readonly run: Run }) {
  const { runId, startedAt, outcome, outcomes, drift, policyHash, changes: made } = run;
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
      <td class="drop-m drop-s">{made.total > 0 && <Outcomes outcomes={outcomes} />}</td>
      <td class="why left" title={detailsTitle(run)}>
        {detailsText(run)}
      </td>
      <td class="num muted dur drop-m">{runDuration(run, now.value)}</td>
      <td class="mono muted drop-m drop-s">{policyHash?.slice(0, 8) ?? '–'}</td>
    </tr>
  );
}
