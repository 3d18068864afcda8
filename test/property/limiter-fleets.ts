import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { runFleet } from '../support/limiter-fleet.ts';
import { anyFleet, judge } from '../support/limiter-fleets.ts';

/*
 * node test/property/limiter-fleets.ts [--runs 20000] [--seed N]
 *
 * Runs this many random fleets of workers in virtual time, like the property test. Prints how close the busiest second came to the proven bound, and the
 * smallest use of the budget. Exits 1 if a fleet breaks the bound.
 */

const { values } = parseArgs({ options: { runs: { type: 'string', default: '20000' }, seed: { type: 'string' } } });
const runs = Number(values.runs);
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const worst = { most: { ratio: 0, fleet: '' }, used: { ratio: Number.POSITIVE_INFINITY, fleet: '' } };
let refused = 0;
for (const fleet of fc.sample(anyFleet, { seed, numRuns: runs })) {
  const result = await runFleet(fleet);
  const { most, used } = judge(fleet, result);
  if (most > worst.most.ratio) worst.most = { ratio: most, fleet: JSON.stringify(fleet) };
  if (used !== null && used < worst.used.ratio) worst.used = { ratio: used, fleet: JSON.stringify(fleet) };
  refused += result.workers.filter((worker) => worker.refused.length > 0).length;
}
const rounded = (ratio: number): number => Math.round(ratio * 1_000) / 1_000;
const line = {
  ...{ seed, runs, refused, mostOfBound: rounded(worst.most.ratio), leastUsed: rounded(worst.used.ratio) },
  fleets: { mostOfBound: worst.most.fleet, leastUsed: worst.used.fleet },
};
process.stdout.write(`${JSON.stringify(line)}\n`);
process.exitCode = worst.most.ratio > 1 || refused > 0 ? 1 : 0;
