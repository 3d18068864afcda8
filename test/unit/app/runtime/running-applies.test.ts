import { describe, expect, it, onTestFinished } from 'vitest';
import { makeNewId } from '../../../../shared/adapters/system/ids.ts';
import { LEASE_MS } from '../../../../shared/app/context.ts';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { asRunningApply, runningApplies } from '../../../../shared/app/runtime/running-applies.ts';
import { DAY, NOW, policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

it('a run is shown with its actor and its changes while it is under way', async () => {
  const policy = policyOf('computeOptimizer: Active');
  const shop = await Workshop.open({ policy, members: 2 });
  onTestFinished(() => shop.close());
  const deps = { ...shop.deps(), actor: 'arn:aws:iam::123456789012:user/ops team' };
  const run = shop.run();
  const { actor } = deps;
  await asRunningApply(deps, run.runId, async () => {
    expect(await runningApplies(deps)).toEqual([{ actor, since: NOW, planned: null, until: NOW + LEASE_MS }]);
    await new RunStore(deps.registers).begin(run, { startedAt: NOW, accountsInScope: 2, planned: 107 });
    expect(await runningApplies(deps)).toEqual([{ actor, since: NOW, planned: 107, until: NOW + LEASE_MS }]);
  });
  expect(await runningApplies(deps)).toEqual([]);
});

describe('the note of a run', () => {
  const opened = async () => {
    const shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active') });
    onTestFinished(() => shop.close());
    return { shop, deps: shop.deps() };
  };

  it('that cannot be read stops no other run, and is shown until another run begins at least a day later', async () => {
    const { shop, deps } = await opened();
    const unreadable = `lease/apply/${makeNewId(shop.clock)()}`;
    await deps.registers.write(unreadable, { owner: 7 }, null);
    await shop.clock.advance(DAY - 1);
    expect(await asRunningApply(deps, 'run-8', async () => 'done')).toEqual({ result: 'done', warning: null });
    expect(await runningApplies(deps)).toEqual([{ unreadable, until: NOW + DAY }]);
    await shop.clock.advance(1);
    expect(await runningApplies(deps)).toEqual([{ unreadable, until: NOW + DAY }]);
    await asRunningApply(deps, 'run-9', async () => 'done');
    expect(await runningApplies(deps)).toEqual([]);
  });

  it('that cannot be read and names no run is removed by the next run', async () => {
    const { deps } = await opened();
    const unreadable = 'lease/apply/by hand';
    await deps.registers.write(unreadable, 'damaged', null);
    expect(await runningApplies(deps)).toEqual([{ unreadable, until: null }]);
    await asRunningApply(deps, 'run-8', async () => 'done');
    expect(await runningApplies(deps)).toEqual([]);
  });

  it('that cannot be removed does not hide the result of the run', async () => {
    const { shop, deps } = await opened();
    const registers = { ...deps.registers, remove: () => Promise.reject(new Error('disk full')) };
    const ended = await asRunningApply({ ...deps, registers }, 'run-8', async () => 'done');
    expect(ended).toEqual({ result: 'done', warning: expect.stringContaining('disk full') });
    const failed = asRunningApply({ ...deps, registers }, 'run-9', () => Promise.reject(new Error('the run failed')));
    await expect(failed).rejects.toThrow('the run failed');
    await shop.clock.advance(10 * 60_000);
    expect(await runningApplies(deps)).toEqual([]);
  });

  it('that cannot be written does not stop the run', async () => {
    const { deps } = await opened();
    const registers = { ...deps.registers, list: () => Promise.reject(new Error('throttled')) };
    const ended = await asRunningApply({ ...deps, registers }, 'run-8', async () => 'done');
    expect(ended).toEqual({ result: 'done', warning: expect.stringContaining('throttled') });
  });
});
