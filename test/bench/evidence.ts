import * as z from 'zod';
import { runTask } from './child.ts';
import { type Figure, figure, NO_TARGET, round } from './figure.ts';

const SIZE = { accounts: 1_000, entriesPerAccount: 101, rounds: 3 };

const measured = z.object({
  entries: z.number(),
  packMs: z.array(z.number()),
  wallMs: z.array(z.number()),
  processorMs: z.array(z.number()),
  megabytes: z.number(),
});

/** The evidence of 100,000 entries: packing it, and verifying it in a browser. */
export async function evidence(): Promise<readonly Figure[]> {
  const { entries, packMs, wallMs, processorMs, megabytes } = await runTask('evidence', SIZE, measured, null);
  const bound = `${entries} entries over ${SIZE.accounts} accounts`;
  const perSecond = (ms: number): number => round((entries * 1_000) / ms);
  return [
    figure({
      name: 'evidence, verified by the page in a browser, from the choice of the file to the verdict',
      ...{ unit: 'ms', target: { atMost: 10_000 }, bound, runs: wallMs },
      detail: { megabytes: round(megabytes), processorMs: processorMs.map(round) },
    }),
    figure({
      name: 'evidence, packed',
      ...{ unit: 'ms', target: NO_TARGET, bound, runs: packMs },
      detail: { entriesPerSecond: packMs.map(perSecond) },
    }),
  ];
}
