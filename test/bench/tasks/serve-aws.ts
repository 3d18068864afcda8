import * as z from 'zod';
import { serve } from '../../../shared/app/runtime/daemon.ts';
import { maintenanceTasks } from '../../../shared/app/runtime/maintenance.ts';
import { openMaintenance } from '../../../shared/compose/notification-targets.ts';
import { createRuntime } from '../../../shared/compose/runtime.ts';
import { awsStore } from '../../../shared/compose/stores/aws.ts';
import { answer, COMPUTE_OPTIMIZER_ONLY, LOGGER, peakMb, policyOf, taskInput } from '../workbench.ts';

/*
 * A container of `rollcall serve --store aws` with default times, except that it enqueues due keys every few seconds. On SIGTERM it
 * reports its results and ends.
 */
const { callsPerSecond, concurrency } = z
  .object({ callsPerSecond: z.number(), concurrency: z.number() })
  .parse(taskInput());

const told = new AbortController();
process.on('SIGTERM', () => told.abort());
const stop = told.signal;
// Prevents a second scan, because the bench measures one.
const policy = policyOf(`schedule: 24h\n${COMPUTE_OPTIMIZER_ONLY}`, { callsPerSecond, concurrency });
const store = awsStore(process.env);
const app = await createRuntime(store, { stop, policy, logger: LOGGER });
const maintenance = await openMaintenance(app, policy, store);
const pace = { tickMs: 10_000, dueMs: 10_000 };
const tasks = maintenanceTasks(maintenance, pace);
const outcomes: Record<string, number> = {};
let scanSeconds: number | null = null;
const begun = performance.now();
await serve(app.deps, app.settings, app.retrying, policy, {
  ...{ stop, tasks, pace },
  onProgress: (event) => {
    if (event.kind === 'worked') outcomes[event.outcome] = (outcomes[event.outcome] ?? 0) + 1;
  },
  onScanStarted: () => undefined,
  onScan: () => {
    scanSeconds = (performance.now() - begun) / 1000;
  },
  onError: (what, error) => LOGGER.error(`${what} broke off`, { message: String(error) }),
});
maintenance.close();
const { calls } = app;
await app.close();
answer({ outcomes, scanSeconds, calls, peakMb: peakMb() });
