import { describe, expect, it } from 'vitest';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import { type Ended, spawnRun } from '../support/world-process.ts';

const POLICY = { automation: 'Active', organizationRules: 'AnyAllowed' };

/** Ends a process at its `nth` call, before or after that takes effect, and without an answer either way. */
async function killedAt(world: World, nth: number, effect: 'before' | 'after', mutating: boolean): Promise<void> {
  const { wire } = world;
  const run = spawnRun(world);
  let seen = 0;
  wire.onCall = ({ operation }) => {
    // What it had sent besides dies with it.
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

describe('a process that is killed in the middle of a run', () => {
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

  it('twice in a row, at moments that chance picks, loses nothing either', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0.5, seed: 7 }, policy: POLICY });
    for (const nth of [41, 67]) await killedAt(world, nth, 'after', false);
    const run = await world.run({ waitMs: 600_000 });
    expect(run.open).toEqual([]);
    await checkWorld(world);
  });
});

describe('two processes on one data directory', () => {
  it('share the work, never scan at once, and make no call twice', async () => {
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
