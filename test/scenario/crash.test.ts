import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { databasePath } from '../../shared/adapters/embedded/file.ts';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import { type Ended, spawnRun } from '../support/world-process.ts';

const POLICY = { automation: 'Active', organizationRules: 'AnyAllowed' };

function fail(message: string): never {
  throw new Error(message);
}

/** Ends a process at its `nth` call, before or after that takes effect, and without an answer either way. */
async function killedAt(world: World, nth: number, effect: 'before' | 'after', mutating: boolean): Promise<void> {
  const { wire } = world;
  const run = spawnRun(world);
  let seen = 0;
  wire.onCall = ({ operation }) => {
    // Its other calls in flight end with it.
    if (seen === nth) return 'reset';
    if (!mutating || /^(Update|Associate|Disassociate)/.test(operation)) seen += 1;
    if (seen < nth) return undefined;
    run.kill();
    return effect === 'before' ? 'reset' : undefined;
  };
  const { signal, stderr } = await run.ended;
  wire.onCall = null;
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
}

describe('a process that is killed during a run', () => {
  it.each([
    ['its 3rd call, while it still reads', 3, 'after', false],
    ['its 1st change, before it takes effect', 1, 'before', true],
    ['its 1st change, after it took effect', 1, 'after', true],
    ['its 6th change, before it takes effect', 6, 'before', true],
    ['its 9th change, after it took effect', 9, 'after', true],
  ] as const)('at %s: the next one finds out what happened, and converges', async (_, nth, effect, mutating) => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0.3 }, policy: POLICY });
    await killedAt(world, nth, effect, mutating);
    const unanswered = world.wire.mutating[nth - 1]?.accounts ?? [];
    const run = await world.run({ waitMs: 600_000 });
    expect(run.open).toEqual([]);
    const chains = await checkWorld(world);
    for (const { truth, intentId } of mutating ? unanswered : []) {
      const outcome = chains.get(truth.accountId)?.find(({ detail }) => detail?.intentId === intentId);
      expect(outcome?.type).toBe(effect === 'after' ? 'RemediationSucceeded' : 'RemediationFailed');
      expect(outcome?.detail?.message).toMatch(/^recovered:/);
    }
  });

  it('twice in a row at random times also loses nothing', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0.5, seed: 7 }, policy: POLICY });
    for (const nth of [41, 67]) await killedAt(world, nth, 'after', false);
    const run = await world.run({ waitMs: 600_000 });
    expect(run.open).toEqual([]);
    await checkWorld(world);
  });
});

describe('a daemon that is killed during a scan', () => {
  it('is followed by the next one once its lease has expired; the next one reports how long it waits', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0.3 }, policy: POLICY, speed: 5 });
    const { wire, clock } = world;
    const first = spawnRun(world, { serves: true });
    const [killedAt] = await new Promise<readonly [number]>((resolve) => {
      wire.onCall = ({ operation }) => {
        if (!operation.startsWith('ListAccounts')) return undefined;
        wire.onCall = null;
        first.kill();
        resolve([clock.now()]);
        return 'reset';
      };
    });
    expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });
    const second = spawnRun(world, { serves: true });
    const continuedAt = await new Promise<number>((resolve) => {
      wire.onCall = ({ operation }) => {
        if (operation.startsWith('ListAccounts')) resolve(clock.now());
        return undefined;
      };
    });
    wire.onCall = null;
    second.kill();
    const { stdout } = await second.ended;
    const waited = /^waiting (\{.*\})$/m.exec(stdout)?.[1] ?? fail(`it says nothing: ${stdout}`);
    const { state, until } = z.object({ state: z.string(), until: z.iso.datetime() }).parse(JSON.parse(waited));
    expect(state).toBe('running');
    // A lease of one minute, plus at most one check of the schedule.
    expect(Date.parse(until) - killedAt).toBeLessThanOrEqual(60_000);
    expect(continuedAt).toBeGreaterThanOrEqual(Date.parse(until));
    expect(continuedAt - killedAt).toBeLessThan(120_000);
  });
});

describe('leftovers of a killed process', () => {
  it('an intent for an account that has closed since is closed, and delays nothing', async () => {
    const world = await startWorld({ sandbox: { accounts: 30, drift: 0.3 } });
    await killedAt(world, 1, 'before', true);
    const [{ truth, intentId } = fail('nothing was tried')] = world.wire.mutating[0]?.accounts ?? [];
    world.sandbox.changeAccounts({ update: [{ accountId: truth.accountId, state: 'SUSPENDED' }] });
    world.clock.advance(600_000);
    const run = await world.run({ waitMs: 600_000 });
    expect(run.open).toEqual([]);
    const chains = await checkWorld(world);
    const outcome = chains.get(truth.accountId)?.find(({ detail }) => detail?.intentId === intentId);
    expect(outcome?.detail?.message).toMatch(/^recovered: .* was closed since/);
    expect((await world.records()).get(truth.accountId)?.conditions.computeOptimizer?.verdict).toBe('NotApplicable');
  });

  it('a record behind its chain is caught up, even if its account has left', async () => {
    const world = await startWorld({ sandbox: { accounts: 30, drift: 0.3 }, policy: { mode: 'alert' } });
    await world.run();
    const { accountId } = world.member(({ computeOptimizer }) => computeOptimizer.status === 'Inactive');
    // As if the process had ended between the entry and its record.
    const db = new DatabaseSync(databasePath(world.dataDir));
    expect(db.prepare('DELETE FROM records WHERE account_id = ?').run(accountId).changes).toBe(1);
    db.close();
    world.sandbox.changeAccounts({ remove: [accountId] });
    world.clock.advance(600_000);
    await world.run();
    const chains = await checkWorld(world, { openDrift: (id) => id !== accountId });
    expect(chains.get(accountId)?.at(-1)?.type).toBe('AccountLeft');
  });
});

describe('two processes on one data directory', () => {
  it('share the work, never scan concurrently, and repeat no call', async () => {
    const world = await startWorld({ sandbox: { accounts: 150, drift: 0.4, latencyMs: 5 }, policy: POLICY });
    const runs: readonly Ended[] = await Promise.all([1, 2].map(() => spawnRun(world, { waitMs: 5_000 }).ended));
    for (const { code, stderr } of runs) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const chains = await checkWorld(world);
    const scans = (chains.get(ORGANIZATION_CHAIN) ?? []).filter(({ type }) => type.startsWith('Scan'));
    expect(scans.map(({ type }) => type)).toEqual(['ScanStarted', 'ScanCompleted', 'ScanStarted', 'ScanCompleted']);
    expect(scans[1]?.runId).toBe(scans[0]?.runId);
    expect(scans[3]?.runId).toBe(scans[2]?.runId);
    // They did work at the same time: the first was not done when the second scanned.
    const intents = [...chains.values()].flat().filter(({ type }) => type === 'RemediationStarted');
    expect(intents.length).toBeGreaterThan(50);
    expect(intents.filter(({ at }) => at > (scans[2]?.at ?? '')).length).toBeGreaterThan(5);
  });
});
