import { expect, it } from 'vitest';
import { functionsOf } from './functions.ts';
import { deploy } from './support.ts';

const DAY = 86_400_000;

it('the tick writes and publishes one digest per day, and prunes entries older than the retention', async () => {
  const world = await deploy({ sandbox: { accounts: 4, drift: 0 } });
  world.writePolicy({ more: 'retention: 1d' });
  const { tick, scan } = functionsOf(world);
  await tick();
  await scan();
  world.clock.advance(60_000);
  const first = await tick();
  world.clock.advance(60_000);
  const second = await tick();
  world.clock.advance(3 * DAY);
  const later = [await tick(), await tick()];
  // The ledger was empty at the first tick.
  expect(first).toMatchObject({ digest: expect.stringMatching(/^[0-9a-f]{64}$/), pruned: 0 });
  expect(second).toMatchObject({ digest: null, pruned: 0 });
  expect(later.map(({ digest }) => digest === null)).toEqual([false, true]);
  expect(later.reduce((sum, { pruned }) => sum + pruned, 0)).toBeGreaterThan(4);
  const published = world.events('Digest Published');
  expect(published.length).toBeGreaterThanOrEqual(1);
  expect(world.events('Chain Pruned').length).toBeGreaterThanOrEqual(1);
});
