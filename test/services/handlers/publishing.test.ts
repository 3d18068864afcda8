import { describe, expect, it } from 'vitest';
import { OVERDUE_MS, overdueEntries } from '../../../shared/app/notifications/outbox-state.ts';
import { functionsOf } from './functions.ts';
import { deploy } from './support.ts';

describe('an event bus that refuses entries', () => {
  it.each([
    ['does not exist', 'ResourceNotFoundException'],
    ['denies everything', 'AccessDeniedException'],
  ])('because it %s is counted by every tick, and its entries are published once it takes them', async (_, code) => {
    const world = await deploy({ sandbox: { accounts: 6 } });
    const { tick, scan } = functionsOf(world);
    const stores = (await world.compose('test')()).stores;
    await tick();
    await scan();
    const { sandbox } = world.sandbox;
    sandbox.setFaults([{ service: 'events', operation: 'PutEvents', kind: 'denied', code }]);
    const first = await tick();
    expect(first.published).toBe(0);
    expect(first.refused).toBeGreaterThan(6);
    expect(world.measured.get('EntriesRefused')).toBe(first.refused);
    // Another part of the first tick wrote the day's digest, before or after publishing.
    const second = await tick();
    expect(second.published).toBe(0);
    expect(second.refused).toBeGreaterThanOrEqual(first.refused);
    world.clock.advance(OVERDUE_MS + 60_000);
    const overdue = await overdueEntries(stores, world.clock.now());
    expect(overdue).toMatchObject({ overdue: second.refused, more: false, refusal: { code } });
    sandbox.setFaults([]);
    expect(await tick()).toMatchObject({ published: second.refused, refused: 0 });
    expect(await overdueEntries(stores, world.clock.now())).toBeNull();
  });

  it('reports the number of refused entries even if it is zero', async () => {
    const world = await deploy({ sandbox: { accounts: 6 } });
    await functionsOf(world).tick();
    expect(world.measured.get('EntriesRefused')).toBe(0);
  });
});
