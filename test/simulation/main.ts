import { parseArgs } from 'node:util';
import { History, type Verdict } from './history.ts';

/*
 * `npm run simulate -- --seeds N [--from SEED]` lives N histories and says which broke an invariant; `--seed S` lives one and prints its trace.
 */

async function one(seed: number, trace: boolean): Promise<Verdict> {
  return new History(seed, trace).live();
}

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, from: { type: 'string' }, seed: { type: 'string' }, stop: { type: 'boolean' } },
});
if (values.seed !== undefined) {
  const verdict = await one(Number(values.seed), true);
  for (const line of verdict.trace) process.stdout.write(`${line}\n`);
  for (const violation of verdict.violations) process.stdout.write(`VIOLATION ${violation}\n`);
  process.exitCode = verdict.violations.length > 0 ? 1 : 0;
} else {
  const from = Number(values.from ?? 1);
  const count = Number(values.seeds ?? 100);
  const start = performance.now();
  let broken = 0;
  const sums = { calls: 0, entries: 0, deaths: 0, virtualMs: 0 };
  for (let seed = from; seed < from + count; seed += 1) {
    const verdict = await one(seed, false);
    for (const name of ['calls', 'entries', 'deaths', 'virtualMs'] as const) sums[name] += verdict[name];
    if (verdict.violations.length === 0) continue;
    broken += 1;
    process.stdout.write(
      `seed ${seed}: ${verdict.violations.length} violations; the first: ${verdict.violations[0]}\n`,
    );
    if (values.stop) break;
  }
  const seconds = (performance.now() - start) / 1000;
  process.stdout.write(
    `${JSON.stringify({ seeds: count, broken, seconds: Math.round(seconds * 10) / 10, ...sums })}\n`,
  );
  process.exitCode = broken > 0 ? 1 : 0;
}
