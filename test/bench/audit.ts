import * as z from 'zod';
import { runTask } from './child.ts';
import { type Figure, figure, round } from './figure.ts';

const SIZE = { accounts: 10_000, entriesPerAccount: 100, rounds: 9, timelines: 400 };

const measured = z.object({
  entries: z.number(),
  timeline: z.array(z.number()),
  asOf: z.array(z.number()),
  verifyPerSecond: z.array(z.number()),
  verifyPerCpuSecond: z.number(),
});

/** Queries on an embedded ledger of a million entries for 10,000 accounts. */
export async function auditQueries(): Promise<readonly Figure[]> {
  const { entries, timeline, asOf, verifyPerSecond, verifyPerCpuSecond } = await runTask('audit', SIZE, measured, null);
  const sorted = timeline.toSorted((a, b) => a - b);
  const p95 = sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN;
  const of = `${entries} entries over ${SIZE.accounts} accounts`;
  return [
    figure({
      name: "an account's timeline, 100 entries, p95",
      ...{ unit: 'ms', target: { atMost: 10 }, bound: of, runs: [p95] },
      detail: { timelines: timeline.length, medianMs: round(sorted[sorted.length >> 1] ?? Number.NaN) },
    }),
    figure({ name: 'as-of, all accounts', ...{ unit: 'ms', target: { atMost: 500 }, bound: of, runs: asOf } }),
    figure({
      name: 'verify, every chain',
      ...{ unit: 'entries/s', target: { atLeast: 50_000 }, bound: of, runs: verifyPerSecond },
      detail: { perSecondOfProcessor: round(verifyPerCpuSecond) },
    }),
  ];
}
