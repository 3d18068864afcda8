import { z } from 'zod';
import { scan } from '../../../shared/app/scan.ts';
import { answer, elapsed, policyOf, taskInput, withApp } from '../workbench.ts';

/*
 * Scans an organization so many times, recording each, and says how long each took and how much memory this process ever had.
 * Timed inside the process, because starting one is another figure.
 */

const input = z.object({
  dataDir: z.string(),
  policy: z.string(),
  scans: z.number(),
  /** Whether the organization snapshot in `dataDir`, if any, will do. */
  cached: z.boolean(),
});

const HOUR = 3_600_000;

const { dataDir, policy, scans, cached } = input.parse(taskInput());
const compiled = policyOf(policy, { callsPerSecond: 1_000, concurrency: 8 });
await withApp(
  dataDir,
  compiled,
  async ({ deps, settings, retrying }, run) => {
    const ms: number[] = [];
    let accounts = 0;
    for (let n = 0; n < scans; n += 1) {
      const start = performance.now();
      const plan = await scan(deps, settings, retrying, run, () => undefined, new AbortController().signal);
      ms.push(elapsed(start));
      if (plan.broken.length > 0) throw new Error(plan.broken.join('; '));
      accounts = plan.coverage.listed;
    }
    // maxRSS is in KiB [process.resourceUsage].
    answer({ ms, accounts, peakMb: (process.resourceUsage().maxRSS * 1024) / 1e6 });
  },
  { snapshotMaxAgeMs: cached ? HOUR : 0 },
);
