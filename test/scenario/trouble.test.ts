import { describe, expect, it } from 'vitest';
import { bucketRates } from '../../shared/app/rate-limiter/rate-limiter.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import { gatewayTo } from '../support/world-gateway.ts';

const HOUR_MS = 3_600_000;
const BOTH = { automation: 'Active', organizationRules: 'AnyAllowed' };

/** Does something when the `nth` change is about to take effect. */
function atChange(world: World, nth: number, act: () => void): void {
  let seen = 0;
  world.wire.onCall = ({ operation }) => {
    if (/^(Update|Associate)/.test(operation)) seen += 1;
    if (seen === nth) {
      seen += 1;
      act();
    }
    return undefined;
  };
}

describe('throttling', () => {
  it('slows down only the throttled operation, which speeds up again afterwards', async () => {
    const world = await startWorld({
      sandbox: {
        accounts: 70,
        drift: 0.9,
        faults: [{ operation: 'UpdateEnrollmentStatus', kind: 'throttle', from: 10, count: 12 }],
      },
      policy: { callsPerSecond: 400, concurrency: 32 },
    });
    const app = await world.app();
    const samples: Promise<Record<string, number>>[] = [];
    world.wire.onAnswer = () => {
      samples.push(bucketRates(app.deps.registers));
      return undefined;
    };
    const run = await world.apply(app, { waitMs: 24 * HOUR_MS });
    expect(run.open).toEqual([]);
    const rates = await Promise.all(samples);
    const drops = (name: string): number =>
      rates.filter((rate, index) => (rate[name] ?? 0) < (rates[index - 1]?.[name] ?? 0)).length;
    expect(drops('compute-optimizer:UpdateEnrollmentStatus')).toBeGreaterThan(0);
    for (const name of ['compute-optimizer:GetEnrollmentStatus', 'sts:AssumeRole', 'total'])
      expect(drops(name)).toBe(0);
    const throttled = world.wire.mutating.filter(({ code }) => code === 'ThrottlingException').length;
    expect(throttled).toBe(12);

    const slowed = Math.min(...rates.flatMap((rate) => rate['compute-optimizer:UpdateEnrollmentStatus'] ?? []));
    world.clock.advance(10 * 60_000);
    world.sandbox.drift({ accounts: 5, seed: 2 });
    await world.apply(app);
    const after = await bucketRates(app.deps.registers);
    expect(after['compute-optimizer:UpdateEnrollmentStatus']).toBeGreaterThan(slowed);
    await checkWorld(world);
  });
});

describe('member credentials', () => {
  it('that expire during a run are renewed, and no account is lost', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0.5 } });
    // Only AWS's time moves on: the app believes that its sessions are still good.
    atChange(world, 5, () => world.running.clock.advance(2 * HOUR_MS));
    const run = await world.run();
    expect(run.open).toEqual([]);
    expect(run.changes.failed + run.changes.blocked).toBe(0);
    await checkWorld(world);
  });

  it('are renewed in time if both clocks advance', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.5 } });
    const app = await world.app();
    await world.apply(app);
    const assumed = world.calls('AssumeRole');
    world.clock.advance(2 * HOUR_MS);
    world.sandbox.drift({ accounts: 10, seed: 3 });
    const run = await world.apply(app);
    expect(run.open).toEqual([]);
    expect(world.calls('AssumeRole')).toBe(assumed + 10);
    expect(world.sandbox.calls().reduce((sum, { failed }) => sum + failed, 0)).toBe(0);
    await checkWorld(world);
  });
});

describe('our own credentials', () => {
  it.each([
    ['in the middle of single changes', {}, 4],
    ['at a batch', BOTH, 1],
  ])('refused %s: the run ends with an error, nothing is lost, and the next one converges', async (_, policy, nth) => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0.3 }, policy });
    atChange(world, nth, () => {
      world.wire.onAnswer = ({ roleSession }) =>
        roleSession === undefined
          ? { kind: 'error', error: { code: 'ExpiredTokenException', httpStatus: 403, message: 'expired' }, delayMs: 0 }
          : undefined;
    });
    await expect(world.run()).rejects.toMatchObject({
      name: 'CloudError',
      details: { kind: 'Unauthenticated', code: 'ExpiredTokenException' },
    });
    world.wire.onAnswer = null;
    world.wire.onCall = null;
    const run = await world.run({ waitMs: HOUR_MS });
    expect(run.open).toEqual([]);
    await checkWorld(world, { repeatedCalls: true });
  });
});

describe('an endpoint that goes down', () => {
  it('during a run: nothing is lost, and the next run converges', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0.4 }, policy: BOTH });
    const gateway = await gatewayTo(world);
    atChange(world, 6, gateway.shut);
    const run = await world.run({ endpoint: gateway.endpoint, settings: { retryBudgetMs: 300 }, waitMs: 0 });
    expect(run.open.length).toBeGreaterThan(5);
    expect(run.open.some(({ message }) => message?.includes('ECONNREFUSED'))).toBe(true);
    // Completely unreachable: reported immediately.
    await expect(world.run({ endpoint: gateway.endpoint, settings: { retryBudgetMs: 300 } })).rejects.toThrow(
      /ECONNREFUSED/,
    );
    await gateway.open();
    world.wire.onCall = null;
    world.clock.advance(HOUR_MS);
    const next = await world.run({ endpoint: gateway.endpoint, waitMs: HOUR_MS });
    expect(next.open).toEqual([]);
    await checkWorld(world, { repeatedCalls: true });
  });
});

describe('a disk that fills up', () => {
  it.each([
    ['while the scan is recorded', 60],
    ['in the middle of the changes', 195],
  ])('%s: said clearly, nothing that was acknowledged is lost, and the next run converges', async (_, maxPages) => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0.9 }, policy: BOTH });
    const failed = world.run({ maxPages });
    await expect(failed).rejects.toMatchObject({ name: 'StoreError', code: 'DiskFull' });
    await expect(failed).rejects.toThrow(/the disk is full\. Nothing that was acknowledged is lost/);
    const before = world.wire.mutating.length;
    const run = await world.run({ waitMs: HOUR_MS });
    expect(run.open).toEqual([]);
    if (maxPages > 100) expect(before).toBeGreaterThan(2);
    await checkWorld(world, { repeatedCalls: true });
  });
});
