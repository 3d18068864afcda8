import type * as z from 'zod';
import type { AccountRecord } from '../../domain/account/record.ts';
import { haltedText } from '../../domain/decision/operator-controls.ts';
import type { Change } from '../../domain/decision/plan.ts';
import { totalChanges } from '../../domain/decision/plan-totals.ts';
import { reasonText } from '../../domain/enrollment/reason-codes.ts';
import { shownOf } from '../../domain/enrollment/status.ts';
import type { Verdict } from '../../domain/enrollment/verdict.ts';
import type { Deps, OnProgress, Progress, RunContext, Settings } from '../context.ts';
import { RunStore } from '../coordination/run-store.ts';
import { readControls } from '../guardrails/controls.ts';
import { readRollout, rolloutView } from '../guardrails/rollout-gate.ts';
import type { Plan } from '../plan/plan.ts';
import type { runOutcome } from '../queries/answers/apply.ts';
import { SnapshotRefresher } from '../reconciler/snapshot-refresher.ts';
import { createWork } from '../reconciler/worker-context.ts';
import { WorkerPool } from '../reconciler/worker-pool.ts';
import { scanUnderLease } from '../scan/leased-scan.ts';
import type { Retrying } from '../support/retry.ts';
import { LOCAL_PACE, type MaintenanceTask, queueTasks, RUN_MS } from './maintenance.ts';

export interface ApplyOptions {
  /** The run ends when nothing is due within this time, ms. */
  readonly waitMs: number;
  /** After it aborts, no more work is taken; work in flight is finished and recorded. */
  readonly stop: AbortSignal;
  readonly onProgress: OnProgress;
  /** Called with the plan before anything is queued for work; what it throws ends the run. */
  readonly onPlan?: (plan: Plan) => void;
}

type RunOutcome = z.infer<typeof runOutcome>;
export type OpenChange = RunOutcome['open'][number];
type PlannedCounts = RunOutcome['planned'];
type ChangeCounts = RunOutcome['changes'];

export interface ApplyResult extends RunOutcome {
  readonly plan: Plan;
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
  return conclude(deps, run, plan, options.stop.aborted);
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
  const { stop, waitMs, onProgress } = options;
  const work = await createWork(deps, settings, retrying, run.policy, run.planHash);
  const unconfirmed = new UnconfirmedKeys(deps);
  const pool = new WorkerPool(work, (progress) => {
    unconfirmed.note(progress);
    onProgress(progress);
  });
  const tasks = queueTasks({ deps, policy: async () => run.policy }, LOCAL_PACE, run.planHash);
  const snapshot = new SnapshotRefresher(deps, settings, retrying, run.policy);
  let busyAt = deps.clock.now();
  try {
    while (!stop.aborted) {
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
      const { visible, inFlight } = await deps.queue.depth();
      const end = deps.clock.now() + waitMs;
      const next = earlier(await nextTime(deps, waitMs), unconfirmed.dueBy);
      const until = earlier(next, await gateOpening(deps, run, end));
      // Work in flight in another process may unblock a change of this run, so it is awaited, but at most for `waitMs`.
      const waited = deps.clock.now() - busyAt >= waitMs;
      if (visible === 0 && until === null && (inFlight <= pool.ofOtherRuns || waited)) break;
      if (visible === 0) {
        onProgress({ kind: 'waiting', until: until ?? deps.clock.now() + IDLE_MS });
        await deps.clock.sleep(Math.max(IDLE_MS, Math.min(1_000, (until ?? 0) - deps.clock.now())), stop);
      }
    }
  } finally {
    // Work in flight must finish before the caller closes the store, even after a failure.
    await pool.drain().finally(() => snapshot.close());
  }
}

/** @returns the number of keys that were queued */
async function fillQueue({ clock }: Deps, tasks: readonly MaintenanceTask[]): Promise<number> {
  let queued = 0;
  for (const task of tasks) queued += (await task.run({ until: clock.now() + RUN_MS, last: false })).keysDue ?? 0;
  return queued;
}

/** The index of due accounts lags by at most this, ms. */
const INDEX_LAG_MS = 1_500;

/** The keys whose changes this process has made or polled, and has not seen confirmed. */
class UnconfirmedKeys {
  readonly #deps: Pick<Deps, 'clock'>;
  readonly #keys = new Set<string>();
  #notedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: Pick<Deps, 'clock'>) {
    this.#deps = deps;
  }

  note(progress: Progress): void {
    if (progress.kind !== 'worked') return;
    this.#notedAt = this.#deps.clock.now();
    if (progress.outcome === 'converging') this.#keys.add(keyOf(progress));
    else this.#keys.delete(keyOf(progress));
  }

  /** Until when one may become due without notice, epoch ms, because the index lags; `null`: none. */
  get dueBy(): number | null {
    const shownAt = this.#notedAt + INDEX_LAG_MS;
    return this.#keys.size > 0 && shownAt > this.#deps.clock.now() ? shownAt : null;
  }
}

/** When the rollout gate of the run's policy opens, if it does so by `end`; otherwise `null`. */
async function gateOpening({ registers }: Deps, { policy }: RunContext, end: number): Promise<number | null> {
  if (policy.policy.rollout === null) return null;
  const state = (await readRollout(registers))?.value ?? null;
  const opensAt = state?.policyHash === policy.hash ? state.opensAt : null;
  return opensAt !== null && opensAt <= end ? opensAt : null;
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

/** When the next work is due, epoch ms; `null`: not within `waitMs`. */
async function nextTime(deps: Deps, waitMs: number): Promise<number | null> {
  const [next] = await deps.records.due(deps.clock.now() + waitMs, 1);
  return next?.wakeAt ?? null;
}

const GOOD: ReadonlySet<Verdict> = new Set(['Compliant', 'Exempt', 'Suspended', 'Unmanaged', 'NotApplicable']);

async function conclude(deps: Deps, run: RunContext, plan: Plan, interrupted: boolean): Promise<ApplyResult> {
  const rollout = await rolloutView(deps.registers);
  const state = await new RunStore(deps.registers).get(run.runId);
  const ids = [...new Set(plan.changes.map((change) => change.accountId))];
  const records = await deps.records.getMany(ids);
  const planned = new Set([...plan.due, ...plan.followUps].map(keyOf));
  const ended: Record<Exclude<keyof PlannedCounts, 'total'>, number> = { ...NONE_ENDED };
  const { halt } = await readControls(deps.registers);
  const halted =
    halt === null || totalChanges(plan.totals) === 0 ? null : { reason: 'halted', message: haltedText(halt) };
  const tried = await attempts(deps, run.runId, state?.startedAt ?? null);
  const counts = { attempted: 0, succeeded: 0, failed: 0, blocked: 0, converging: 0 };
  const open: OpenChange[] = [];
  for (const change of plan.changes) {
    const record = records.get(change.accountId) ?? null;
    const condition = record?.conditions[change.enrollment] ?? null;
    const verdict = condition?.verdict ?? change.verdict;
    const isPlanned = planned.has(keyOf(change));
    // A change without a failed attempt is still on the queue: the run was stopped, or another process has the message.
    const begun = isPlanned && plan.trip === null && (condition?.attempts ?? 0) > 0;
    const ending = endingOf(verdict, begun);
    count(counts, ending, tried.has(keyOf(change)));
    if (isPlanned) ended[plan.trip !== null || ending === null ? 'notStarted' : ENDED[ending]] += 1;
    if (GOOD.has(verdict)) continue;
    open.push(await openChange(deps, change, record));
  }
  const stopped = state?.stopped ?? halted;
  const outcome = { changes: counts, planned: { total: planned.size, ...ended }, open };
  return { plan, runId: run.runId, ...outcome, stopped, interrupted, rollout };
}

async function openChange(deps: Deps, change: Change, record: AccountRecord | null): Promise<OpenChange> {
  const { accountId, accountName, ou, enrollment } = change;
  const { verdict, reason, notBefore } = record?.conditions[enrollment] ?? change;
  const fallback = verdict === change.verdict ? change.message : reasonText(reason);
  const message = await lastMessage(deps, accountId, enrollment, fallback);
  const status = shownOf((id) => record?.conditions[id] ?? null)[enrollment]?.status ?? change.status;
  return { accountId, accountName, ou, enrollment, verdict, reason, status, message, notBefore };
}

const keyOf = ({ accountId, enrollment }: Pick<Change, 'accountId' | 'enrollment'>): string =>
  `${accountId} ${enrollment}`;

const NONE_ENDED = { confirmed: 0, inProgress: 0, failed: 0, blocked: 0, notStarted: 0 };
const ENDED = { succeeded: 'confirmed', converging: 'inProgress', failed: 'failed', blocked: 'blocked' } as const;

type Ending = Exclude<keyof ChangeCounts, 'attempted'>;

function endingOf(verdict: Verdict, begun: boolean): Ending | null {
  if (GOOD.has(verdict)) return 'succeeded';
  if (verdict === 'Converging') return 'converging';
  if (verdict === 'Blocked') return 'blocked';
  return begun ? 'failed' : null;
}

function count(counts: Record<keyof ChangeCounts, number>, ending: Ending | null, tried: boolean): void {
  // A failure without a call (e.g. of a read) counts as an attempt. A drift that someone else resolved does not.
  if (tried || ending === 'failed') counts.attempted += 1;
  if (ending !== null && (tried || ending !== 'succeeded')) counts[ending] += 1;
}

/** The (account, enrollment) pairs that any process has begun to change since the run began: processes share the queue. */
async function attempts(deps: Deps, runId: string, since: number | null): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  const filter = since === null ? { runId } : { since: new Date(since).toISOString() };
  let cursor: string | null = null;
  do {
    const page = await deps.ledger.query({ ...filter, type: 'RemediationStarted' }, { limit: 1_000, cursor });
    for (const entry of page.entries) keys.add(`${entry.accountId} ${entry.enrollment}`);
    cursor = page.next;
  } while (cursor !== null);
  return keys;
}

async function lastMessage(
  deps: Deps,
  accountId: string,
  enrollment: Change['enrollment'],
  fallback: string | null,
): Promise<string | null> {
  const { entries } = await deps.ledger.query({ accountId, enrollment }, { limit: 1 });
  return entries[0]?.detail?.message ?? fallback;
}
