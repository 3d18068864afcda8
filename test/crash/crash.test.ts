import { once } from 'node:events';
import { mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AwsStores } from '../../shared/adapters/aws/store.ts';
import { verifyLedger } from '../../shared/app/queries/audit/verify.ts';
import { chanceOf, seedOf } from '../fuzz/chance.ts';
import { SHORT_TIMES } from '../support/aws-worker-parts.ts';
import { type AwsWorld, type Spawned, startAwsWorld } from '../support/aws-world.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld, ledgerFaults, readChains } from '../support/world-checks.ts';
import { policyText } from '../support/world-policy.ts';
import { spawnRun } from '../support/world-process.ts';

/*
 * SIGKILL after a random number of observable actions of a process: calls, and writes to its disk or table. The test observes writes while the
 * process continues, so it is killed between calls as well (test/scenario/crash.test.ts kills at calls).
 * `npm run crash -- --times 200 --seed S` runs more of them.
 */
const TIMES = Number(process.env['CRASH_TIMES'] ?? 4);
const SEED = Number(process.env['CRASH_SEED'] ?? 1);
const KILLS_PER_WORLD = 5;
const TIMEOUT_MS = 120_000 + TIMES * 15_000;
const POLICY = { automation: 'Active', organizationRules: 'AnyAllowed' };

/** The number of kills in each world. They add up to the share `part` of all kills. */
function worlds(part: number): readonly (readonly [world: number, kills: number])[] {
  const all = Math.max(1, Math.round(TIMES * part));
  return Array.from({ length: Math.ceil(all / KILLS_PER_WORLD) }, (_, n) => {
    return [n, Math.min(KILLS_PER_WORLD, all - n * KILLS_PER_WORLD)] as const;
  });
}

/**
 * Kills a process after `signs` observable actions (calls, writes to the disk), or at the next one once every account is enrolled, because few
 * follow then. @returns whether the process was still running
 */
async function killAtRandom(world: World, serves: boolean, signs: number): Promise<boolean> {
  const run = spawnRun(world, { serves, waitMs: 60_000 });
  await new Promise<void>((resolve) => {
    run.process.stdout?.once('data', () => resolve());
    void run.ended.then(() => resolve());
  });
  let left = signs;
  const sign = (): void => {
    left -= 1;
    if (left <= 0 || world.members(({ computeOptimizer }) => computeOptimizer.status !== 'Active').length === 0)
      run.kill();
  };
  const writes = watch(world.dataDir, sign);
  world.wire.onCall = () => void sign();
  const { signal, stderr } = await run.ended;
  world.wire.onCall = null;
  writes.close();
  expect(stderr).toBe('');
  return signal === 'SIGKILL';
}

describe('SIGKILL at any moment, embedded', () => {
  it.each(worlds(0.8))(
    'world %i, %i times: the ledger verifies after each, and the next run loses nothing',
    async (number, kills) => {
      const chance = chanceOf(seedOf('embedded', SEED, number));
      const world = await startWorld({ sandbox: { accounts: 60, drift: 0.4, seed: SEED + number }, policy: POLICY });
      // Each account drifts once, because an account that drifts repeatedly within a day becomes contested.
      const untouched = world.members(({ computeOptimizer }) => computeOptimizer.status === 'Active');
      for (let done = 0; done < kills; ) {
        // A process that was not killed has converged, so new drift is needed.
        if (await killAtRandom(world, chance.oneIn(2), chance.below(chance.oneIn(3) ? 400 : 120))) done += 1;
        const { fault } = await world.look((store) => verifyLedger(store.ledger, store.records));
        expect({ done, fault }).toEqual({ done, fault: null });
        const changes = untouched.splice(0, 3).map(({ accountId }) => {
          return { accountId, enrollment: 'computeOptimizer', status: 'Inactive' } as const;
        });
        world.sandbox.drift({ changes });
        world.clock.advance(chance.below(2) * 900_000);
      }
      // Opting out of Compute Optimizer ends Automation as well. A day later the cool-down is over.
      world.clock.advance(25 * 3_600_000);
      const run = await world.run({ waitMs: 3_600_000 });
      expect(run.open).toEqual([]);
      const chains = await checkWorld(world, { repeatedCalls: true });
      const intents = [...chains.values()].flat().filter(({ type }) => type === 'RemediationStarted');
      expect(intents.length).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});

/** The time between a kill and the next process. After it another process takes over the scan (`shared/app/schedule/scan-schedule.ts`). */
const SILENCE_MS = 17 * 60_000;

/**
 * Starts the processes to kill: first the two commands, then workers whose clocks run ahead, so that claims of killed processes have expired.
 */
function starting(world: AwsWorld, text: string, number: number): (done: number) => Promise<Spawned> {
  const cwd = mkdtempSync(join(tmpdir(), 'rollcall-crash-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(join(cwd, 'rollcall.yaml'), text);
  return async (done) => {
    if (done < 2) {
      const serves = (done + number) % 2 === 0;
      const spawned = world.cli([...(serves ? ['serve'] : ['apply', '--yes']), '--store', 'aws'], cwd);
      await Promise.race([
        serves ? spawned.ready : once(spawned.process.stderr ?? spawned.process, 'data'),
        spawned.ended,
      ]);
      return spawned;
    }
    const worker = world.worker({ policyText: text, aheadMs: done * SILENCE_MS });
    await worker.ready;
    return worker;
  };
}

/** As long as the workers' own. */
const HIDDEN_S = SHORT_TIMES.visibilityMs / 1_000;

const open = ({ running }: AwsWorld): number =>
  running.sandbox
    .accounts()
    .filter(({ state, computeOptimizer }) => state === 'ACTIVE' && computeOptimizer.status !== 'Active').length;

async function notConverged(world: AwsWorld, stores: AwsStores): Promise<string | null> {
  if (open(world) > 0) return `${open(world)} accounts are not Active`;
  const faults = ledgerFaults(await readChains(stores), { repeatedCalls: true });
  return faults.length === 0 ? null : String(faults[0]);
}

describe('SIGKILL at any moment, aws', () => {
  it.each(worlds(0.2))(
    'world %i, %i times: the ledger verifies after each, and the next worker loses nothing',
    async (number, kills) => {
      const chance = chanceOf(seedOf('aws', SEED, number));
      const world = await startAwsWorld({ accounts: 30, drift: 0.6, seed: SEED + number });
      const text = policyText({ callsPerSecond: 1_000, concurrency: 8 });
      // Messages are invisible for two minutes. Those of a killed command must return while a process still waits for them.
      world.queueDoor.decide = ({ operation, body }) =>
        operation === 'ReceiveMessage' ? { kind: 'pass', body: { ...body, VisibilityTimeout: HIDDEN_S } } : undefined;
      const stores = await world.look();
      const start = starting(world, text, number);
      for (let done = 0; done < kills; done += 1) {
        const { process, ended } = await start(done);
        let alive = true;
        void ended.finally(() => {
          alive = false;
        });
        for (let left = chance.below(chance.oneIn(3) ? 400 : 120); alive && left > 0 && open(world) > 0; left -= 1)
          await Promise.race([world.activity.next(), ended]);
        process.kill('SIGKILL');
        const { signal, code, stderr } = await ended;
        // An `apply` may already have ended.
        expect(signal === 'SIGKILL' || code === 0, stderr).toBe(true);
        expect((await verifyLedger(stores.ledger, stores.records)).fault).toBeNull();
      }
      const last = world.worker({ policyText: text, aheadMs: kills * SILENCE_MS });
      await last.ready;
      await world.activity.until(() => notConverged(world, stores));
      last.process.kill('SIGTERM');
      await last.ended;
      expect((await verifyLedger(stores.ledger, stores.records)).fault).toBeNull();
      expect(world.mutating.length).toBeGreaterThan(0);
      expect(world.mutating.filter(({ intended }) => !intended)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
