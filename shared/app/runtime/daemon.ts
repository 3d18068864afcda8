import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { Deps, OnProgress, Settings } from '../context.ts';
import { OutdatedPolicyError } from '../coordination/outdated-policy-error.ts';
import { PolicyWatch, policyInForce } from '../coordination/policy-in-force.ts';
import type { Plan } from '../plan/plan.ts';
import { createWork } from '../reconciler/worker-context.ts';
import { WorkerPool } from '../reconciler/worker-pool.ts';
import { type Deadline, scanPart } from '../scan/resumable-scan.ts';
import { type GivenUpScan, requestScan, type ScanRequest } from '../schedule/scan-schedule.ts';
import { type ScanUnderWay, scanUnderWay } from '../schedule/scan-under-way.ts';
import type { Retrying } from '../support/retry.ts';
import { LOCAL_PACE, type Pace, queueTasks } from './maintenance.ts';
import { type MaintenanceTask, RUN_MS, runRegularly } from './run-tasks.ts';

export interface ServeOptions {
  /** After it aborts, no further scan or work begins; work in flight is finished and recorded. */
  readonly stop: AbortSignal;
  readonly onProgress: OnProgress;
  readonly onScanStarted: (runId: string) => void;
  readonly onScan: (runId: string, plan: Plan) => void;
  /** Called when this process begins no scan, because another process runs one or one was interrupted. Called again only if that changes. */
  readonly onWaiting?: (scan: ScanUnderWay) => void;
  /** Called when a scan was begun several times and never ended. The next scan then begins at its scheduled time. */
  readonly onScanGivenUp?: (scan: GivenUpScan) => void;
  /** Called when a scan, the workers or a maintenance task failed. The daemon retries after a pause. */
  readonly onError: (what: string, error: unknown) => void;
  /** Default: intervals that suit a local file. */
  readonly pace?: Pace;
  /** Default: only the tasks that fill the queue. */
  readonly tasks?: readonly MaintenanceTask[];
}

/** How long an idle loop sleeps before it checks the queue again, ms. */
const IDLE_MS = 250;
/**
 * While the queue has messages, this is the minimum time between two runs of the tasks that fill it, ms: short enough for an opt-out that becomes due
 * during an adoption, and long enough that the adoption's own keys become due together and are enqueued in bulk.
 */
const BUSY_TASKS_MS = 15_000;
/** The pause after an error that stopped all workers (credentials refused, disk full), ms. */
const PAUSE_MS = 15_000;
/** Maximum duration of a part of a scan, ms: shorter than `RUNNING_SILENCE_MS` of the schedule. */
const PART_MS = 14 * 60_000;
/** The share of that time for finishing calls in progress and saving their responses, ms. */
const PART_RESERVE_MS = 90_000;
/** How often to check whether another process has ended its scan, ms. */
const BUSY_MS = 1_000;

/**
 * The daemon: scans by the policy's schedule and works through the queue. Returns when `stop` has aborted and nothing is in flight.
 * Any number of daemons and Lambda functions may share one store.
 */
export async function serve(
  deps: Deps,
  settings: Settings,
  retrying: Retrying,
  policy: CompiledPolicy,
  options: ServeOptions,
): Promise<void> {
  const context: Context = { deps, settings, retrying, policy, options };
  const tasks = options.tasks ?? queueTasks({ deps, policy: async () => policy }, paceOf(options));
  const fillsQueue = ({ group }: MaintenanceTask): boolean => group === 'queue';
  await Promise.all([
    scanBySchedule(context),
    workAllTheTime(context, tasks.filter(fillsQueue)),
    runRegularly(
      tasks.filter((task) => !fillsQueue(task)),
      deps.clock,
      options.stop,
      options.onError,
    ),
  ]);
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
  const { stop, onScanGivenUp } = options;
  const ownPolicy = new OwnPolicy(context);
  const waiting = new Waiting(context);
  while (!stop.aborted) {
    let pauseMs = paceOf(options).tickMs;
    try {
      await ownPolicy.refuseOutdated();
      const request = await requestScan({ ...deps, ...(onScanGivenUp && { onScanGivenUp }) }, policy);
      if (request === null) pauseMs = await waiting.look();
      else if (await scanOnce(context, request, waiting)) ownPolicy.nowInForce();
    } catch (error) {
      // Interrupted by `stop`: not an error.
      if (!stop.aborted) options.onError('scan', error);
    }
    await deps.clock.sleep(pauseMs, stop);
  }
}

/** Reports a scan that another process runs, once for each process that takes it over. */
class Waiting {
  readonly #context: Context;
  #reported: string | null = null;

  constructor(context: Context) {
    this.#context = context;
  }

  /** @returns how long to pause before the next check, ms */
  async look(): Promise<number> {
    const { deps, options } = this.#context;
    const { tickMs } = paceOf(options);
    const scan = await scanUnderWay(deps);
    this.#report(scan);
    if (scan?.state !== 'running' || scan.until === null) return tickMs;
    return Math.min(tickMs, Math.max(BUSY_MS, Date.parse(scan.until) - deps.clock.now()));
  }

  #report(scan: ScanUnderWay | null): void {
    const what = scan === null ? null : `${scan.runId} ${scan.state} ${scan.holder}`;
    if (scan !== null && what !== this.#reported) this.#context.options.onWaiting?.(scan);
    this.#reported = what;
  }
}

/** Two daemons with different policies would replace each other's policy in turn. The one that was replaced stops scanning. */
class OwnPolicy {
  readonly #context: Context;
  #wasInForce = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** A scan of this process puts its policy in force. */
  nowInForce(): void {
    this.#wasInForce = true;
  }

  /** @throws OutdatedPolicyError */
  async refuseOutdated(): Promise<void> {
    const { deps, policy } = this.#context;
    const inForce = await policyInForce(deps.registers);
    if (inForce === policy.hash) this.#wasInForce = true;
    else if (this.#wasInForce && inForce !== null) throw new OutdatedPolicyError(policy.hash, inForce);
  }
}

function paceOf({ pace = LOCAL_PACE }: ServeOptions): Pace {
  return pace;
}

/** Runs a scan part by part, like the scanner function. @returns whether the scan was completed here */
async function scanOnce(context: Context, { runId }: ScanRequest, waiting: Waiting): Promise<boolean> {
  const { deps, settings, retrying, policy, options } = context;
  const { stop, onProgress } = options;
  // This loop begins the next part itself, so no request is enqueued.
  const requests = { send: async () => undefined };
  options.onScanStarted(runId);
  while (!stop.aborted) {
    const deadline = partDeadline(deps, stop);
    const end = await scanPart({ deps, settings, retrying, policy, requests, deadline, onProgress }, runId);
    if (end.kind === 'done') options.onScan(runId, end.plan);
    if (end.kind === 'done' || end.kind === 'stale') return end.kind === 'done';
    if (end.kind === 'continued') continue;
    onProgress({ kind: 'waitingForLease', holder: end.holder, until: end.until });
    await waiting.look();
    await deps.clock.sleep(BUSY_MS, stop);
  }
  return false;
}

function partDeadline({ clock }: Deps, stop: AbortSignal): Deadline {
  const end = clock.now() + PART_MS;
  return { remainingMs: () => (stop.aborted ? 0 : end - clock.now()), reserveMs: PART_RESERVE_MS, stop };
}

async function workAllTheTime(context: Context, tasks: readonly MaintenanceTask[]): Promise<void> {
  const { deps, options } = context;
  const { stop } = options;
  while (!stop.aborted) {
    try {
      await workUntilStopped(context, tasks);
    } catch (error) {
      options.onError('work', error);
      await deps.clock.sleep(PAUSE_MS, stop);
    }
  }
}

async function workUntilStopped(context: Context, tasks: readonly MaintenanceTask[]): Promise<void> {
  const { deps, settings, retrying, policy, options } = context;
  const { stop, onProgress } = options;
  const work = await createWork(deps, settings, retrying, policy);
  const pool = new WorkerPool(work, onProgress);
  const watch = new PolicyWatch(deps);
  const fillQueue = queueFiller(deps, tasks);
  try {
    while (!stop.aborted) {
      if (!(await watch.isInForce(policy.hash))) {
        // The queued messages belong to the policy in force. Another process handles them, unless the first scan of this process replaces that policy.
        await fillQueue(0);
        await deps.clock.sleep(IDLE_MS, stop);
        continue;
      }
      const halted = (await work.controls.recent()).halt !== null;
      // While changes are halted, planned changes wait on the queue. The accounts that events report are still read, so that drift is recorded and alerts
      // are sent. On SQS all messages wait here; the deployed workers read these accounts.
      const busy = await pool.take(halted ? 'urgent' : undefined);
      if (busy) await pool.untilFree();
      const queued = await fillQueue(busy ? BUSY_TASKS_MS : 0);
      if (busy || (queued > 0 && !halted)) continue;
      await deps.clock.sleep(IDLE_MS, stop);
    }
  } finally {
    await pool.drain();
  }
}

/** @returns a function that runs the tasks that are due, each at most every `leastMs`, and returns the number of keys that they queued */
function queueFiller({ clock }: Deps, tasks: readonly MaintenanceTask[]): (leastMs: number) => Promise<number> {
  const ranAt = new Map<MaintenanceTask, number>();
  return async (leastMs) => {
    let queued = 0;
    for (const task of tasks) {
      const now = clock.now();
      if (now - (ranAt.get(task) ?? Number.NEGATIVE_INFINITY) < Math.max(task.everyMs, leastMs)) continue;
      ranAt.set(task, now);
      queued += (await task.run({ until: now + RUN_MS, last: false })).keysDue ?? 0;
    }
    return queued;
  };
}
