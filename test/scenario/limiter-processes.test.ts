import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { SPAN } from '../../shared/app/rate-limiter/total-budget.ts';
import { CHILD_ENV, childFile } from '../support/children.ts';
import { busiestSecond } from '../support/limiter-fleet.ts';
import { provenMost } from '../support/limiter-fleets.ts';
import { startSimulatedStores, TABLE } from '../support/simulated-stores.ts';

const RATE = 20;
const RESERVE_MS = 1_000;
/** Reservations grow to their full size first. */
const WARM_UP_MS = 2_000;
const KILLED_AT_MS = 8_000;
/** The reservation of the killed process is lost. */
const RECOVERED_AT_MS = KILLED_AT_MS + SPAN * RESERVE_MS;
const END_MS = 18_000;

const line = z.union([z.object({ called: z.number() }), z.object({ sleeps: z.number() })]);

/** A process that calls as fast as the limiter permits, and whose time only this test moves. */
function startWorker(endpoint: string) {
  const parts = { endpoint, table: TABLE, rate: RATE, reserveMs: RESERVE_MS };
  const child = spawn(process.execPath, [childFile('limiter-worker'), JSON.stringify(parts)], {
    env: { ...process.env, ...CHILD_ENV },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const calls: number[] = [];
  let sleepsUntil = 0;
  /** Resolves when the process waits again. */
  const settle = async (): Promise<void> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the process ended');
      const said = line.parse(JSON.parse(value));
      if ('sleeps' in said) {
        sleepsUntil = said.sleeps;
        return;
      }
      calls.push(said.called);
    }
  };
  return {
    calls,
    settle,
    sleepsUntil: () => sleepsUntil,
    async moveTo(time: number): Promise<void> {
      child.stdin.write(`${time}\n`);
      await settle();
    },
    kill: () => child.kill('SIGKILL'),
  };
}

// Three processes and one table, in virtual time. What share of the budget processes use in real time is a figure (`npm run bench -- shared-limiter`).
it('processes share one budget over one table, and go on when one is killed', async () => {
  const stores = await startSimulatedStores();
  onTestFinished(() => stores.close());
  const workers = [1, 2, 3].map(() => startWorker(stores.tableEndpoint));
  const [victim = expect.fail('no worker'), ...survivors] = workers;
  await Promise.all(workers.map(({ settle }) => settle()));
  let alive = workers;
  for (;;) {
    const next = Math.min(...alive.map(({ sleepsUntil }) => sleepsUntil()));
    if (next >= END_MS) break;
    if (next >= KILLED_AT_MS && victim.kill()) alive = survivors;
    await Promise.all(alive.map(({ moveTo }) => moveTo(next)));
  }
  const calls = workers.flatMap((worker) => worker.calls).sort((a, b) => a - b);
  const perSecond = (from: number, to: number): number =>
    calls.filter((at) => at >= from && at < to).length / ((to - from) / 1_000);
  expect(busiestSecond(calls).calls).toBeLessThanOrEqual(provenMost(RATE, 0));
  expect(perSecond(WARM_UP_MS, KILLED_AT_MS)).toBeGreaterThanOrEqual(0.9 * RATE);
  expect(perSecond(RECOVERED_AT_MS, END_MS)).toBeGreaterThanOrEqual(0.9 * RATE);
  for (const { calls: own } of workers) expect(own.filter((at) => at < KILLED_AT_MS).length).toBeGreaterThan(0);
  for (const { calls: own } of survivors) expect(own.filter((at) => at >= RECOVERED_AT_MS).length).toBeGreaterThan(0);
});
