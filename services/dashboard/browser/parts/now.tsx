import { Link } from 'wouter-preact';
import { FIRST_KIND } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { READ } from '../endpoints.ts';
import { changes, progress } from '../live.ts';
import { useResource } from '../resource.ts';
import type { Limiter, Progress, Status } from '../types.ts';
import { changesText, count, number, progressText } from '../words.ts';
import { Fact, Loaded, Time } from './small.tsx';

const PHASES: Readonly<Record<Progress['phase'], string>> = {
  idle: 'No run in progress',
  waiting: 'Waiting for another process',
  organization: 'Reading the organization',
  listing: 'Reading enrollments',
  probing: 'Reading single accounts',
  working: 'Making changes',
};

export function NowCard({ status }: { readonly status: Status }) {
  const { lastScan, nextScan, queue, window, openDrift } = status;
  return (
    <article>
      <h2>Now</h2>
      <RunProgress queue={queue} />
      <dl class="facts">
        <Fact term="Open drift">
          {openDrift.oldestSince === null ? (
            'none'
          ) : (
            <>
              {count(openDrift.enrollments, 'enrollment')}, the oldest since{' '}
              <Time iso={openDrift.oldestSince} relative />
            </>
          )}
        </Fact>
        <Fact term="Last scan">
          {lastScan.completedAt === null ? 'none yet' : <Time iso={lastScan.completedAt} relative />}
        </Fact>
        <Fact term="Next scan">
          <Time iso={nextScan} />
        </Fact>
        <Fact term="Window">{windowText(window)}</Fact>
        <Fact term="Queue">
          {number(queue.visible)} waiting, {number(queue.inFlight)} in flight,{' '}
          <Link href="/runs">{count(queue.dead, 'dead letter')}</Link>
        </Fact>
      </dl>
    </article>
  );
}

function windowText(window: Status['window']) {
  if (window === null) return 'always open';
  const { open, opensAt, closesAt } = window;
  if (open && closesAt === null) return 'open';
  return (
    <>
      {open ? 'open' : 'closed'} until <Time iso={open ? closesAt : opensAt} />
    </>
  );
}

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

function Total({ total, ceiling }: { readonly total: number | null; readonly ceiling: number }) {
  return (
    <>
      <span class="big">{total === null ? '–' : number(total)}</span>
      <p class="muted">of at most {number(ceiling)} calls per second</p>
      <meter min={0} max={ceiling} value={total ?? 0} aria-label="Calls per second, compared with the limit">
        {number(total ?? 0)} of {number(ceiling)}
      </meter>
    </>
  );
}

export function CallRateCard() {
  const limiter = useResource<Limiter>(READ.limiter, changes.value);
  return (
    <article>
      <h2>Call rate</h2>
      <Loaded resource={limiter} what="The call rate">
        {({ ceiling, total, operations }) => (
          <>
            {ceiling === null ? (
              <p class="muted">Each operation adapts to what AWS accepts.</p>
            ) : (
              <Total total={total} ceiling={ceiling} />
            )}
            <dl class="facts figures">
              {operations.slice(0, 4).map(({ operation, rate }) => (
                <div class="pair" key={operation}>
                  <dt>{breakable(operation.split(':').at(-1) ?? '')}</dt>
                  <dd>{number(rate)}/s</dd>
                </div>
              ))}
            </dl>
          </>
        )}
      </Loaded>
    </article>
  );
}

/** Allows a line break in `ListAccounts` before `Accounts`. */
function breakable(name: string) {
  return name.split(/(?=[A-Z][a-z])/).map((word) => (
    <>
      <wbr />
      {word}
    </>
  ));
}
