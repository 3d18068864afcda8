import * as z from 'zod';
import { runTask } from './child.ts';
import { type Figure, figure } from './figure.ts';

const measured = z.object({ perSecond: z.array(z.number()), verdicts: z.record(z.string(), z.number()) });

/** Only the diff: no I/O, one core. A scan of the largest organization has 20,000 account-enrollments. */
export async function diffAlone(): Promise<readonly Figure[]> {
  const sizes = [10_000, 100_000];
  const figures: Figure[] = [];
  for (const accounts of sizes) {
    const { perSecond, verdicts } = await runTask('diff', { accounts, rounds: 7 }, measured, null);
    figures.push(
      figure({
        name: `diff alone, ${accounts} accounts`,
        unit: 'account-enrollments/s on one core',
        target: { atLeast: 300_000 },
        bound: 'the core',
        runs: perSecond,
        detail: { rules: 10, exemptions: 2, verdicts },
      }),
    );
  }
  return figures;
}
