import type { RunContext } from '../../shared/app/context.ts';
import { type FullStatuses, type FullSummary, fullSummary, statusesIn } from '../../shared/app/plan/plan-document.ts';
import type { OpenClaim } from '../../shared/app/queries/open-claims.ts';
import type { CallCounts } from '../../shared/app/rate-limiter/rate-limiter.ts';
import type { ApplyOptions, ApplyResult } from '../../shared/app/runtime/apply.ts';
import type { Outage } from '../../shared/app/support/outage-detector.ts';
import type { Retrying } from '../../shared/app/support/retry.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import { Interrupted } from './interrupt.ts';

/** How a run ended, with what is told of it. */
export interface FinishedRun {
  readonly result: ApplyResult;
  readonly before: FullSummary;
  readonly after: FullSummary;
  readonly statusesBefore: FullStatuses;
  readonly statusesAfter: FullStatuses;
  /** Calls of this run alone. */
  readonly calls: CallCounts;
  readonly durationMs: number;
  /** Changes that somebody, a process that was killed for one, has begun and not finished: nobody knows yet how they ended. */
  readonly claimed: readonly OpenClaim[];
  /** Dead letters of this run and of earlier ones that have not been redriven. */
  readonly deadLetters: number;
  /** AWS did not answer any more when the run ended; `null`: it did. */
  readonly unreachable: Outage | null;
}

/**
 * One run: scan, queue, work until quiet. Stopped while it still looks, it leaves off before anything is queued; stopped later, it
 * finishes and records what is in flight. An AWS outage ends it in the same way.
 * @throws Interrupted if it was stopped before anything was queued.
 */
export async function runOnce(app: Runtime, run: RunContext, options: ApplyOptions): Promise<FinishedRun> {
  const [{ apply }, { status }, { openClaims }, { OutageDetector }] = await Promise.all([
    import('../../shared/app/runtime/apply.ts'),
    import('../../shared/app/queries/status.ts'),
    import('../../shared/app/queries/open-claims.ts'),
    import('../../shared/app/support/outage-detector.ts'),
  ]);
  const { deps, settings } = app;
  const startedAt = deps.clock.now();
  const detector = new OutageDetector(deps.clock);
  const stop = AbortSignal.any([options.stop, detector.detected]);
  const before = structuredClone(app.calls);
  let looking = true;
  const leaveOff = (): void => {
    if (looking && options.stop.aborted) throw new Interrupted('stopped before anything was changed');
  };
  const result = await apply(deps, settings, guarded(detector.watching(app.retrying), leaveOff), run, {
    ...options,
    stop,
    onPlan: (plan) => {
      looking = false;
      options.onPlan?.(plan);
    },
    onProgress: (event) => {
      // A lease is waited for without a call to AWS, so this is where that wait can be left; and the last moment before anything is queued.
      if (event.kind === 'waitingForLease' || event.kind === 'recorded') leaveOff();
      options.onProgress(event);
    },
  });
  const ended = await status(deps);
  return {
    result: { ...result, interrupted: options.stop.aborted },
    before: fullSummary(result.plan.summary),
    after: fullSummary(ended.summary),
    statusesBefore: statusesIn(result.plan),
    statusesAfter: ended.statuses,
    calls: since(before, app.calls),
    durationMs: deps.clock.now() - startedAt,
    claimed: await openClaims(deps.records),
    deadLetters: (await deps.queue.depth()).dead,
    unreachable: detector.outage,
  };
}

/** Asks `check` before every wire call. */
function guarded(retrying: Retrying, check: () => void): Retrying {
  return (call) =>
    retrying(() => {
      check();
      return call();
    });
}

/** What was added since. */
export function since(before: CallCounts, now: CallCounts): CallCounts {
  const added: CallCounts = {};
  for (const [name, { count, throttled }] of Object.entries(now)) {
    const was = before[name] ?? { count: 0, throttled: 0 };
    if (count > was.count) added[name] = { count: count - was.count, throttled: throttled - was.throttled };
  }
  return added;
}
