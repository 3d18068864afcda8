import type { WorkOutcome } from '../../../shared/app/context.ts';
import type { Plan } from '../../../shared/app/plan/plan.ts';
import type { GivenUpScan, ScanUnderWay } from '../../../shared/app/schedule/scan-schedule.ts';
import type { Runtime } from '../../../shared/compose/runtime.ts';
import { countArgument } from '../../../shared/config/arguments.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import type { RunningApi } from '../api/start-api.ts';
import type { CliContext } from '../context.ts';
import { DEFAULT_PORT } from '../definitions/defaults.ts';
import { reportOf } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { nextPolicy, shortHash } from '../policy-watch.ts';
import { type LoadedPolicy, loadPolicy, STDIN, withApp } from '../session.ts';
import { deniedRolesText } from '../ui/denied-roles.ts';
import { count, number } from '../ui/words.ts';

export interface ServeFlags {
  readonly policy?: string;
  readonly port?: string;
  readonly host: string;
}

/** How often the results of the workers are reported, ms. */
const REPORT_MS = 5_000;
/**
 * Maximum time to stop, ms: less than the 30 s after which ECS and Kubernetes kill a process. A call in flight usually ends within a second.
 * The next worker settles unfinished changes, as after a crash.
 */
const STOP_MS = 25_000;

export async function runServe(context: CliContext, flags: ServeFlags): Promise<number> {
  const { output, interrupt, clock } = context;
  if (flags.policy === STDIN) {
    throw new ConfigError(
      'Usage',
      'serve reloads its policy when it changes, so it cannot read it from stdin. Name a file with --policy.',
    );
  }
  const loaded = await loadPolicy(context, flags.policy);
  const say = (text: string): void => output.note(`${new Date(clock.now()).toISOString()} ${text}`);
  const [{ serve }, { openMaintenance }] = await Promise.all([
    import('../../../shared/app/runtime/daemon.ts'),
    import('../maintenance.ts'),
  ]);
  const { pace } = context.store;
  await context.store.upgrade(context.clock);
  // Opens and closes the app once, so that wrong credentials are reported before anything is created on disk.
  await withApp(context, loaded.policy, true, async () => undefined);
  const api = await openApi(context, flags, loaded, say);
  const exitCode = (): number =>
    // SIGTERM is how a daemon is normally stopped, so it counts as success; Ctrl-C counts as an interruption.
    interrupt.exitCode === EXIT.interrupted ? EXIT.interrupted : EXIT.ok;
  const late = (): number => {
    say('stopped: unfinished changes are left to the next process');
    return exitCode();
  };
  interrupt.finishGracefully(
    () => say('stopping: calls in flight will finish and be recorded, other work returns to the queue'),
    { ms: STOP_MS, end: late },
  );
  const tally = new Tally();
  const serveApp = async (app: Runtime, inForce: LoadedPolicy, end: AbortSignal): Promise<void> => {
    const maintenance = await openMaintenance(context, app, inForce.policy, pace);
    const close = async (): Promise<void> => {
      try {
        const text = await maintenance.finish('notify');
        if (text !== null) say(text);
      } finally {
        maintenance.close();
      }
    };
    api?.use(inForce, app);
    say(`serving ${app.caller.organizationId} as ${app.caller.arn}, policy ${inForce.file} (${shortHash(inForce)})`);
    const reporting = reportRegularly(tally, say, context, end);
    await serve(app.deps, app.settings, app.retrying, inForce.policy, {
      ...{ tasks: maintenance.tasks, stop: end },
      ...(pace !== undefined && { pace }),
      onProgress: (event) => {
        api?.feed.take(event);
        if (event.kind === 'worked') tally.add(event.outcome);
      },
      onScanStarted: (runId) => {
        api?.feed.begin(runId);
        say(`scan ${runId} started`);
      },
      onScan: (runId, plan) => {
        tally.scans += 1;
        api?.feed.scanned();
        say(scanLine(runId, plan));
        const denied = deniedRolesText(plan, inForce.policy.policy.organization.memberRole);
        if (denied !== null) say(`warning: ${denied}. rollcall doctor shows the command that deploys the role.`);
      },
      onWaiting: (scan) => say(waitingText(scan)),
      onScanGivenUp: (scan) => say(givenUpText(scan)),
      onError: (task, error) => say(`${TASKS[task] ?? `maintenance (${task})`} failed: ${reportOf(error).message}`),
    }).finally(close);
    await reporting;
  };
  const serveUntil = (inForce: LoadedPolicy, end: AbortSignal): Promise<void> =>
    withApp(context, inForce.policy, false, (app) => serveApp(app, inForce, end), end);
  await underEachPolicy(context, loaded, say, serveUntil).finally(() => api?.close());
  say('stopped');
  if (output.json) output.document({ scans: tally.scans, worked: tally.total });
  return exitCode();
}

/**
 * Opens the API and the dashboard. If another process has the default port, serve works without them.
 * @returns `null` if this process does not serve them
 */
async function openApi(
  context: CliContext,
  flags: ServeFlags,
  loaded: LoadedPolicy,
  say: (text: string) => void,
): Promise<RunningApi | null> {
  const { host } = flags;
  const port = flags.port === undefined ? DEFAULT_PORT : countArgument('--port', flags.port, { min: 0, max: 65_535 });
  const { startApi } = await import('../api/start-api.ts');
  try {
    const api = await startApi(context, { host, port }, loaded);
    say(`API and dashboard at ${api.url}`);
    return api;
  } catch (error) {
    if (flags.port !== undefined || !(error instanceof ConfigError) || error.code !== 'EADDRINUSE') throw error;
    say(`no dashboard from this process: ${error.message}`);
    return null;
  }
}

/** The pause before serving is retried after an error, ms. */
const PAUSE_MS = 15_000;

/** Serves under the policy, and under each policy that replaces it, until it is stopped. Changes in flight finish before a switch. */
async function underEachPolicy(
  context: CliContext,
  first: LoadedPolicy,
  say: (text: string) => void,
  serveUntil: (inForce: LoadedPolicy, end: AbortSignal) => Promise<void>,
): Promise<void> {
  const { signal: stop } = context.interrupt;
  let inForce = first;
  while (!stop.aborted) {
    const change = new AbortController();
    const end = AbortSignal.any([stop, change.signal]);
    const watching = nextPolicy(context, inForce, end, say).finally(() => change.abort());
    try {
      await serveUntil(inForce, end);
    } catch (error) {
      const { Stopped } = await import('../../../shared/app/support/graceful-stop.ts');
      // Not a failure: the daemon was stopped, or the policy changed, while the app was still starting.
      const ended = end.aborted && error instanceof Stopped;
      // An error under the first policy ends the process, so that the operator who started it sees it. Later, nobody is watching, so serving is retried.
      if (inForce === first && !ended) throw error;
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
}

const TASKS: Readonly<Record<string, string>> = { scan: 'the scan', work: 'the workers' };

async function reportRegularly(
  tally: Tally,
  say: (text: string) => void,
  { clock }: CliContext,
  end: AbortSignal,
): Promise<void> {
  while (!end.aborted) {
    await clock.sleep(REPORT_MS, end);
    const text = tally.take();
    if (text !== null) say(text);
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
