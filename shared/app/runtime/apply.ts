import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Deps, OnProgress, RunContext, Settings } from '../context.ts';
import { PolicyWatch } from '../coordination/policy-in-force.ts';
import type { Plan } from '../plan/plan.ts';
import { SnapshotRefresher } from '../reconciler/snapshot-refresher.ts';
import { createWork } from '../reconciler/worker-context.ts';
import { WorkerPool } from '../reconciler/worker-pool.ts';
import { scanUnderLease } from '../scan/leased-scan.ts';
import type { Retrying } from '../support/retry.ts';
import { type ApplyResult, conclude } from './conclude-run.ts';
import { LOCAL_PACE, queueTasks } from './maintenance.ts';
import { nextWork, otherProcess, UnconfirmedKeys } from './next-work.ts';
import { type MaintenanceTask, RUN_MS } from './run-tasks.ts';

export interface ApplyOptions {
  /** The run ends when nothing is due within this time, ms. */
  readonly waitMs: number;
  /** After it aborts, no more work is taken; work in flight is finished and recorded. */
  readonly stop: AbortSignal;
  readonly onProgress: OnProgress;
  /** Called with the plan before anything is queued for work; what it throws ends the run. */
  readonly onPlan?: (plan: Plan) => void;
}

/** One full run: scans, enqueues the changes, and processes the queue until no more work is due within `waitMs`. */
export async function apply(
  deps: Deps,
  settings: Settings,
  retrying: Retrying,
  run: RunContext,
  options: ApplyOptions,
): Promise<ApplyResult> {
  const plan = await scanUnderLease(deps, settings, retrying, run, options);
  options.onPlan?.(plan);
  if (plan.trip === null) await workUntilQuiet(deps, settings, retrying, run, options);
  const { result, confirmed, byOtherRuns } = await conclude(deps, run, plan, options.stop.aborted);
  options.onProgress({ kind: 'concluded', confirmed, byOtherRuns });
  return result;
}

/** How long calls in flight may delay the tasks that fill the queue, ms: the last calls of all workers wait for the rate limiter. */
const LAST_CALLS_MS = 5_000;
/** How long an idle loop sleeps before it checks the queue again, ms. */
const IDLE_MS = 100;

async function workUntilQuiet(
  deps: Deps,
  settings: Settings,
  retrying: Retrying,
  run: RunContext,
  options: ApplyOptions,
): Promise<void> {
  const { stop, onProgress } = options;
  const work = await createWork(deps, settings, retrying, run.policy, run.planHash);
  const unconfirmed = new UnconfirmedKeys(deps);
  const watch = new PolicyWatch(deps);
  const pool = new WorkerPool(work, (progress) => {
    unconfirmed.note(progress);
    onProgress(progress);
  });
  const tasks = queueTasks({ deps, policy: async () => run.policy }, LOCAL_PACE, run.planHash);
  const snapshot = new SnapshotRefresher(deps, settings, retrying, run.policy);
  let busyAt = deps.clock.now();
  try {
    while (!stop.aborted) {
      await watch.require(run.policy.hash);
      await snapshot.keepFresh();
      // Queued work stays on the queue; work in flight is finished.
      if ((await work.controls.recent()).halt !== null) break;
      if (await pool.take()) {
        await pool.untilFree();
        busyAt = deps.clock.now();
        continue;
      }
      // The tasks enqueue the confirmations of the last calls together, so the calls in flight get time to finish first.
      const fills = deps.clock.now() - busyAt >= LAST_CALLS_MS || !pool.busy;
      if (fills && (await fillQueue(deps, tasks)) > 0) {
        // Received before the queue is counted, because its counts may lag.
        busyAt = deps.clock.now();
        continue;
      }
      if (pool.busy) {
        await Promise.race([pool.untilFree(), deps.clock.sleep(IDLE_MS)]);
        continue;
      }
      if (!(await waitForWork(deps, run, options, { pool, unconfirmed, busyAt }))) break;
    }
  } finally {
    // Work in flight must finish before the caller closes the store, even after a failure.
    await pool.drain().finally(() => snapshot.close());
  }
}

interface Idle {
  readonly pool: WorkerPool;
  readonly unconfirmed: UnconfirmedKeys;
  /** When the process last had work, epoch ms. */
  readonly busyAt: EpochMs;
}

/** Sleeps for a moment if the queue is empty. @returns false if no more work is due within `waitMs` */
async function waitForWork(
  deps: Deps,
  run: RunContext,
  { waitMs, stop, onProgress }: ApplyOptions,
  { pool, unconfirmed, busyAt }: Idle,
): Promise<boolean> {
  const { visible, inFlight } = await deps.queue.depth();
  const next = await nextWork(deps, run, unconfirmed.dueBy, waitMs);
  if (visible > 0) return true;
  // Work in flight in another process may unblock a change of this run, so it is awaited, but at most for `waitMs`.
  const messages = inFlight - pool.ofOtherRuns;
  const waited = deps.clock.now() - busyAt >= waitMs;
  if (next === null && (messages <= 0 || waited)) return false;
  onProgress({ kind: 'waiting', ...(next ?? otherProcess(messages, busyAt + waitMs)) });
  await deps.clock.sleep(Math.max(IDLE_MS, Math.min(1_000, (next?.until ?? 0) - deps.clock.now())), stop);
  return true;
}

/** @returns the number of keys that were queued */
async function fillQueue({ clock }: Deps, tasks: readonly MaintenanceTask[]): Promise<number> {
  let queued = 0;
  for (const task of tasks) queued += (await task.run({ until: clock.now() + RUN_MS, last: false })).keysDue ?? 0;
  return queued;
}
