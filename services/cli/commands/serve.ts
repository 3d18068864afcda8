import type { Command } from 'commander';
import type { WorkOutcome } from '../../../shared/app/context.ts';
import type { Plan } from '../../../shared/app/plan/plan.ts';
import type { GivenUpScan, ScanUnderWay } from '../../../shared/app/schedule/scan-schedule.ts';
import type { Runtime } from '../../../shared/compose/runtime.ts';
import { countArgument } from '../../../shared/config/arguments.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { DEFAULT_HOST, DEFAULT_PORT, type RunningApi } from '../api.ts';
import type { CliContext, Select } from '../context.ts';
import { tell } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { openMaintenance } from '../maintenance.ts';
import { nextPolicy, shortHash } from '../policy-watch.ts';
import { type LoadedPolicy, loadPolicy, STDIN, withApp } from '../session.ts';
import { count, number } from '../ui/words.ts';

export function defineServe(program: Command, select: Select): void {
  program
    .command('serve')
    .description("the daemon: scans by the policy's schedule and remediates all the time, until SIGTERM or Ctrl-C")
    .option('--policy <file>', 'the policy (default: rollcall.yaml); read again when it changes')
    .option('--port <n>', `where API and dashboard answer; 0 takes a free port (default: ${DEFAULT_PORT})`)
    .option(
      '--host <host>',
      'the address they answer at; any but loopback needs a token in the environment',
      DEFAULT_HOST,
    )
    .action((flags: ServeFlags) => select((context) => runServe(context, flags)));
}

interface ServeFlags {
  readonly policy?: string;
  readonly port?: string;
  readonly host: string;
}

/** How often what the workers have done is told at most, ms. */
const TELL_MS = 5_000;
/**
 * How long it takes at most from being told to stop to the end, ms: less than the 30 s after which ECS and Kubernetes kill. A call that is
 * under way usually ends in one; what has not ended by then is found out by the next worker, as after a crash.
 */
const STOP_MS = 25_000;

async function runServe(context: CliContext, flags: ServeFlags): Promise<number> {
  const { output, interrupt, clock } = context;
  if (flags.policy === STDIN) {
    throw new ConfigError(
      'Usage',
      'serve reloads its policy when it changes, so it cannot read it from stdin; name a file.',
    );
  }
  const loaded = await loadPolicy(context, flags.policy);
  const say = (text: string): void => output.note(`${new Date(clock.now()).toISOString()} ${text}`);
  const { serve } = await import('../../../shared/app/runtime/daemon.ts');
  const { pace } = context.store;
  await context.store.upgrade(context.clock);
  // Who cannot even be identified is told at once, before anything is made on disk.
  await withApp(context, loaded.policy, true, async () => undefined);
  const api = await openApi(context, flags, loaded, say);
  const exitCode = (): number =>
    // Being told to stop is how a daemon ends; only Ctrl-C is somebody breaking it off.
    interrupt.exitCode === EXIT.interrupted ? EXIT.interrupted : EXIT.ok;
  const late = (): number => {
    say('stopped: what was not finished in time is settled by whoever works next');
    return exitCode();
  };
  interrupt.finishGracefully(() => say('stopping: calls under way are finished and recorded, other work is put back'), {
    ms: STOP_MS,
    end: late,
  });
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
    const telling = tellRegularly(tally, say, context, end);
    await serve(app.deps, app.settings, app.retrying, inForce.policy, {
      ...{ tasks: maintenance.tasks, stop: end },
      ...(pace !== undefined && { pace }),
      onProgress: (event) => {
        api?.feed.take(event);
        if (event.kind === 'worked') tally.add(event.outcome);
      },
      onScanStarted: (runId) => {
        api?.feed.begin(runId);
        say(`scan ${runId} begins`);
      },
      onScan: (runId, plan) => {
        tally.scans += 1;
        api?.feed.scanned();
        say(scanLine(runId, plan));
      },
      onWaiting: (scan) => say(waitingText(scan)),
      onScanGivenUp: (scan) => say(givenUpText(scan)),
      onError: (what, error) => say(`${WHAT[what] ?? `maintenance (${what})`} broke off: ${tell(error).message}`),
    }).finally(close);
    await telling;
  };
  const serveUntil = (inForce: LoadedPolicy, end: AbortSignal): Promise<void> =>
    withApp(context, inForce.policy, false, (app) => serveApp(app, inForce, end), end);
  await underEachPolicy(context, loaded, say, serveUntil).finally(() => api?.close());
  say('stopped');
  if (output.json) output.document({ scans: tally.scans, worked: tally.total });
  return exitCode();
}

/**
 * API and dashboard. A port that was not asked for by name and that another daemon on this machine has is no reason not to work.
 * @returns `null`: they are not served by this process
 */
async function openApi(
  context: CliContext,
  flags: ServeFlags,
  loaded: LoadedPolicy,
  say: (text: string) => void,
): Promise<RunningApi | null> {
  const { host } = flags;
  const port = flags.port === undefined ? DEFAULT_PORT : countArgument('--port', flags.port, { min: 0, max: 65_535 });
  const { startApi } = await import('../api.ts');
  try {
    const api = await startApi(context, { host, port }, loaded);
    say(`API and dashboard on ${api.url}`);
    return api;
  } catch (error) {
    if (flags.port !== undefined || !(error instanceof ConfigError) || error.code !== 'EADDRINUSE') throw error;
    say(`no dashboard from this process: ${error.message}`);
    return null;
  }
}

/** The pause after a changed policy could not be begun with, ms. */
const PAUSE_MS = 15_000;

/** Serves under the policy, and under each one that takes its place, until it is told to stop: what is in flight is finished in between. */
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
      // Told to end, or that the policy has changed, before it knew who it is.
      const ended = end.aborted && error instanceof Stopped;
      // At the start it is for whoever started it; later there is nobody to start it again.
      if (inForce === first && !ended) throw error;
      if (!ended) {
        say(`serving broke off and is tried again: ${tell(error).message}`);
        await context.clock.sleep(PAUSE_MS, stop);
      }
    } finally {
      change.abort();
    }
    const next = await watching;
    if (next === null) continue;
    say(`the policy has changed: ${shortHash(next)} takes the place of ${shortHash(inForce)}`);
    inForce = next;
  }
}

const WHAT: Readonly<Record<string, string>> = { scan: 'the scan', work: 'the workers' };

async function tellRegularly(
  tally: Tally,
  say: (text: string) => void,
  { clock }: CliContext,
  end: AbortSignal,
): Promise<void> {
  while (!end.aborted) {
    await clock.sleep(TELL_MS, end);
    const text = tally.take();
    if (text !== null) say(text);
  }
}

/** The reason why this process begins no scan. */
function waitingText({ runId, state, holder, until }: ScanUnderWay): string {
  const scan = runId === null ? 'a scan' : `scan ${runId}`;
  if (state === 'interrupted') return `${scan} was interrupted and will continue within a minute`;
  const after = until === null ? 'now' : `from ${until} on`;
  if (state === 'requested')
    return `${scan} was requested by another process; unless it begins, it will be requested again ${after}`;
  return `${scan} is under way in process ${holder ?? '?'}; if that process has died, this one will continue the scan ${after}`;
}

function givenUpText({ runId, nextAt }: GivenUpScan): string {
  const next = nextAt === null ? 'the schedule has no further scan' : `the next scan is due at ${nextAt}`;
  return `scan ${runId} was begun several times and never ended, so it is given up; ${next}`;
}

function scanLine(runId: string, { coverage, due, trip, broken }: Plan): string {
  const seen = `status known for ${number(coverage.evaluated)} of ${number(coverage.evaluated + coverage.unknown)} active accounts`;
  const next =
    trip === null ? `${count(due.length, 'change')} queued` : `nothing queued: ${trip.reason}: ${trip.message}`;
  return `scan ${runId} ended: ${[seen, next, ...broken].join('; ')}`;
}

/** How many keys ended how, since the start and since it was last asked. */
class Tally {
  readonly #counts = new Map<WorkOutcome, number>();
  /** Since the start. */
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
