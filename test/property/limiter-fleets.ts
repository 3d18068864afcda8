import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { runFleet } from '../support/limiter-fleet.ts';
import {
  type AutoJudged,
  anyAutoFleet,
  anyFleet,
  judge,
  judgeAuto,
  leastUsed,
  mostThrottled,
  mostWhileLearning,
} from '../support/limiter-fleets.ts';

/*
 * node test/property/limiter-fleets.ts [--runs 20000] [--seed N] [--auto]
 *
 * Runs this many random fleets of workers in virtual time, like the property test. Prints how close the busiest second came to the proven bound, and the
 * smallest use of the budget. Exits 1 if a fleet breaks the bound. With --auto, the fleets have no total budget: prints the share of throttled calls and the
 * use of what the service accepts, after 30 s, the throttled calls before, and how close a fleet came to one of its bounds (mostOfBounds).
 */

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    seed: { type: 'string' },
    auto: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const rounded = (ratio: number): number => Math.round(ratio * 1_000) / 1_000;

async function underTotals(): Promise<boolean> {
  const worst = { most: { ratio: 0, fleet: '' }, used: { ratio: Number.POSITIVE_INFINITY, fleet: '' } };
  let refused = 0;
  for (const fleet of fc.sample(anyFleet, { seed, numRuns: runs })) {
    const result = await runFleet(fleet);
    const { most, used } = judge(fleet, result);
    if (most > worst.most.ratio) worst.most = { ratio: most, fleet: JSON.stringify(fleet) };
    if (used !== null && used < worst.used.ratio) worst.used = { ratio: used, fleet: JSON.stringify(fleet) };
    refused += result.workers.filter((worker) => worker.refused.length > 0).length;
  }
  const line = {
    ...{ seed, runs, refused, mostOfBound: rounded(worst.most.ratio), leastUsed: rounded(worst.used.ratio) },
    fleets: { mostOfBound: worst.most.fleet, leastUsed: worst.used.fleet },
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  return worst.most.ratio <= 1 && refused === 0;
}

async function withoutTotal(): Promise<boolean> {
  const judged: (AutoJudged & { readonly meteredIn: string; readonly ofBounds: number; readonly fleet: string })[] = [];
  for (const fleet of fc.sample(anyAutoFleet, { seed, numRuns: runs })) {
    const result = judgeAuto(fleet, await runFleet(fleet));
    const { throttled, used, learning } = result;
    const shares = [throttled / mostThrottled(fleet), leastUsed(fleet) / used, learning / mostWhileLearning(fleet)];
    const { meteredIn } = fleet.service;
    judged.push({ ...result, meteredIn, ofBounds: Math.max(...shares), fleet: JSON.stringify(fleet) });
  }
  for (const [meteredIn, found] of Map.groupBy(judged, (each) => each.meteredIn)) {
    const spread = (of: (each: AutoJudged) => number) => {
      const sorted = found.map(of).sort((a, b) => a - b);
      return [0, 0.5, 0.95, 1].map((share) => rounded(sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN));
    };
    const [worst] = found.toSorted((a, b) => b.ofBounds - a.ofBounds);
    const line = {
      ...{ seed, meteredIn, fleets: found.length, columns: 'least, median, 95%, most' },
      ...{ throttled: spread(({ throttled }) => throttled), used: spread(({ used }) => used) },
      throttledWhileLearning: spread(({ learning }) => learning),
      ...{ mostOfBounds: rounded(worst?.ofBounds ?? 0), fleet: worst?.fleet },
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  return judged.every(({ ofBounds }) => ofBounds <= 1);
}

process.exitCode = (await (values.auto ? withoutTotal() : underTotals())) ? 0 : 1;
