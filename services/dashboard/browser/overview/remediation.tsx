import { Link } from 'wouter-preact';
import { actorName } from '../../../../shared/domain/actor.ts';
import { PREREQUISITE_TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { progress } from '../live.ts';
import { Bar } from '../parts/bar.tsx';
import { Pill } from '../parts/icon.tsx';
import { Resume } from '../parts/operate.tsx';
import { Sentence, Time } from '../parts/time.tsx';
import type { Overview, Progress, Status } from '../types.ts';
import { changesText, count, number, sentence, wordsOf } from '../words.ts';
import { CapText } from './cap-text.tsx';

interface RemediationProps {
  readonly status: Status;
  readonly overview: Overview;
}

/** What Rollcall is doing about the drift: the current run, what waits and until when, and how much of the caps is used. */
export function Remediation({ status, overview }: RemediationProps) {
  return (
    <section class="panel a-now" aria-labelledby="remediation">
      <header>
        <h2 id="remediation">Remediation</h2>
        <span class="right">
          <State status={status} />
        </span>
      </header>
      <div class="body">
        {status.halted === null ? <Run status={status} /> : <Held status={status} />}
        <Waiting overview={overview} />
        <hr class="rule" />
        <Limits status={status} overview={overview} />
        <Suspensions status={status} />
      </div>
    </section>
  );
}

/** Whether a run is under way: in this process, or in another one that works on the queue. */
function isRunning(value: Progress | null, { visible, inFlight }: Status['queue']): boolean {
  return visible + inFlight > 0 || (value !== null && value.phase !== 'idle');
}

function State({ status: { halted, queue, guardrail } }: { readonly status: Status }) {
  if (halted !== null) return <Pill tone="attention" mark="attention" text="Halted" />;
  if (isRunning(progress.value, queue)) return <Pill tone="progress" mark="progress" text="Running" />;
  if (guardrail !== null) return <Pill tone="attention" mark="attention" text="Stopped by a guardrail" />;
  return <Pill tone="quiet" mark="compliant" text="Idle" />;
}

const PHASES: Readonly<Record<Progress['phase'], string>> = {
  idle: 'Last run',
  waiting: 'Waiting for another process',
  organization: 'Reading the organization',
  listing: 'Reading enrollments',
  probing: 'Reading single accounts',
  working: 'Making changes',
};

/** The current or last run of this process. */
function Run({ status: { lastScan, guardrail } }: { readonly status: Status }) {
  const { value } = progress;
  if (value === null || value.runId === null) {
    return (
      <p class="muted">
        {lastScan.startedAt === null || lastScan.runId === null ? (
          'No run yet.'
        ) : (
          <>
            Last run <RunLink runId={lastScan.runId} at={lastScan.startedAt} />
          </>
        )}
      </p>
    );
  }
  const { changes, queued, phase, runId, startedAt } = value;
  const { total, confirmed, failed, blocked, notNeeded, inProgress } = changes;
  const totals = { now: queued.changes - queued.followUps, followUps: queued.followUps };
  const done = confirmed + notNeeded;
  const open = Math.max(0, total - done - failed - blocked - inProgress);
  return (
    <div class="progress">
      <div class="top">
        <b>
          <RunLink runId={runId} at={startedAt} text={`${PHASES[phase]}, `} />
        </b>
        {total > 0 && (
          <span>
            {number(done)} of {count(total, 'change')}
          </span>
        )}
      </div>
      {total === 0 ? (
        <p class="muted small">{phase === 'idle' ? <NothingPlanned guardrail={guardrail} /> : `${PHASES[phase]}…`}</p>
      ) : (
        <>
          <Bar
            label={`${number(done)} done, ${number(inProgress)} in progress, ${number(blocked)} waiting, ${number(failed)} failed`}
            total={total}
            parts={[
              { tone: 'compliant', size: done },
              { tone: 'progress', size: inProgress },
              { tone: 'waiting', size: blocked },
              { tone: 'attention', size: failed },
            ]}
          />
          <p class="muted small">
            {number(inProgress)} in progress, {number(blocked)} waiting or needing attention, {number(failed)} failed
            {open > 0 && `, ${number(open)} not started`}
            {totals.followUps > 0 && (
              <>
                <br />
                {changesText(totals)}
              </>
            )}
          </p>
        </>
      )}
    </div>
  );
}

/** About the last run only: an earlier one may have made many changes. */
function NothingPlanned({ guardrail }: Pick<Status, 'guardrail'>) {
  if (guardrail !== null) return <>A guardrail stopped it before any change.</>;
  return (
    <>
      Its scan planned no changes. <Link href="/runs">Earlier runs</Link>
    </>
  );
}

interface RunLinkProps {
  readonly runId: string;
  readonly at: string | null;
  readonly text?: string;
}

function RunLink({ runId, at, text = '' }: RunLinkProps) {
  return (
    <Link href={`/run?id=${encodeURIComponent(runId)}`}>
      {text}
      <Time iso={at} />
    </Link>
  );
}

/** The changes that the halt delays: the same number as in the banner. The counts by status stay, so this explains what each status means during a halt. */
function Held({ status: { openDrift } }: { readonly status: Status }) {
  const rows = [
    ['Held until you resume', openDrift.due],
    ['Waiting, not due yet', openDrift.toFix + openDrift.waiting - openDrift.due],
    ['Sent before the halt: will finish', openDrift.inProgress],
    ['Alert only: never changed', openDrift.reportedOnly],
    ['Needs attention', openDrift.needAttention],
    ['Unknown', openDrift.unknown],
  ] as const;
  return (
    <table class="mini">
      <thead>
        <tr>
          <th scope="col">Open drift</th>
          <th scope="col" class="num">
            {number(openDrift.enrollments)}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows
          .filter(([, n]) => n > 0)
          .map(([words, n]) => (
            <tr key={words}>
              <td>{words}</td>
              <td class="num">{number(n)}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}

function Waiting({ overview: { waiting } }: { readonly overview: Overview }) {
  if (waiting.length === 0) return null;
  return (
    <>
      <hr class="rule" />
      <table class="mini">
        <thead>
          <tr>
            <th scope="col">Waiting</th>
            <th scope="col" class="num">
              {number(waiting.reduce((sum, each) => sum + each.count, 0))}
            </th>
            <th scope="col">Next</th>
          </tr>
        </thead>
        <tbody>
          {waiting.map(({ reason, count: n, nextAt }) => (
            <tr key={reason}>
              <td>{waitingText(reason)}</td>
              <td class="num">{number(n)}</td>
              <td class="nowrap">{nextAt === null ? 'after its change' : <Time iso={nextAt} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** Why an enrollment waits, in a few words. */
export function waitingText(reason: string): string {
  if (reason === 'coolDown') return '24-hour cool-down';
  if (reason === 'prerequisite') return `${PREREQUISITE_TITLES} first`;
  return reason === 'retrying' ? 'Retry after an AWS error' : sentence(wordsOf(reason).short);
}

/** The change window, and the accounts changed of those that the caps allow. */
function Limits({ status: { window, rollout, trustedAccess }, overview: { guardrails } }: RemediationProps) {
  return (
    <dl class="facts small">
      <dt>Change window</dt>
      <dd>
        <WindowText window={window} />
      </dd>
      {guardrails !== null && (
        <>
          <dt>Changed in 24 h</dt>
          <dd>
            <CapText use={guardrails.changes} />
          </dd>
          <dt>Opt-outs in 24 h</dt>
          <dd>
            <CapText use={guardrails.optOuts} />
          </dd>
        </>
      )}
      {rollout !== null && rollout.phase !== 'open' && (
        <>
          <dt>Rollout</dt>
          <dd>
            <Sentence text={sentence(rollout.message)} />
          </dd>
        </>
      )}
      {trustedAccess?.enabled === false && (
        <>
          <dt>Trusted access</dt>
          <dd>
            Off since <Time iso={trustedAccess.since} />. <code>rollcall doctor</code> shows the fix.
          </dd>
        </>
      )}
    </dl>
  );
}

function WindowText({ window }: { readonly window: Status['window'] }) {
  if (window === null) return <>Always open</>;
  const { open, opensAt, closesAt } = window;
  if (open && closesAt === null) return <>Open</>;
  return (
    <>
      {open ? 'Open, closes ' : 'Closed, opens '}
      <Time iso={open ? closesAt : opensAt} zoned />
    </>
  );
}

/** Two ids are shown, more are counted. */
function selectorText(selector: string): string {
  const ids = selector.split(',');
  if (!ids.every((id) => /^\d{12}$/.test(id))) return selector;
  return ids.length > 2 ? count(ids.length, 'account') : ids.join(', ');
}

function Suspensions({ status: { suspensions } }: { readonly status: Status }) {
  if (suspensions.length === 0) return null;
  return (
    <>
      <hr class="rule" />
      <ul class="suspensions">
        {suspensions.map(({ selector, reason, until, at, by }) => (
          <li key={`${selector} ${at}`}>
            <div>
              <b class="strong" title={selector}>
                Suspended: {selectorText(selector)}
              </b>
              <small class="muted" title={by}>
                by {actorName(by)}
                {reason !== null && `: ${reason}`}, until {until === null ? 'resumed' : <Time iso={until} zoned />}
              </small>
            </div>
            <Resume selector={selector} />
          </li>
        ))}
      </ul>
    </>
  );
}
