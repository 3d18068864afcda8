import { describe, expect, it } from 'vitest';
import { startWorld } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import { ALL, optOut } from './operator-steps.ts';

describe('exemptions', () => {
  it('are announced, end, and are enforced from then on, without a scan', async () => {
    const world = await startWorld({ sandbox: { accounts: 12, drift: 0 }, policy: ALL });
    const { accountId } = world.member();
    const policy = {
      ...ALL,
      more: `schedule: 30d\nexemptions: [{ accounts: "${accountId}", until: 2026-11-20, reason: freeze, owner: o@example.com }]`,
    };
    await world.run({ policy });
    optOut(world, [accountId]);
    await world.run({ policy });
    await world.run({ policy });
    const app = await world.app({ policy });
    const entries = async () =>
      (await app.deps.ledger.query({ accountId }, { limit: 50, order: 'oldestFirst' })).entries.map(({ type }) => type);
    // The drift is recorded once and not remediated.
    expect(await entries()).toEqual(['AccountJoined', 'VerdictChanged']);
    await world.announce(app);
    expect(await entries()).toHaveLength(2);
    world.clock.advanceTo(Date.parse('2026-11-14T00:00:00Z'));
    await world.announce(app);
    await world.announce(app);
    expect((await entries()).slice(2)).toEqual(['ExemptionExpiring']);
    expect(world.wire.mutating).toEqual([]);
    world.clock.advanceTo(Date.parse('2026-11-21T00:00:00Z'));
    await world.announce(app);
    await world.announce(app);
    await world.work(app);
    const rest = (await entries()).slice(3);
    expect(rest.slice(0, 2)).toEqual(['ExemptionExpired', 'DriftDetected']);
    expect(rest.at(-1)).toBe('DriftResolved');
    expect(world.truthOf(accountId).computeOptimizer.status).toBe('Active');
    await checkWorld(world);
  });
});
