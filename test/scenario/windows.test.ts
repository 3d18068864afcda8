import { describe, expect, it } from 'vitest';
import { startWorld } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const HOUR_MS = 3_600_000;
/** The world begins on a Monday, 09:00 UTC. */
const AFTERNOON = 'schedule: 12h\nwindows: [{ kind: allow, cron: "0 14 * * *", duration: 2h }]';
const OPENS = '2026-11-02T14:00:00.000Z';
const ALL = '{ maxChanges: { percent: 100, atLeast: 10 } }';

describe('a closed window', () => {
  it('delays drift until it opens, without another scan', async () => {
    const world = await startWorld({
      sandbox: { accounts: 20, drift: 0.3 },
      policy: { guardrails: ALL, more: AFTERNOON },
    });
    const plan = await world.plan();
    expect(plan.due).toEqual([]);
    expect(plan.changes.length).toBeGreaterThan(2);
    for (const change of plan.changes) {
      expect(change).toMatchObject({ verdict: 'Blocked', reason: 'window', action: 'none', notBefore: OPENS });
      expect(change.heldAction).toBe('UpdateEnrollmentStatus');
    }
    const run = await world.run();
    expect(run.changes).toMatchObject({ attempted: 0, blocked: plan.changes.length });
    expect(run.plan.planHash).toBe(plan.planHash);
    expect(run.open[0]).toMatchObject({ reason: 'window', notBefore: OPENS });
    expect(world.wire.mutating).toEqual([]);

    const app = await world.app();
    world.clock.advanceTo(Date.parse(OPENS) - 60_000);
    expect(await world.work(app)).toBe(0);
    world.clock.advanceTo(Date.parse(OPENS));
    expect(await world.work(app)).toBe(plan.changes.length);
    expect(world.wire.mutating.length).toBe(plan.changes.length);
    await checkWorld(world);
  });

  it('is awaited within --wait', async () => {
    const world = await startWorld({
      sandbox: { accounts: 20, drift: 0.3 },
      policy: { guardrails: ALL, more: AFTERNOON },
    });
    const run = await world.run({ waitMs: 6 * HOUR_MS });
    expect(run.open).toEqual([]);
    expect(run.changes.succeeded).toBe(run.plan.changes.length);
    expect(Math.min(...world.wire.mutating.map(({ at }) => at))).toBeGreaterThanOrEqual(Date.parse(OPENS));
    await checkWorld(world);
  });

  it('trips a cap with the delayed changes, because nothing is planned again at its opening', async () => {
    const world = await startWorld({
      sandbox: { accounts: 40, drift: 0.5 },
      policy: { guardrails: '{ maxChanges: { percent: 0, atLeast: 3 } }', more: AFTERNOON },
    });
    expect((await world.run()).plan.trip?.reason).toBe('maxChanges');
    const app = await world.app();
    world.clock.advanceTo(Date.parse(OPENS));
    await world.work(app);
    expect(world.wire.mutating).toEqual([]);
    await checkWorld(world, { openDrift: () => true });
  });

  it('that closes during a run lets the present call end, and no other begin', async () => {
    const world = await startWorld({
      sandbox: { accounts: 20, drift: 0.8 },
      policy: {
        guardrails: ALL,
        concurrency: 2,
        more: 'schedule: 12h\nwindows: [{ kind: deny, cron: "0 10 * * *", duration: 1h }]',
      },
    });
    const closes = Date.parse('2026-11-02T10:00:00.000Z');
    let seen = 0;
    const run = await world.run({
      onProgress: ({ kind }) => {
        if (kind === 'worked' && ++seen === 3) world.clock.advanceTo(closes);
      },
    });
    expect(run.changes.blocked).toBeGreaterThan(0);
    expect(run.changes.succeeded).toBeGreaterThanOrEqual(3);
    expect(
      run.open.every(({ reason, notBefore }) => reason === 'window' && notBefore === '2026-11-02T11:00:00.000Z'),
    ).toBe(true);
    const calls = world.calls('UpdateEnrollmentStatus');
    const app = await world.app();
    world.clock.advanceTo(closes + HOUR_MS);
    await world.work(app);
    expect(world.calls('UpdateEnrollmentStatus')).toBeGreaterThan(calls);
    await checkWorld(world);
  });
});
