import type { Progress, WorkOutcome } from '../../shared/app/context.ts';
import type { Plan } from '../../shared/app/plan/plan.ts';
import type { ServeOptions } from '../../shared/app/runtime/daemon.ts';
import type { DaemonIdentity } from '../../shared/app/runtime/running-daemons.ts';
import type { GivenUpScan } from '../../shared/app/schedule/scan-schedule.ts';
import type { ScanUnderWay } from '../../shared/app/schedule/scan-under-way.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import { makeNewId } from '../../shared/compose/system.ts';
import type { RunningApi } from './api/start-api.ts';
import type { CliContext } from './context.ts';
import { reportOf } from './errors.ts';
import { nextPolicy, shortHash } from './policy-watch.ts';
import { type LoadedPolicy, withApp } from './session.ts';
import { deniedRolesText } from './ui/denied-roles.ts';
import { count, number } from './ui/words.ts';

export interface Serving {
  readonly loaded: LoadedPolicy;
  /** `null`: this process serves no API. */
  readonly api: Pick<RunningApi, 'feed' | 'use'> | null;
  /** Writes a line that the user must see: errors, a changed policy. */
  readonly say: (text: string) => void;
  /** Writes a line about the normal course: scans, results of the workers. */
  readonly detail: (text: string) => void;
  readonly stop: AbortSignal;
  readonly onProgress?: (event: Progress) => void;
  readonly onScan?: (plan: Plan) => void;
  /** Runs beside the daemon under each policy, until `end` aborts. */
  readonly beside?: (app: Runtime, inForce: LoadedPolicy, end: AbortSignal) => Promise<void>;
}

/** What a daemon has done. The shape of `serve --json`. */
export interface Served {
  readonly scans: number;
  readonly worked: Readonly<Partial<Record<WorkOutcome, number>>>;
}

/** How often the results of the workers are reported, ms. */
const REPORT_MS = 5_000;
/** The pause before serving is retried after an error, ms. */
const PAUSE_MS = 15_000;

/** Scans on the policy's schedule and remediates until `stop` aborts. Changes in flight finish before a changed policy replaces the former one. */
export async function serveUntilStopped(context: CliContext, serving: Serving): Promise<Served> {
  const tally = new Tally();
  const { loaded, stop, say } = serving;
  const identity = { id: makeNewId(context.clock)(), startedAt: context.clock.now() };
  let inForce = loaded;
  while (!stop.aborted) {
    const change = new AbortController();
    const end = AbortSignal.any([stop, change.signal]);
    const watching = nextPolicy(context, inForce, end, say).finally(() => change.abort());
    try {
      const underThis = inForce;
      const serveApp = (app: Runtime): Promise<void> =>
        serveUnder(context, { ...serving, app, tally, end, identity }, underThis);
      await withApp(context, underThis.policy, false, serveApp, end);
    } catch (error) {
      const { Stopped } = await import('../../shared/app/support/graceful-stop.ts');
      // Not a failure: the daemon was stopped, or the policy changed, while the app was still starting.
      const ended = end.aborted && error instanceof Stopped;
      // An error under the first policy ends the process, so that the operator who started it sees it. Later, nobody is watching, so serving is retried.
      if (inForce === loaded && !ended) throw error;
      if (!ended) {
        say(`serving failed and will be retried: ${reportOf(error).message}`);
        await context.clock.sleep(PAUSE_MS, stop);
      }
    } finally {
      change.abort();
    }
    const next = await watching;
    if (next === null) continue;
    say(`the policy has changed: ${shortHash(next)} replaces ${shortHash(inForce)}`);
    inForce = next;
  }
  return { scans: tally.scans, worked: tally.total };
}

interface Underway extends Serving {
  readonly app: Runtime;
  readonly tally: Tally;
  readonly end: AbortSignal;
  /** The same for the whole life of the process, under every policy. */
  readonly identity: DaemonIdentity;
}

async function serveUnder(context: CliContext, underway: Underway, inForce: LoadedPolicy): Promise<void> {
  const { app, tally, end, api, say, detail, onProgress, onScan, beside } = underway;
  const [{ serve }, { asRunningDaemon }, { openMaintenance }] = await Promise.all([
    import('../../shared/app/runtime/daemon.ts'),
    import('../../shared/app/runtime/running-daemons.ts'),
    import('./maintenance.ts'),
  ]);
  const { pace } = context.store;
  const maintenance = await openMaintenance(context, app, inForce.policy, pace);
  const close = async (): Promise<void> => {
    try {
      // Signs before the last entries are published, so that the entry of the checkpoint is among them. A new policy only restarts serving.
      if (underway.stop.aborted) await maintenance.signLast();
      const text = await maintenance.finish('notify');
      if (text !== null) say(text);
    } finally {
      maintenance.close();
    }
  };
  api?.use(inForce, app);
  detail(`serving ${app.caller.organizationId} as ${app.caller.arn}, policy ${inForce.file} (${shortHash(inForce)})`);
  const others = Promise.all([
    reportRegularly(tally, detail, context, end),
    beside?.(app, inForce, end).catch((error: unknown) => say(reportOf(error).message)),
  ]);
  const options: ServeOptions = {
    tasks: maintenance.tasks,
    stop: end,
    ...(pace !== undefined && { pace }),
    onProgress: (event) => {
      api?.feed.take(event);
      onProgress?.(event);
      if (event.kind === 'worked') tally.add(event.outcome);
    },
    onScanStarted: (runId) => {
      api?.feed.begin(runId);
      detail(`scan ${runId} started`);
    },
    onScan: (runId, plan) => {
      tally.scans += 1;
      api?.feed.scanned();
      detail(scanLine(runId, plan));
      const denied = deniedRolesText(plan, inForce.policy.policy.organization.memberRole);
      if (denied !== null) say(`warning: ${denied}. rollcall doctor shows the command that deploys the role.`);
      onScan?.(plan);
    },
    onWaiting: (scan) => detail(waitingText(scan)),
    onScanGivenUp: (scan) => say(givenUpText(scan)),
    onError: (task, error) => say(`${TASKS[task] ?? `maintenance (${task})`} failed: ${reportOf(error).message}`),
  };
  const serving = () => serve(app.deps, app.settings, app.retrying, inForce.policy, options);
  await asRunningDaemon(app.deps, underway.identity, serving).finally(close);
  await others;
}

const TASKS: Readonly<Record<string, string>> = { scan: 'the scan', work: 'the workers' };

async function reportRegularly(
  tally: Tally,
  report: (text: string) => void,
  { clock }: CliContext,
  end: AbortSignal,
): Promise<void> {
  while (!end.aborted) {
    await clock.sleep(REPORT_MS, end);
    const text = tally.take();
    if (text !== null) report(text);
  }
}

/** The reason why this process starts no scan. */
function waitingText({ runId, state, holder, until }: ScanUnderWay): string {
  const scan = runId === null ? 'a scan' : `scan ${runId}`;
  if (state === 'interrupted') return `${scan} was interrupted and will continue within a minute`;
  const after = until === null ? 'now' : `after ${until}`;
  if (state === 'requested')
    return `${scan} was requested by another process; if it does not start, it will be requested again ${after}`;
  return `${scan} is running in process ${holder ?? '?'}; if that process has died, this one will continue the scan ${after}`;
}

function givenUpText({ runId, nextAt }: GivenUpScan): string {
  const next = nextAt === null ? 'the schedule has no further scan' : `the next scan is due at ${nextAt}`;
  return `scan ${runId} was started several times and never finished, so it is given up; ${next}`;
}

function scanLine(runId: string, { coverage, due, trip, broken }: Plan): string {
  const seen = `status known for ${number(coverage.evaluated)} of ${number(coverage.evaluated + coverage.unknown)} active accounts`;
  const next =
    trip === null ? `${count(due.length, 'change')} queued` : `nothing queued: ${trip.reason}: ${trip.message}`;
  return `scan ${runId} ended: ${[seen, next, ...broken].join('; ')}`;
}

/** Counts the outcomes of the workers: all of them, and those since the last call of `take`. */
class Tally {
  readonly #counts = new Map<WorkOutcome, number>();
  readonly total: Partial<Record<WorkOutcome, number>> = {};
  scans = 0;

  add(outcome: WorkOutcome): void {
    this.total[outcome] = (this.total[outcome] ?? 0) + 1;
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
  }

  take(): string | null {
    if (this.#counts.size === 0) return null;
    const text = [...this.#counts].map(([outcome, n]) => `${outcome} ${number(n)}`).join(', ');
    this.#counts.clear();
    return `worked: ${text}`;
  }
}
