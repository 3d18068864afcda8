/**
 * `npm run fuzz -- [--cases 1000000] [--seed S] [--target NAME] [--from I]`: hostile input for everything that reads input.
 * Each target runs in a separate process and thread with 512 MB. The main process reports a case that does not end. With findings, exit code 1
 * and the input of each.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import * as z from 'zod';
import { LIMIT_BYTES, type Outcome, shared } from './run.ts';
import type { Target } from './target.ts';
import { TARGETS } from './targets/index.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Below the limit by a margin for late garbage collection. A case that needs more ends its thread and is reported. */
const HEAP = { maxOldGenerationSizeMb: 352, maxYoungGenerationSizeMb: 32 };

/** Wall-clock time after which a case counts as endless, with a margin for a busy machine. */
const HANG_MS = 30_000;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    target: { type: 'string' },
    from: { type: 'string', default: '0' },
  },
});
const whole = z.coerce.number().int().min(0);
const [cases, seed, from] = [whole.parse(values.cases), whole.parse(values.seed), whole.parse(values.from)];

const outcomeSchema = z.object({
  target: z.string(),
  cases: z.number(),
  accepted: z.number(),
  refused: z.number(),
  slowestMs: z.number(),
  peakBytes: z.number(),
  found: z.array(z.object({ index: z.number(), message: z.string(), input: z.string(), stack: z.string() })),
});

function broken(target: Target, index: number, message: string): Outcome {
  const found = [{ index, message, input: '', stack: '' }];
  return { target: target.name, cases: index, accepted: 0, refused: 0, slowestMs: 0, peakBytes: 0, found };
}

function inThread(target: Target, count: number): Promise<Outcome> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: { target: target.name, cases: count, seed, from, progress },
    resourceLimits: HEAP,
  });
  return new Promise((resolve) => {
    let last = -2;
    const end = (outcome: Outcome): void => {
      clearInterval(watch);
      resolve(outcome);
    };
    const watch = setInterval(() => {
      const now = Atomics.load(progress, 0);
      if (now === last) {
        end(broken(target, now, `no end after ${HANG_MS / 1_000} s`));
        void worker.terminate();
      }
      last = now;
    }, HANG_MS);
    worker.once('message', (message) => end(outcomeSchema.parse(message)));
    worker.once('error', (error) => end(broken(target, Atomics.load(progress, 0), `${error.name}: ${error.stack}`)));
  });
}

/** One target per process, so that its memory is measured separately. */
function inProcess(target: Target, count: number): boolean {
  const args = ['--cases', String(count), '--seed', String(seed), '--target', target.name, '--from', String(from)];
  return spawnSync(process.execPath, [import.meta.filename, ...args], { stdio: 'inherit' }).status === 0;
}

async function report(target: Target, count: number): Promise<boolean> {
  const began = Date.now();
  const { found, ...counts } = await inThread(target, count);
  const seconds = (Date.now() - began) / 1_000;
  say(JSON.stringify({ ...counts, seed, slowestMs: Math.round(counts.slowestMs), seconds }));
  if (counts.peakBytes > LIMIT_BYTES)
    found.push({ index: -1, message: `${counts.peakBytes} bytes`, input: '', stack: '' });
  for (const { index, message, input, stack } of found) {
    say(`FOUND ${message}\n  replay: --target ${target.name} --seed ${seed} --from ${index} --cases 1`);
    say(`  ${stack.split('\n').slice(0, 6).join('\n  ')}\n  input: ${input.slice(0, 2_000)}`);
  }
  return found.length === 0;
}

const chosen = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
const [only, ...others] = chosen;
if (only === undefined) throw new Error(`--target is one of ${TARGETS.map(({ name }) => name).join(', ')}`);
if (others.length === 0) {
  process.exitCode = (await report(only, cases)) ? 0 : 1;
} else {
  const started = Date.now();
  const clean = shared(chosen, cases).filter(([target, count]) => inProcess(target, count)).length;
  say(`${clean} of ${chosen.length} targets clean after ${Math.round((Date.now() - started) / 1_000)} s`);
  process.exitCode = clean === chosen.length ? 0 : 1;
}
