import type { ApplyOptions, ApplyResult } from '../../shared/app/apply.ts';
import type { RunContext } from '../../shared/app/deps.ts';
import type { CallCounts } from '../../shared/app/limiter.ts';
import { type FullSummary, fullSummary } from '../../shared/app/plan-document.ts';
import type { Retrying } from '../../shared/app/retrying.ts';
import type { App } from '../../shared/compose/app.ts';
import { Interrupted } from './interrupt.ts';

/** How a run ended, with what is told of it. */
export interface FinishedRun {
  readonly result: ApplyResult;
  readonly before: FullSummary;
  readonly after: FullSummary;
  /** Calls of this run alone. */
  readonly calls: CallCounts;
  readonly durationMs: number;
}

/**
 * One run: scan, queue, work until quiet. Stopped while it still looks, it leaves off before anything is queued; stopped later, it
 * finishes and records what is in flight.
 * @throws Interrupted if it was stopped before anything was queued.
 */
export async function runOnce(app: App, run: RunContext, options: ApplyOptions): Promise<FinishedRun> {
  const [{ apply }, { status }] = await Promise.all([
    import('../../shared/app/apply.ts'),
    import('../../shared/app/status.ts'),
  ]);
  const { deps, settings } = app;
  const startedAt = deps.clock.now();
  const before = structuredClone(app.calls);
  let looking = true;
  const leaveOff = (): void => {
    if (looking && options.stop.aborted) throw new Interrupted('stopped before anything was changed');
  };
  const result = await apply(deps, settings, guarded(app.retrying, leaveOff), run, {
    ...options,
    onPlan: (plan) => {
      looking = false;
      options.onPlan?.(plan);
    },
    onProgress: (event) => {
      // A lease is waited for without a call to AWS, so this is where that wait can be left.
      if (event.kind === 'waitingForLease') leaveOff();
      options.onProgress(event);
    },
  });
  return {
    result,
    before: fullSummary(result.plan.summary),
    after: fullSummary((await status(deps)).summary),
    calls: since(before, app.calls),
    durationMs: deps.clock.now() - startedAt,
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
