import type { Deps, OnProgress, RunContext, Settings } from '../context.ts';
import { withLease } from '../coordination/lease.ts';
import type { Plan } from '../plan/plan.ts';
import { SCAN_LEASE } from '../schedule/scan-schedule.ts';
import type { Retrying } from '../support/retry.ts';
import { scan } from './scan.ts';
import { scanSpan } from './scan-span.ts';

interface LeasedScanOptions {
  readonly onProgress: OnProgress;
  /** Ends the wait for the lease. */
  readonly stop: AbortSignal;
}

/** A scan that first waits until no other process scans. */
export function scanUnderLease(
  deps: Deps,
  settings: Settings,
  retrying: Retrying,
  run: RunContext,
  { onProgress, stop }: LeasedScanOptions,
): Promise<Plan> {
  const { registers, clock } = deps;
  const lease = { registers, clock, name: SCAN_LEASE, owner: deps.newId(), ttlMs: settings.leaseMs };
  const onWait = (holder: string, until: number): void => onProgress({ kind: 'waitingForLease', holder, until });
  // The plan of this scan is ready. Another scan waits until the lease expires.
  const onUnreleased = (error: unknown): void => deps.logger.warn('the scan lease could not be released', { error });
  return withLease({ ...lease, onWait, stop, onUnreleased }, (lost) =>
    deps.tracer.within(scanSpan(run), () => scan(deps, settings, retrying, run, onProgress, lost)),
  );
}
