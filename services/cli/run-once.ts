import type { RunContext } from '../../shared/app/context.ts';
import type { OpenClaim } from '../../shared/app/queries/open-claims.ts';
import {
  type FullStatuses,
  type FullSummary,
  fullSummary,
  statusesIn,
} from '../../shared/app/queries/plan-document.ts';
import type { CallCounts } from '../../shared/app/rate-limiter/rate-limiter.ts';
import type { ApplyOptions, ApplyResult } from '../../shared/app/runtime/apply.ts';
import type { Outage } from '../../shared/app/support/outage-detector.ts';
import type { Retrying } from '../../shared/app/support/retry.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import { Interrupted } from './interrupt.ts';

/** How a run ended, with everything that its summary shows. */
export interface FinishedRun {
  readonly result: ApplyResult;
  readonly before: FullSummary;
  readonly after: FullSummary;
  readonly statusesBefore: FullStatuses;
  readonly statusesAfter: FullStatuses;
  /** The AWS calls of this run only. */
  readonly calls: CallCounts;
  readonly durationMs: number;
  /** Changes that a process, such as one that was killed, has started and not finished; their outcome is not known yet. */
  readonly claimed: readonly OpenClaim[];
  /** Dead letters of this run and of earlier ones that have not been redriven. */
  readonly deadLetters: number;
  /** `null`: AWS was reachable when the run ended. */
  readonly unreachable: Outage | null;
}

/**
 * One run: scan, enqueue, remediate until nothing is due. If it is stopped during the scan, it enqueues nothing; if it is stopped later,
 * it finishes and records the changes in flight. An AWS outage ends it in the same way.
 * @throws Interrupted if it was stopped before anything was enqueued
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
  let scanning = true;
  const throwIfStopped = (): void => {
    if (scanning && options.stop.aborted) throw new Interrupted('stopped before anything was changed');
  };
  const result = await apply(deps, settings, guarded(detector.watching(app.retrying), throwIfStopped), run, {
    ...options,
    stop,
    onPlan: (plan) => {
      scanning = false;
      options.onPlan?.(plan);
    },
    onProgress: (event) => {
      // Check here too: waiting for a lease makes no AWS call, so `guarded` does not run. `recorded` is the last event before anything is enqueued.
      if (event.kind === 'waitingForLease' || event.kind === 'recorded') throwIfStopped();
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

/** Calls `check` before every attempt of a call. */
function guarded(retrying: Retrying, check: () => void): Retrying {
  return (call) =>
    retrying(() => {
      check();
      return call();
    });
}

/** The calls that were made between two counts. */
export function since(before: CallCounts, now: CallCounts): CallCounts {
  const added: CallCounts = {};
  for (const [name, { count, throttled }] of Object.entries(now)) {
    const was = before[name] ?? { count: 0, throttled: 0 };
    if (count > was.count) added[name] = { count: count - was.count, throttled: throttled - was.throttled };
  }
  return added;
}
