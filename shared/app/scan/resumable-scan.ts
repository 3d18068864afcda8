import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { ScanRequests } from '../../ports/scan-requests.ts';
import type { Deps, OnProgress, RunContext, Settings } from '../context.ts';
import { acquireLease, holdLease } from '../coordination/lease.ts';
import type { Plan } from '../plan/plan.ts';
import { beginPart, endPart, noteOldestAnswer, SCAN_LEASE, type ScanState } from '../schedule/scan-schedule.ts';
import { OutOfTime } from '../support/out-of-time.ts';
import type { Retrying } from '../support/retry.ts';
import { ScanProgress } from './checkpoint.ts';
import { replayingCloud } from './replaying-cloud.ts';
import { scan } from './scan.ts';
import { scanSpan } from './scan-span.ts';

/** The time limit of one part of a scan. */
export interface Deadline {
  /** Time until the process is killed, ms. */
  remainingMs(): number;
  /** Time reserved for finishing the calls in progress, including their retries, and for saving their responses, ms. */
  readonly reserveMs: number;
  /** Aborts when the process has to stop early; `remainingMs` is then 0. */
  readonly stop?: AbortSignal;
}

export interface ScanPart {
  readonly deps: Deps;
  readonly settings: Settings;
  readonly retrying: Retrying;
  readonly policy: CompiledPolicy;
  readonly requests: ScanRequests;
  readonly deadline: Deadline;
  readonly onProgress: OnProgress;
}

export type ScanPartResult =
  | { readonly kind: 'done'; readonly plan: Plan }
  /** The time limit was reached. The next part is requested, unless the process has to stop. `answers`: number of stored AWS responses. */
  | { readonly kind: 'continued'; readonly answers: number }
  /** Nothing was done: the run has ended or was replaced. */
  | { readonly kind: 'stale' }
  /** Nothing was done: another process holds the scan lease until `until`, epoch ms. */
  | { readonly kind: 'busy'; readonly holder: string; readonly until: number };

/** A run with more parts makes no progress: 40 parts of 15 minutes are 10 hours. */
const MAX_PARTS = 40;

/**
 * Does as much of a run's scan as the time limit allows, then stores the AWS responses and requests the next part, which replays
 * them. This way, processes that live for minutes can scan an organization of any size.
 * @throws the error that ended the scan; the tick requests the same run again
 */
export async function scanPart(part: ScanPart, runId: string): Promise<ScanPartResult> {
  const { registers, clock, newId } = part.deps;
  const { leaseMs: ttlMs } = part.settings;
  const answer = await acquireLease(registers, clock, SCAN_LEASE, newId(), ttlMs);
  if (!('lease' in answer)) return { kind: 'busy', ...answer };
  const held = { lease: answer.lease, name: SCAN_LEASE, ttlMs };
  const result = await holdLease(clock, held, (lost) => onePart(part, runId, lost));
  // Sent after the lease is released, because the next part needs it.
  if (result.kind === 'continued' && part.deadline.stop?.aborted !== true) await part.requests.send({ runId });
  return result;
}

/** @param lost aborts when this process loses the scan lease */
async function onePart(part: ScanPart, runId: string, lost: AbortSignal): Promise<ScanPartResult> {
  const { deps } = part;
  const state = await beginPart(deps, runId);
  if (state === null) return { kind: 'stale' };
  const done = new AbortController();
  try {
    if (state.parts >= MAX_PARTS) throw new Error(`run ${runId} has not ended after ${state.parts} parts`);
    return await scanUntilOutOfTime(part, state, lost, done.signal);
  } catch (error) {
    await endPart(deps, runId, 'failed');
    throw error;
  } finally {
    done.abort('done');
  }
}

/** @param done aborts when this part has ended */
async function scanUntilOutOfTime(
  part: ScanPart,
  state: ScanState,
  lost: AbortSignal,
  done: AbortSignal,
): Promise<ScanPartResult> {
  const { deps, settings, retrying, policy, deadline, onProgress } = part;
  const { runId } = state;
  const checkpoint = await ScanProgress.load(deps.registers, runId);
  const mayGoOn = (): boolean => deadline.remainingMs() > deadline.reserveMs;
  const cloud = replayingCloud(deps.cloud, checkpoint, mayGoOn, () => deps.clock.now());
  const begunAt = checkpoint.begunAt(deps.clock.now());
  const run = runOf(state, policy, begunAt);
  const over = new AbortController();
  watchTime(deps, deadline, over, done);
  try {
    const end = AbortSignal.any([lost, over.signal]);
    const plan = await deps.tracer.within(scanSpan(run), () =>
      scan({ ...deps, cloud }, settings, retrying, run, onProgress, end),
    );
    await checkpoint.clear();
    await endPart(deps, runId, 'done');
    return { kind: 'done', plan };
  } catch (error) {
    // Stops the parallel tasks of the failed scan, so that they record nothing more.
    over.abort(error);
    if (!(error instanceof OutOfTime)) throw error;
    await cloud.idle();
    lost.throwIfAborted();
    await noteOldestAnswer(deps, runId, begunAt);
    await checkpoint.save();
    await endPart(deps, runId, deadline.stop?.aborted === true ? 'stopped' : 'continued');
    return { kind: 'continued', answers: checkpoint.size };
  }
}

function runOf({ runId, parts, attempts, trigger }: ScanState, policy: CompiledPolicy, begunAt: EpochMs): RunContext {
  const resumed = parts > 0 || attempts > 0;
  return { runId, policy, planHash: null, resumed, begunAt, ...(trigger !== null && { trigger }) };
}

/** Ends the scan when only the reserve is left, even while it records accounts and therefore makes no request. */
function watchTime(
  { clock }: Deps,
  { remainingMs, reserveMs, stop }: Deadline,
  over: AbortController,
  done: AbortSignal,
): void {
  const left = Math.max(0, remainingMs() - reserveMs);
  const end = (): void => over.abort(new OutOfTime('this process is stopping'));
  stop?.addEventListener('abort', end, { once: true, signal: done });
  void clock.sleep(left, done).then(() => {
    if (!done.aborted) over.abort(new OutOfTime('the time limit is reached'));
  });
}
