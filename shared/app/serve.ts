import type { CompiledPolicy } from '../domain/policy/index.ts';
import { createWork } from './apply.ts';
import type { Deps, OnProgress, Settings } from './deps.ts';
import { withLease } from './lease.ts';
import type { Plan } from './make-plan.ts';
import type { Retrying } from './retrying.ts';
import { scan } from './scan.ts';
import { beginPart, endPart, requestScan, type ScanRequest } from './schedule.ts';
import { queueDue } from './tick.ts';
import { WorkerPool } from './worker/pool.ts';

export interface ServeOptions {
  /** No further scan and no further work: what is in flight is finished and recorded. */
  readonly stop: AbortSignal;
  readonly onProgress: OnProgress;
  readonly onScanStarted: (runId: string) => void;
  readonly onScan: (runId: string, plan: Plan) => void;
  /** A scan or the workers broke off; they are tried again after a pause. */
  readonly onError: (what: 'scan' | 'work', error: unknown) => void;
}

/** How often the schedule is looked at, ms. */
const TICK_MS = 5_000;
/** How long a loop without work sleeps before it looks again, ms. */
const IDLE_MS = 250;
/** How often what waits for a time is looked for, ms. */
const DUE_MS = 1_000;
/** The pause after the workers broke (credentials refused, disk full), ms. */
const PAUSE_MS = 15_000;

/**
 * The daemon of the embedded runtime: scans by the policy's schedule, and works all the time. Any number of processes may do so on
 * one store: of each due scan one takes care, and messages go to whoever is free. Returns when `stop` has aborted and nothing is in flight.
 */
export async function serve(
  deps: Deps,
  settings: Settings,
  retrying: Retrying,
  policy: CompiledPolicy,
  options: ServeOptions,
): Promise<void> {
  const context: Context = { deps, settings, retrying, policy, options };
  await Promise.all([scanBySchedule(context), workAllTheTime(context)]);
}

interface Context {
  readonly deps: Deps;
  readonly settings: Settings;
  readonly retrying: Retrying;
  readonly policy: CompiledPolicy;
  readonly options: ServeOptions;
}

async function scanBySchedule(context: Context): Promise<void> {
  const { deps, policy, options } = context;
  const { stop } = options;
  while (!stop.aborted) {
    try {
      const request = await requestScan(deps, policy);
      if (request !== null) await scanOnce(context, request);
    } catch (error) {
      // Left off because we are to stop: not worth a word.
      if (!stop.aborted) options.onError('scan', error);
    }
    await deps.clock.sleep(TICK_MS, stop);
  }
}

async function scanOnce({ deps, settings, retrying, policy, options }: Context, request: ScanRequest): Promise<void> {
  const { stop, onProgress } = options;
  const { runId, again } = request;
  if ((await beginPart(deps, runId)) === null) return;
  options.onScanStarted(runId);
  const untilStopped: Retrying = (call) =>
    retrying(() => {
      stop.throwIfAborted();
      return call();
    });
  const run = { runId, policy, planHash: null, resumed: again };
  const onWait = (holder: string): void => {
    stop.throwIfAborted();
    onProgress({ kind: 'waitingForLease', holder });
  };
  let plan: Plan;
  try {
    plan = await withLease(deps.registers, deps.clock, 'scan', deps.newId(), onWait, (lost) =>
      scan(deps, settings, untilStopped, run, onProgress, lost),
    );
  } catch (error) {
    await endPart(deps, runId, 'failed');
    throw error;
  }
  await endPart(deps, runId, 'done');
  options.onScan(runId, plan);
}

async function workAllTheTime(context: Context): Promise<void> {
  const { deps, options } = context;
  const { stop } = options;
  while (!stop.aborted) {
    try {
      await workUntilStopped(context);
    } catch (error) {
      options.onError('work', error);
      await deps.clock.sleep(PAUSE_MS, stop);
    }
  }
}

async function workUntilStopped({ deps, settings, retrying, policy, options }: Context): Promise<void> {
  const { stop, onProgress } = options;
  const work = await createWork(deps, settings, retrying, policy);
  const pool = new WorkerPool(work, onProgress);
  let dueAt = Number.NEGATIVE_INFINITY;
  try {
    while (!stop.aborted) {
      if (await pool.take()) {
        await pool.lane();
        continue;
      }
      if (deps.clock.now() - dueAt >= DUE_MS) {
        dueAt = deps.clock.now();
        if ((await queueDue(deps, work.runs, policy.hash)) > 0) continue;
      }
      await deps.clock.sleep(IDLE_MS, stop);
    }
  } finally {
    await pool.drain();
  }
}
