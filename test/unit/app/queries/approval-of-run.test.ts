import { afterEach, expect, test } from 'vitest';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { approve } from '../../../../shared/app/guardrails/approvals.ts';
import { showRun } from '../../../../shared/app/queries/runs.ts';
import { DAY, policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

const CAPPED = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 0, atLeast: 2 } }');
const MEMBERS = 6;

let shop: Workshop;
afterEach(() => shop.close());

async function tripped(): Promise<string> {
  shop = await Workshop.open({ policy: CAPPED, members: MEMBERS });
  return (await shop.scan()).planHash;
}

const give = (hash: string) => approve(shop.deps(), hash, { actor: 'user:ada', reason: null });
const shown = async (runId: string) =>
  (await showRun(shop.store, shop.clock, runId)) ?? expect.fail(`there is no run ${runId}`);

test('a plan can be approved on the page of its run until it is approved, and again after an unused approval', async () => {
  const hash = await tripped();
  expect((await shown('run-1')).plan).toMatchObject({ approvable: true, approval: null });
  await give(hash);
  expect((await shown('run-1')).plan.approvable).toBe(false);
  await shop.clock.advance(DAY);
  expect((await shown('run-1')).plan).toMatchObject({ approvable: true, approval: { usedBy: null } });
  await give(hash);
});

test('a plan that only changes configurations of somebody else can be approved on the page of its run', async () => {
  const key = 'configuration ou-1 DeleteOrganizationEnrollmentConfiguration  other AnyAllowed';
  shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active'), members: 2 });
  const { planHash, policyHash } = await shop.scan();
  expect((await shown('run-1')).plan).toMatchObject({ approvable: false, configurations: 0 });
  await new RunStore(shop.store.registers).storePlan(planHash, policyHash, [key], shop.clock.now());
  expect(await shown('run-1')).toMatchObject({
    run: { stopped: null },
    plan: { approvable: true, configurations: 1 },
  });
  await give(planHash);
  expect((await shown('run-1')).plan).toMatchObject({ approvable: false, configurations: 1 });
});

test('a plan that is held up again after its approval was used can be approved again', async () => {
  const hash = await tripped();
  await give(hash);
  await shop.scan();
  await shop.workOff(await shop.process());
  // The run that used the approval has the same plan as the one that was stopped.
  for (const runId of ['run-1', 'run-2'])
    expect(await shown(runId)).toMatchObject({ run: { planHash: hash }, plan: { approval: { usedBy: 'run-2' } } });
  expect((await shown('run-1')).plan.approvable).toBe(false);
  await shop.clock.advance(DAY);
  for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: { status: 'Inactive' } });
  expect(await shop.scan()).toMatchObject({ planHash: hash, trip: { reason: 'maxChanges' } });
  expect((await shown('run-3')).plan).toMatchObject({ approvable: true, approval: { usedBy: 'run-2' } });
  await give(hash);
});
