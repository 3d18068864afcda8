import { afterEach, describe, expect, it } from 'vitest';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { appliedPlan, continuedUntil } from '../../../../shared/app/plan/applied-plans.ts';
import { keysOf } from '../../../../shared/app/plan/change-keys.ts';
import { isAnyLeft } from '../../../../shared/app/scan/later-drifts.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { accountId, Workshop } from '../../../support/workshop.ts';

const CAPPED = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 0, atLeast: 1 } }');
const MEMBERS = 4;

let shop: Workshop;
afterEach(() => shop.close());

/** The plan that a guardrail has stopped, as two files: they have the same hash. */
async function saved() {
  shop = await Workshop.open({ policy: CAPPED, members: MEMBERS });
  const { planHash } = await shop.scan();
  const apply = (savedPlan: string) => shop.scan({ ...shop.run(planHash), savedPlan });
  return { planHash, apply };
}

const revert = async (...numbers: readonly number[]) => {
  await shop.clock.advance(60_000);
  for (const n of numbers) shop.cloud.set(accountId(n), { computeOptimizer: { status: 'Inactive' } });
};

async function leftOf(file: string): Promise<boolean> {
  const applied = await appliedPlan(shop.store.registers, file);
  if (applied === null) return expect.fail(`${file} was not applied`);
  const keys = shop.members.map(({ id }) => `${id} computeOptimizer Active  UpdateEnrollmentStatus`);
  return isAnyLeft(shop.store, keys, applied.at);
}

describe('a saved plan that is applied again', () => {
  it('does not make a change again that somebody has reverted', async () => {
    const { apply } = await saved();
    expect((await apply('first.json')).due).toHaveLength(MEMBERS);
    expect(await leftOf('first.json')).toBe(true);
    await shop.workOff(await shop.process());
    expect(await leftOf('first.json')).toBe(false);
    await revert(0, 1, 2, 3);
    expect((await apply('first.json')).due).toEqual([]);
    await shop.workOff(await shop.process());
    expect(shop.cloud.changes).toHaveLength(MEMBERS);
    expect(await leftOf('first.json')).toBe(false);
    // The drift is recorded and still open, so the plan does not begin to cover it.
    expect((await apply('first.json')).due).toEqual([]);
  });

  it('may still have changes left if it has configurations, which only a scan can compare', async () => {
    await saved();
    const configuration = 'configuration r-root PutOrganizationEnrollmentConfiguration AnyAllowed';
    expect(await isAnyLeft(shop.store, [configuration], shop.clock.now())).toBe(true);
    expect(await isAnyLeft(shop.store, [], shop.clock.now())).toBe(false);
  });

  it('makes the changes that an interrupted run has left, and no others', async () => {
    const { apply } = await saved();
    await apply('first.json');
    const [one, two] = await shop.messages();
    if (one === undefined || two === undefined) return expect.fail('two messages are needed');
    const work = await shop.process();
    for (const message of [one, two]) await shop.handle(work, message);
    await revert(0, 1);
    expect((await apply('first.json')).due.map((change) => change.accountId)).toEqual([2, 3].map(accountId));
    // A message for the reverted account, which could be a duplicate of the first run.
    await shop.store.queue.send([{ ...one, runId: 'run-3' }], { lane: 'bulk' });
    await shop.workOff(await shop.process());
    const intents = (await shop.chain(accountId(0))).filter(({ type }) => type === 'RemediationStarted');
    expect(intents.map(({ detail }) => detail?.approvedPlan !== undefined)).toEqual([true, false]);
    expect(await leftOf('first.json')).toBe(false);
  });

  it('can be continued for a day after the window opens, if all of its changes wait for a change window', async () => {
    const HOUR_MS = 3_600_000;
    const windows = 'windows: [{ kind: allow, cron: "0 9 * * 1", duration: 8h, timezone: UTC }]';
    const policy = policyOf('computeOptimizer: Active', windows);
    shop = await Workshop.open({ policy, members: MEMBERS });
    const { planHash, changes } = await shop.scan();
    expect(changes.map(({ reason }) => reason)).toEqual(shop.members.map(() => 'window'));
    await new RunStore(shop.store.registers).storePlan(planHash, policy.hash, keysOf(changes), shop.clock.now());
    const apply = () => shop.scan({ ...shop.run(planHash), savedPlan: 'first.json' });
    const startedAt = shop.clock.now();
    expect((await apply()).due).toEqual([]);
    const opensAt = policy.windows.nextOpening(startedAt) ?? expect.fail('the window never opens');
    expect(opensAt).toBeGreaterThan(startedAt + 24 * HOUR_MS);
    const applied = await appliedPlan(shop.store.registers, 'first.json');
    expect(applied).toMatchObject({ at: startedAt, opensAt });
    expect(applied === null ? null : continuedUntil(applied)).toBe(opensAt + 24 * HOUR_MS);
    await shop.clock.advance(opensAt - startedAt + HOUR_MS);
    expect((await apply()).due).toHaveLength(MEMBERS);
    expect(await appliedPlan(shop.store.registers, 'first.json')).toEqual(applied);
  });

  it('leaves a new plan with the same changes usable', async () => {
    const { apply } = await saved();
    await apply('first.json');
    await shop.workOff(await shop.process());
    await revert(0, 1, 2, 3);
    expect((await apply('second.json')).due).toHaveLength(MEMBERS);
    await shop.workOff(await shop.process());
    expect(shop.cloud.changes).toHaveLength(2 * MEMBERS);
  });

  it('counts as applied only when no guardrail has stopped it', async () => {
    shop = await Workshop.open({ policy: policyOf('computeOptimizer: Inactive'), members: 1 });
    shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Active' } });
    const { planHash } = await shop.scan();
    expect((await shop.scan({ ...shop.run(planHash), savedPlan: 'stopped.json' })).trip).not.toBeNull();
    expect(await appliedPlan(shop.store.registers, 'stopped.json')).toBeNull();
  });
});
