import { Link } from 'wouter-preact';
import { FIRST_KIND } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { progress } from '../live.ts';
import type { Progress, Status } from '../types.ts';
import { changesText, number, progressText } from '../words.ts';

const PHASES: Readonly<Record<Progress['phase'], string>> = {
  idle: 'No run in progress',
  waiting: 'Waiting for another process',
  organization: 'Reading the organization',
  listing: 'Reading enrollments',
  probing: 'Reading single accounts',
  working: 'Making changes',
};

interface RunProgressProps {
  /** The work queue, which other processes may be working on; `undefined` until it is known. */
  readonly queue: Status['queue'] | undefined;
}

/** Live progress of the current run. */
export function RunProgress({ queue }: RunProgressProps) {
  const { value } = progress;
  if (value === null) return <p class="muted">No progress reported yet.</p>;
  const { runId, listed, queued, changes: planned, organization } = value;
  const left = (queue?.visible ?? 0) + (queue?.inFlight ?? 0);
  const phase = value.phase === 'idle' && left > 0 ? 'working' : value.phase;
  const finished = planned.confirmed + planned.failed + planned.blocked + planned.notNeeded;
  const totals = { now: queued.changes - queued.followUps, followUps: queued.followUps };
  const running = phase !== 'idle';
  return (
    <div class="progress">
      <p>
        <strong>{PHASES[phase]}</strong>
        {runId !== null && (
          <>
            {' · '}
            <Link href={`/run?id=${runId}`}>{running ? 'this run' : 'last run'}</Link>
          </>
        )}
      </p>
      {running && (phase !== 'working' || planned.total === 0) && <progress aria-label={PHASES[phase]} />}
      {phase === 'working' && planned.total > 0 && (
        <progress value={finished} max={planned.total} aria-label="Changes finished" />
      )}
      {organization + listed[FIRST_KIND.id] > 0 && (
        <p class="muted">
          {number(Math.max(organization, listed[FIRST_KIND.id]))} accounts read.
          {queued.changes > 0 && ` ${changesText(totals)}`}
          {planned.total > 0 && `; ${progressText(planned)}`}
        </p>
      )}
    </div>
  );
}
