import * as z from 'zod';
import { runTask } from './child.ts';
import { type Figure, figure, median, round } from './figure.ts';

const CONCURRENCIES = [1, 8, 64];
const ROUNDS = 5;

const measured = z.object({ perSecond: z.array(z.array(z.number())) });

/** One fsync serves many writers: durable ledger appends per second, by the number of concurrent writers. */
export async function groupCommit(): Promise<readonly Figure[]> {
  const { perSecond } = await runTask(
    'commit',
    { concurrencies: CONCURRENCIES, rounds: ROUNDS, ms: 700 },
    measured,
    null,
  );
  const alone = perSecond[0] ?? [];
  const targets = [null, 2, 4];
  return CONCURRENCIES.flatMap((concurrency, index) => {
    const rates = perSecond[index] ?? [];
    const atLeast = targets[index];
    if (atLeast == null) return [];
    return [
      figure({
        name: `durable ledger appends, ${concurrency} writers`,
        ...{ unit: '× one writer', target: { atLeast } },
        comparedTo: `one writer, a commit each: ${round(median(alone))} appends/s`,
        runs: rates.map((rate, n) => rate / (alone[n] ?? Number.NaN)),
        detail: { appendsPerSecond: rates.map(round) },
      }),
    ];
  });
}
