import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import { runTarget } from './run.ts';
import { TARGETS } from './targets/index.ts';

const { target, cases, seed, from, progress } = z
  .object({
    target: z.string(),
    cases: z.number(),
    seed: z.number(),
    from: z.number(),
    progress: z.instanceof(Int32Array),
  })
  .parse(workerData);
const found = TARGETS.find(({ name }) => name === target);
if (found === undefined) throw new Error(`no target ${target}`);
const onCase = (index: number): void => {
  Atomics.store(progress, 0, index);
};
parentPort?.postMessage(await runTarget(found, { cases, seed, from, onCase, stopAtFirst: false }));
