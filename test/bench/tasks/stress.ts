import { z } from 'zod';
import { apply } from '../../../shared/app/apply.ts';
import { verifyLedger } from '../../../shared/app/audit-verify.ts';
import { answer, COMPUTE_OPTIMIZER_ONLY, elapsed, inDirectory, policyOf, taskInput, withApp } from '../workbench.ts';

/* One run over a new store: everything scanned, everything that drifted put right account by account, and the ledger verified. */

const limits = z.object({ callsPerSecond: z.number(), concurrency: z.number() }).parse(taskInput());
const peakMb = (): number => (process.resourceUsage().maxRSS * 1024) / 1e6;

await inDirectory((dataDir) =>
  withApp(dataDir, policyOf(COMPUTE_OPTIMIZER_ONLY, limits), async ({ deps, settings, retrying }, run) => {
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
    const workPeakMb = peakMb();
    const verifying = performance.now();
    const { ok, entries, fault } = await verifyLedger(deps.ledger, deps.records);
    answer({
      ...{ changes, open: open.length, scanMs, workMs, verifyMs: elapsed(verifying), ok, entries, fault },
      peaks: { scan: scanPeakMb, work: workPeakMb, verify: peakMb() },
    });
  }),
);
