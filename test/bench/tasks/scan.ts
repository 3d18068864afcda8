import * as z from 'zod';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import { scan } from '../../../shared/app/scan/scan.ts';
import type { Clock } from '../../../shared/ports/system.ts';
import { plainListing } from '../plain-listing.ts';
import { answer, elapsed, peakMb, policyOf, taskInput, withApp } from '../workbench.ts';

/*
 * Scans an organization repeatedly, one hour of our clock apart, records each scan, and reports its duration and the peak memory of
 * this process. Timed inside the process, because the start-up time is a separate figure.
 */

const input = z.object({
  dataDir: z.string(),
  policy: z.string(),
  scans: z.number(),
  /** Whether an existing organization snapshot in `dataDir` may be used. */
  cached: z.boolean(),
  /** Also reads the listing without Rollcall, to measure the share of this machine and the simulated AWS. */
  floor: z.boolean(),
});

const HOUR = 3_600_000;
let ahead = 0;
const clock: Clock = { now: () => systemClock.now() + ahead, sleep: systemClock.sleep };

const { dataDir, policy, scans, cached, floor } = input.parse(taskInput());
const compiled = policyOf(policy, { callsPerSecond: 1_000, concurrency: 8 });
await withApp(
  dataDir,
  compiled,
  async ({ deps, settings, retrying }, run) => {
    const ms: number[] = [];
    const cpuMs: number[] = [];
    const floorMs: number[] = [];
    let accounts = 0;
    for (let n = 0; n < scans; n += 1) {
      if (floor) floorMs.push(await plainListing());
      const cpu = process.cpuUsage();
      const start = performance.now();
      const plan = await scan(deps, settings, retrying, run, () => undefined, new AbortController().signal);
      ms.push(elapsed(start));
      const { user, system } = process.cpuUsage(cpu);
      cpuMs.push((user + system) / 1000);
      if (plan.broken.length > 0) throw new Error(plan.broken.join('; '));
      accounts = plan.coverage.listed;
      ahead += HOUR;
    }
    answer({ ms, cpuMs, floorMs, accounts, peakMb: peakMb() });
  },
  { snapshotMaxAgeMs: cached ? (scans + 1) * HOUR : 0 },
  clock,
);
