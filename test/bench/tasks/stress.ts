import * as z from 'zod';
import { apply } from '../../../shared/app/runtime/apply.ts';
import { answer, COMPUTE_OPTIMIZER_ONLY, elapsed, peakMb, policyOf, taskInput, withApp } from '../workbench.ts';

/* One run over a new store: it scans everything and remediates drift account by account. */

const { dataDir, ...limits } = z
  .object({ dataDir: z.string(), callsPerSecond: z.number(), concurrency: z.number() })
  .parse(taskInput());

await withApp(dataDir, policyOf(COMPUTE_OPTIMIZER_ONLY, limits), async ({ deps, settings, retrying }, run) => {
  const start = performance.now();
  let scanMs = 0;
  let scanPeakMb = 0;
  const { changes, open } = await apply(deps, settings, retrying, run, {
    waitMs: 0,
    stop: new AbortController().signal,
    onProgress: () => undefined,
    onPlan: () => {
      scanMs = elapsed(start);
      scanPeakMb = peakMb();
    },
  });
  const workMs = elapsed(start) - scanMs;
  answer({ changes, open: open.length, scanMs, workMs, peaks: { scan: scanPeakMb, work: peakMb() } });
});
