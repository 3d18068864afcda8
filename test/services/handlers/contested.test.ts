import { describe, expect, it } from 'vitest';
import { resumeContested } from '../../../shared/app/operator/resume-contested.ts';
import { parseOperatorSelector } from '../../../shared/domain/policy/index.ts';
import { functionsOf } from './functions.ts';
import { deploy } from './support.ts';

const HOUR_MS = 3_600_000;

describe('in the aws runtime', () => {
  it('an account that is reverted three times is contested until it is resumed', async () => {
    const world = await deploy({ sandbox: { accounts: 8, drift: 0 } });
    const { tick, scan, work } = functionsOf(world);
    const { sandbox } = world.sandbox;
    const [member] = sandbox.accounts().filter(({ management, state }) => !management && state === 'ACTIVE');
    const accountId = member?.accountId ?? '';
    const round = async () => {
      world.clock.advance(HOUR_MS);
      await tick();
      await scan();
      for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    };
    const status = () => sandbox.accounts(accountId)[0]?.computeOptimizer.status;
    await round();
    for (const after of ['Active', 'Active', 'Inactive']) {
      sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }] });
      await round();
      expect(status()).toBe(after);
    }
    await tick();
    expect(world.events('Flap Detected')).toMatchObject([{ detail: { accountId, reason: 'contested' } }]);
    const { stores, clock, newId } = await world.compose('tick')();
    const all = parseOperatorSelector('all');
    if (!all.ok) expect.fail(all.message);
    expect(await resumeContested({ ...stores, clock, newId, actor: 'operator' }, all.selector)).toEqual([accountId]);
    world.clock.advance(1_000);
    expect(await tick()).toMatchObject({ keysDue: 1 });
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    expect(status()).toBe('Active');
  });

  it('accounts that waited for Compute Optimizer are associated in one call after the tick releases them', async () => {
    const world = await deploy({
      sandbox: { accounts: 14, drift: 0.9 },
      policy: { automation: 'Active', organizationRules: 'AnyAllowed' },
    });
    const { tick, scan, work } = functionsOf(world);
    const workOff = async () => {
      for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    };
    await tick();
    await scan();
    await workOff();
    world.clock.advance(2_000);
    expect((await tick()).keysDue).toBeGreaterThan(5);
    await workOff();
    const calls = world.sandbox.sandbox.calls().filter(({ operation }) => operation === 'AssociateAccounts');
    // One call for the accounts that were enrolled from the start, one for those that waited.
    expect(calls.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(2);
    const members = world.sandbox.sandbox
      .accounts()
      .filter(({ management, state }) => !management && state === 'ACTIVE');
    expect(members.map(({ automation }) => automation.organizationRuleMode)).toEqual(members.map(() => 'AnyAllowed'));
  });
});
