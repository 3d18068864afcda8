import { describe, expect, it } from 'vitest';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const sandbox = { accounts: 60, drift: 0, configurationDelayMs: 5_000, tagIndexDelayMs: 12 * 60 * 60_000 } as const;
const AUTOMATION = { automation: 'Active', organizationRules: 'AnyAllowed' } as const;
const rule = (what: string, match = 'tags: { env: dev }') => `rules: [{ id: dev, match: { ${match} }, ${what} }]`;

/** Changes the tags of some accounts with `env: dev`, which the index of the Tagging API does not show yet. */
function retag(world: World, count = 5) {
  const tagged = world.members(({ tags, state }) => tags['env'] === 'dev' && state === 'ACTIVE');
  const ids = tagged.map(({ accountId }) => accountId).sort();
  const retagged = ids.slice(0, count);
  world.sandbox.changeAccounts({ update: retagged.map((accountId) => ({ accountId, tags: { env: 'prod' } })) });
  expect([retagged.length, ids.length > 2 * count]).toEqual([count, true]);
  return { retagged, kept: ids.filter((id) => !retagged.includes(id)) };
}

const statesOf = (world: World, ids: readonly string[]) =>
  world
    .members(({ accountId }) => ids.includes(accountId))
    .map(({ computeOptimizer, automation }) => `${computeOptimizer.status} ${automation.organizationRuleMode}`);
const all = (ids: readonly string[], state: string) => ids.map(() => state);
const tagReads = (world: World) =>
  world.sandbox
    .calls()
    .filter(({ operation }) => operation === 'ListTagsForResource')
    .reduce((sum, { count }) => sum + count, 0);

describe('accounts whose tags the index shows as they were before', () => {
  it('are not opted out one by one', async () => {
    const world = await startWorld({ sandbox });
    await world.run();
    const { retagged, kept } = retag(world);
    await world.run({ policy: { more: rule('computeOptimizer: Inactive') } });
    expect(statesOf(world, retagged)).toEqual(all(retagged, 'Active NoneAllowed'));
    expect(statesOf(world, kept)).toEqual(all(kept, 'Inactive NoneAllowed'));
    expect(tagReads(world)).toBeLessThanOrEqual(2 * (retagged.length + kept.length));
    await checkWorld(world);
  });

  it('are not disassociated in a batch', async () => {
    const world = await startWorld({ sandbox, policy: AUTOMATION });
    await world.run();
    const { retagged, kept } = retag(world);
    await world.run({ policy: { ...AUTOMATION, more: rule('organizationRules: NoneAllowed') } });
    expect(statesOf(world, retagged)).toEqual(all(retagged, 'Active AnyAllowed'));
    expect(statesOf(world, kept)).toEqual(all(kept, 'Active NoneAllowed'));
    await checkWorld(world);
  });

  it('do not get a configuration that opts them out', async () => {
    const policy = { ...AUTOMATION, automationConfigurations: 'manage' } as const;
    const world = await startWorld({ sandbox, policy });
    await world.run();
    const { retagged, kept } = retag(world, 2);
    // The ids exclude accounts that join later, so the root keeps its configuration, and these accounts get their own.
    const ids = [...retagged, ...kept].map((id) => `"${id}"`).join(', ');
    const match = `accounts: [${ids}], tags: { env: dev }`;
    await world.run({ policy: { ...policy, more: rule('organizationRules: NoneAllowed', match) } });
    expect(statesOf(world, retagged)).toEqual(all(retagged, 'Active AnyAllowed'));
    expect(statesOf(world, kept)).toEqual(all(kept, 'Active NoneAllowed'));
    const ofAccounts = world.sandbox.configurations().filter(({ targetId }) => /^\d+$/.test(targetId));
    expect(ofAccounts.map(({ targetId }) => targetId).sort()).toEqual(kept);
    await checkWorld(world);
  });
});
