import { join } from 'node:path';
import * as z from 'zod';
import { bundleTask, runTask, startSandbox, startTask } from './child.ts';
import { type Figure, figure, round } from './figure.ts';
import { accountsOr } from './size.ts';
import { inDirectory } from './workbench.ts';

/** Ten times the AWS limit for an organization. */
const ACCOUNTS = 100_000;
const DRIFTED = 0.5;
/** High enough that only our own work limits the rate. */
const LIMITS = { callsPerSecond: 1_000_000, concurrency: 16 };

const applied = z.object({
  changes: z.object({
    ...{ attempted: z.number(), succeeded: z.number(), failed: z.number() },
    ...{ blocked: z.number(), converging: z.number() },
  }),
  ...{ open: z.number(), scanMs: z.number(), workMs: z.number() },
  peaks: z.object({ scan: z.number(), work: z.number() }),
});
const verified = z.object({
  ...{ ok: z.boolean(), entries: z.number(), fault: z.unknown(), ms: z.number(), peakMb: z.number() },
});

/** `rollcall apply` in an oversized organization with 50% drift: completion, correctness and memory. */
export function stress(): Promise<readonly Figure[]> {
  return inDirectory(stressed);
}

async function stressed(dataDir: string): Promise<readonly Figure[]> {
  const accounts = accountsOr(ACCOUNTS);
  const sandbox = await startSandbox({ accounts, drift: DRIFTED });
  try {
    const before = await sandbox.accounts();
    const toChange = before.filter(isOpen).length;
    // From the bundle, as installed, because type stripping needs memory too.
    const task = await bundleTask('stress', join(dataDir, 'bundle'));
    const input = { dataDir, ...LIMITS };
    const { changes, open, scanMs, workMs, peaks } = await startTask(task, input, applied, {
      ...sandbox.environment,
      ROLLCALL_MAX_ACCOUNTS: String(accounts),
    }).answered;
    const { ok, entries, fault, ms, peakMb } = await runTask('verify', { dataDir }, verified, null);
    const left = (await sandbox.accounts()).filter(isOpen).length;
    const changed = [...(await sandbox.changesOf()).values()];
    const twice = changed.reduce((more, count) => more + Math.max(0, count - 1), 0);
    if (!ok) throw new Error(`the ledger: ${JSON.stringify(fault)}`);
    const of = `${accounts} accounts, ${toChange} remediated by one process`;
    return [
      figure({
        ...{
          name: `accounts not as wanted or changed twice, ${of}`,
          unit: 'accounts',
          bound: '0',
          target: { atMost: 0 },
        },
        runs: [left + twice],
        detail: { changes, open, entries, verified: ok },
      }),
      figure({
        ...{ name: `pace, ${of}`, unit: 'remediations/s', target: null, runs: [(toChange * 1_000) / workMs] },
        detail: {
          seconds: { scan: round(scanMs / 1_000), work: round(workMs / 1_000), verify: round(ms / 1_000) },
          verifiedPerSecond: round((entries * 1_000) / ms),
        },
      }),
      figure({
        ...{ name: `memory, ${of}`, unit: 'MB resident, the largest peak', target: { atMost: 500 } },
        ...{ bound: '500 MB', runs: [Math.max(peaks.work, peakMb)], detail: { ...peaks, verify: peakMb } },
      }),
    ];
  } finally {
    await sandbox.close();
  }
}

const isOpen = ({ state, computeOptimizer }: { state: string; computeOptimizer: { status: string } }): boolean =>
  state === 'ACTIVE' && computeOptimizer.status !== 'Active';
