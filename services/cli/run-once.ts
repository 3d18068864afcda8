import type { OnProgress, RunContext } from '../../shared/app/context.ts';
import type { HaltView } from '../../shared/app/queries/enforcement-view.ts';
import { type OpenClaim, openClaims } from '../../shared/app/queries/open-claims.ts';
import {
  type FullStatuses,
  type FullSummary,
  fullSummary,
  statusesIn,
} from '../../shared/app/queries/plan-document.ts';
import { status } from '../../shared/app/queries/status.ts';
import type { CallCounts } from '../../shared/app/rate-limiter/rate-limiter.ts';
import { type ApplyOptions, apply } from '../../shared/app/runtime/apply.ts';
import type { ApplyResult } from '../../shared/app/runtime/conclude-run.ts';
import { type Outage, OutageDetector } from '../../shared/app/support/outage-detector.ts';
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
  /** Changes that a process has started but not finished, for example because it was killed. Their outcome is not known yet. */
  readonly claimed: readonly OpenClaim[];
  /** Dead letters of this run and of earlier ones that have not been redriven. */
  readonly deadLetters: number;
  /** The halt when the run ended; `null`: changes are not halted. */
  readonly halted: HaltView;
  /** `null`: AWS was reachable when the run ended. */
  readonly unreachable: Outage | null;
}

/**
 * Scans, enqueues the due changes, and remediates until no change is due. A stop during the scan enqueues nothing. After a later stop, and after
 * an AWS outage, the changes in flight are finished and recorded.
 * @throws Interrupted if it was stopped before anything was enqueued
 */
export async function runOnce(app: Runtime, run: RunContext, options: ApplyOptions): Promise<FinishedRun> {
  const { deps, settings } = app;
  const startedAt = deps.clock.now();
  const detector = new OutageDetector(deps.clock);
  const stop = AbortSignal.any([options.stop, detector.detected]);
  const before = structuredClone(app.calls);
  const scanning = interruptible(options.stop, detector.watching(app.retrying));
  const result = await apply(deps, settings, scanning.retrying, run, {
    ...options,
    stop,
    onPlan: (plan) => {
      scanning.end();
      options.onPlan?.(plan);
    },
    onProgress: scanning.watching(options.onProgress),
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
    halted: ended.halted,
    unreachable: detector.outage,
  };
}

/**
 * Ends a scan when the user stops it.
 * @returns `retrying`, which checks for a stop before every call to AWS, retries included; `end`, to call when the scan is over
 */
export function interruptible(stop: AbortSignal, retrying: Retrying) {
  let scanning = true;
  const throwIfStopped = (): void => {
    if (scanning && stop.aborted) throw new Interrupted('stopped before anything was changed');
  };
  const checked: Retrying = (call) =>
    retrying(() => {
      throwIfStopped();
      return call();
    });
  // The run makes no call to AWS while it waits for the lease, and none between recording the accounts and enqueueing the changes.
  const watching =
    (onProgress: OnProgress): OnProgress =>
    (event) => {
      if (event.kind === 'waitingForLease' || event.kind === 'recorded') throwIfStopped();
      onProgress(event);
    };
  return {
    retrying: checked,
    watching,
    end: (): void => {
      scanning = false;
    },
  };
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
