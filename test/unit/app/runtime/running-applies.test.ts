import { expect, it, onTestFinished } from 'vitest';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { asRunningApply, runningApplies } from '../../../../shared/app/runtime/running-applies.ts';
import { NOW, policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

it('a run is shown with its actor and its changes while it is under way', async () => {
  const policy = policyOf('computeOptimizer: Active');
  const shop = await Workshop.open({ policy, members: 2 });
  onTestFinished(() => shop.close());
  const deps = { ...shop.deps(), actor: 'arn:aws:iam::123456789012:user/ops team' };
  const run = shop.run();
  const { actor } = deps;
  await asRunningApply(deps, run.runId, async () => {
    expect(await runningApplies(deps)).toEqual([{ actor, since: NOW, planned: null }]);
    await new RunStore(deps.registers).begin(run, { startedAt: NOW, accountsInScope: 2, planned: 107 });
    expect(await runningApplies(deps)).toEqual([{ actor, since: NOW, planned: 107 }]);
  });
  expect(await runningApplies(deps)).toEqual([]);
});
