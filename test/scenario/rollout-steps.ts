import { expect } from 'vitest';
import { type RolloutView, rolloutView } from '../../shared/app/guardrails/rollout-gate.ts';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import { startWorld, type World } from '../support/world.ts';
import type { PolicyParts } from '../support/world-policy.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const HELD = { openDrift: () => true };

export const staged = (wait = '30m', match = '{ ou: /Canary }'): PolicyParts => ({
  more: `rollout: { canary: { match: ${match}, wait: ${wait} } }`,
});

export async function adopting(policy: PolicyParts = staged()): Promise<World> {
  const world = await startWorld({ sandbox: { accounts: 40, drift: 1, seed: 2 }, policy });
  expect(canaries(world).length).toBeGreaterThan(0);
  return world;
}

export const canaries = (world: World) => world.members(({ ou }) => ou === '/Canary').map(({ accountId }) => accountId);
export const others = (world: World) => world.members(({ ou }) => ou !== '/Canary').map(({ accountId }) => accountId);
export const callers = (world: World) => new Set(world.wire.mutating.map(({ caller }) => caller));

export const gateOf = (world: World): Promise<RolloutView | null> =>
  world.look(({ registers }) => rolloutView(registers));

export const told = async (world: World): Promise<string[]> => {
  const chain = await world.look(({ ledger }) => ledger.read(ORGANIZATION_CHAIN, 0, 1_000));
  return chain.flatMap(({ type, reason }) =>
    type === 'RolloutAdvanced' || type === 'GuardrailTripped' ? [`${type} ${reason}`] : [],
  );
};

/** The daemon's work between scans, in a separate process: two ticks a minute apart, with a check of the canaries between them. */
export async function tick(world: World, parts: Parameters<World['app']>[0] = {}): Promise<void> {
  const app = await world.app(parts);
  await world.work(app);
  world.clock.advance(MINUTE);
  await world.work(app);
  await world.stop(app);
}
