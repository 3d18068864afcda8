import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { ScanRequests } from '../../ports/scan-requests.ts';
import type { Deps, OnProgress, Settings } from '../context.ts';
import { withLease } from '../coordination/lease.ts';
import type { Plan } from '../plan/plan.ts';
import { beginPart, endPart, keepsAnswers, SCAN_LEASE } from '../schedule/scan-schedule.ts';
import { OutOfTime } from '../support/out-of-time.ts';
import type { Retrying } from '../support/retry.ts';
import { Checkpoint } from './checkpoint.ts';
import { resumable } from './replaying-cloud.ts';
import { scan } from './scan.ts';

/** How much time a part of a scan has. */
export interface Deadline {
  /** Until the process is killed, ms. */
  remainingMs(): number;
  /** How much of it is kept for finishing the calls under way (their retries included) and for saving what they answered, ms. */
  readonly reserveMs: number;
  /** Aborts when the process is told to end before its time: the run is left to whoever looks next. Then nothing remains, too. */
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
  /** The time was over; the rest was asked for, or left for the next look if the process was told to stop. `answers`: how many calls need not be made again. */
  | { readonly kind: 'continued'; readonly answers: number }
  /** Nothing was done: the run is over or another has taken its place, or somebody else is scanning. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'busy'; readonly holder: string; readonly until: number };

/** A run of more parts makes no headway: ten hours of quarters of an hour. */
const MAX_PARTS = 40;

class LeaseHeld extends Error {
  override readonly name = 'LeaseHeld';
  readonly holder: string;
  readonly until: number;

  constructor(holder: string, until: number) {
    super(`the scan lease is held by ${holder}`);
    this.holder = holder;
    this.until = until;
  }
}

/**
 * Does as much of a run's scan as time allows. What AWS has answered by then is kept, and the run asks for its next part, which is
 * given those answers and goes on from there; recording and queueing, which can be repeated, simply are. So an
 * organization of any size is scanned by processes that live for minutes.
 * @throws what broke the scan; the tick asks for the same run again.
 */
export async function scanPart(part: ScanPart, runId: string): Promise<ScanPartResult> {
  const { registers, clock, newId } = part.deps;
  try {
    const result = await withLease(
      {
        ...{ registers, clock, name: SCAN_LEASE, owner: newId(), ttlMs: part.settings.leaseMs },
        onWait: (holder, until) => {
          throw new LeaseHeld(holder, until);
        },
      },
      (lost) => holdingLease(part, runId, lost),
    );
    // Only now: who is asked must find the lease free.
    if (result.kind === 'continued' && part.deadline.stop?.aborted !== true) await part.requests.send({ runId });
    return result;
  } catch (error) {
    if (error instanceof LeaseHeld) return { kind: 'busy', holder: error.holder, until: error.until };
    throw error;
  }
}

async function holdingLease(part: ScanPart, runId: string, lost: AbortSignal): Promise<ScanPartResult> {
  const { deps, settings, retrying, policy, deadline, onProgress } = part;
  const state = await beginPart(deps, runId);
  if (state === null) return { kind: 'stale' };
  const done = new AbortController();
  try {
    if (state.parts >= MAX_PARTS) throw new Error(`run ${runId} has not ended after ${state.parts} parts`);
    const checkpoint = await Checkpoint.load(deps.registers, runId);
    const mayGoOn = (): boolean => deadline.remainingMs() > deadline.reserveMs;
    const cloud = resumable(deps.cloud, checkpoint, mayGoOn, () => deps.clock.now());
    const resumed = state.parts > 0 || state.attempts > 0;
    const begunAt = checkpoint.begunAt(deps.clock.now());
    const run = { runId, policy, planHash: null, resumed, begunAt };
    const over = new AbortController();
    watchTime(deps, deadline, over, done.signal);
    try {
      const plan = await scan(
        { ...deps, cloud },
        settings,
        retrying,
        run,
        onProgress,
        AbortSignal.any([lost, over.signal]),
      );
      await checkpoint.clear();
      await endPart(deps, runId, 'done');
      return { kind: 'done', plan };
    } catch (error) {
      // Also what goes on beside what broke: it must record nothing behind our back.
      over.abort(error);
      if (!(error instanceof OutOfTime)) throw error;
      await cloud.idle();
      lost.throwIfAborted();
      await keepsAnswers(deps, runId, begunAt);
      await checkpoint.save();
      await endPart(deps, runId, deadline.stop?.aborted === true ? 'left' : 'continued');
      return { kind: 'continued', answers: checkpoint.size };
    }
  } catch (error) {
    await endPart(deps, runId, 'failed');
    throw error;
  } finally {
    done.abort('done');
  }
}

/** Ends the scan when only the reserve is left: recording asks AWS nothing and would not notice. */
function watchTime(
  { clock }: Deps,
  { remainingMs, reserveMs, stop }: Deadline,
  over: AbortController,
  done: AbortSignal,
): void {
  const left = Math.max(0, remainingMs() - reserveMs);
  const end = (): void => over.abort(new OutOfTime('this process is told to stop'));
  stop?.addEventListener('abort', end, { once: true, signal: done });
  void clock.sleep(left, done).then(() => {
    if (!done.aborted) over.abort(new OutOfTime('the time is over'));
  });
}
