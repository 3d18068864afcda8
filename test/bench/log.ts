import * as z from 'zod';
import { runTask } from './child.ts';
import { type Figure, figure, round } from './figure.ts';

const SIZE = { accounts: 10_000, entriesPerAccount: 100, proofs: 400, rounds: 3 };

const measured = z.object({
  entries: z.number(),
  proof: z.array(z.number()),
  verifyPerSecond: z.array(z.number()),
  verifyPerCpuSecond: z.number(),
  ratios: z.array(z.number()),
});

/** The transparency log of an embedded store with a million entries. */
export async function transparencyLog(): Promise<readonly Figure[]> {
  const { entries, proof, verifyPerSecond, verifyPerCpuSecond, ratios } = await runTask('log', SIZE, measured, null);
  const sorted = proof.toSorted((a, b) => a - b);
  const p95 = sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN;
  const of = `${entries} entries over ${SIZE.accounts} accounts`;
  return [
    figure({
      name: 'proof of an entry, p95',
      ...{ unit: 'ms', target: { atMost: 10 }, bound: of, runs: [p95] },
      detail: { proofs: proof.length, medianMs: round(sorted[sorted.length >> 1] ?? Number.NaN) },
    }),
    figure({
      name: 'verify against a checkpoint',
      ...{ unit: 'entries/s', target: { atLeast: 100_000 }, bound: of, runs: verifyPerSecond },
      detail: { perSecondOfProcessor: round(verifyPerCpuSecond) },
    }),
    figure({
      name: 'append without a pause while the same process keeps the log',
      ...{ unit: '×', target: { atMost: 1.05 }, bound: 'the same without the log', runs: ratios },
    }),
  ];
}
