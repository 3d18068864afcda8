import { afterEach, describe, expect, it } from 'vitest';
import { approve } from '../../../../shared/app/guardrails/approvals.ts';
import { halt, unhalt } from '../../../../shared/app/guardrails/controls.ts';
import { settleControls } from '../../../../shared/app/operator/apply-controls.ts';
import type { Plan } from '../../../../shared/app/plan/plan.ts';
import { guardrailUsage } from '../../../../shared/app/queries/guardrail-usage.ts';
import { ChangeRefused, type Check, Guard } from '../../../../shared/app/reconciler/guard.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { accountId, keyOf, Workshop } from '../../../support/workshop.ts';

const CAPPED = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 0, atLeast: 2 } }');
const MEMBERS = 6;
const HOUR_MS = 3_600_000;

let shop: Workshop;
afterEach(() => shop.close());

/** An organization in which more changes than the cap allows have been approved and made. */
async function adopted(): Promise<string> {
  shop = await Workshop.open({ policy: CAPPED, members: MEMBERS });
  const { planHash } = await shop.scan();
  await approve(shop.deps(), planHash, { actor: 'user:ada', reason: null });
  await shop.scan();
  await shop.workOff(await shop.process());
  return planHash;
}

const usage = () => guardrailUsage(shop.store, CAPPED.policy.guardrails, shop.clock.now());

describe('changes under an approval', () => {
  it('name the plan in their intents and do not use up maxChanges', async () => {
    const hash = await adopted();
    for (const { id } of shop.members) {
      const intents = (await shop.chain(id)).filter(({ type }) => type === 'RemediationStarted');
      expect(intents.map(({ detail }) => detail?.approvedPlan)).toEqual([hash]);
    }
    expect(await usage()).toMatchObject({ changedAccounts: 0, approvedAccounts: MEMBERS, changeCap: 2 });
  });

  it('do not cover a later change of the same account', async () => {
    await adopted();
    shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Inactive' } });
    expect((await shop.scan()).trip).toBeNull();
    await shop.workOff(await shop.process());
    expect(shop.cloud.changes).toHaveLength(MEMBERS + 1);
    expect(await usage()).toMatchObject({ changedAccounts: 1, approvedAccounts: MEMBERS - 1 });
    for (const n of [1, 2]) shop.cloud.set(accountId(n), { computeOptimizer: { status: 'Inactive' } });
    expect((await shop.scan()).trip).toMatchObject({ reason: 'maxChanges', limit: { within24Hours: 3, allowed: 2 } });
  });

  it('do not cover a drift since then that an event finds and that is fixed after a delay', async () => {
    const hash = await adopted();
    const work = await shop.process();
    await shop.clock.advance(1_000);
    for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: { status: 'Inactive' } });
    const opensAt = shop.clock.now() + HOUR_MS;
    const closed: Check = {
      ask: async () => {
        throw new ChangeRefused('window', 'closed', opensAt);
      },
    };
    // Events count towards the last run, which is the approved one.
    const event = { ...shop.run(), runId: 'run-2', planHash: null };
    const guarded = { ...work, guard: new Guard(work, [closed]) };
    for (const n of shop.members.keys()) await shop.handle(guarded, keyOf(shop, event, n));
    expect(await shop.condition(accountId(0))).toMatchObject({ verdict: 'Blocked', reason: 'window' });
    await shop.later(work, HOUR_MS);
    expect(shop.cloud.changes).toHaveLength(MEMBERS + 2);
    expect(await usage()).toMatchObject({ changedAccounts: 2, changeCap: 2 });
    const intents = (await shop.chain(accountId(0))).filter(({ type }) => type === 'RemediationStarted');
    expect(intents.map(({ detail }) => detail?.approvedPlan)).toEqual([hash, undefined]);
  });

  it('are not left to a run from before the end of a halt, because the halt has used up its messages', async () => {
    shop = await Workshop.open({ policy: CAPPED, members: MEMBERS });
    const { planHash } = await shop.scan();
    await approve(shop.deps(), planHash, { actor: 'user:ada', reason: null });
    await shop.scan();
    const [first, ...others] = await shop.messages();
    if (first === undefined) expect.fail('the scan enqueued nothing');
    const work = await shop.process();
    await shop.handle(work, first);
    const left = ({ changes }: Plan): number => changes.filter(({ reason }) => reason === 'approvedRun').length;
    expect(left(await shop.scan())).toBe(MEMBERS - 1);
    await halt(shop.deps(), null);
    await settleControls(shop.deps());
    for (const message of others) await shop.handle(work, message);
    await shop.clock.advance(60_000);
    await unhalt(shop.deps());
    await settleControls(shop.deps());
    await shop.messages();
    const plan = await shop.scan();
    expect([left(plan), plan.due.length]).toEqual([0, MEMBERS - 1]);
    expect(shop.cloud.changes).toHaveLength(1);
  });

  it('do not keep a follow-up from other runs that the approved run can no longer make', async () => {
    const both = policyOf(
      'computeOptimizer: Active, automation: Active',
      'guardrails: { maxChanges: { percent: 0, atLeast: 2 } }',
    );
    shop = await Workshop.open({ policy: both, members: MEMBERS });
    const off = { status: 'Inactive' } as const;
    for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: off, automation: off });
    const { planHash } = await shop.scan();
    await approve(shop.deps(), planHash, { actor: 'user:ada', reason: null });
    const run = shop.run();
    await shop.scan(run);
    await shop.messages();
    await shop.handle(await shop.process(), { ...keyOf(shop, run), planHash });
    // The message of the follow-up is gone, as it is if another run's scan was the first to see the change.
    await shop.messages();
    expect(await shop.condition(accountId(0))).toMatchObject({ verdict: 'Compliant' });
    const { due, changes } = await shop.scan();
    const automation = changes.filter(({ enrollment }) => enrollment === 'automation');
    expect(due.map(({ accountId: id, enrollment }) => [id, enrollment])).toEqual([[accountId(0), 'automation']]);
    expect(automation.filter(({ reason }) => reason === 'approvedRun')).toHaveLength(MEMBERS - 1);
  });

  it('reserve no place of maxChanges for the seconds in which the audit log may lag behind, even if they are opt-outs', async () => {
    const rule = `rules: [{ id: kept, match: { accounts: ["${accountId(5)}"] }, computeOptimizer: Active }]`;
    const caps = 'guardrails: { maxChanges: { percent: 0, atLeast: 2 }, maxOptOuts: { percent: 0, atLeast: 6 } }';
    shop = await Workshop.open({
      policy: policyOf('computeOptimizer: Inactive', `${rule}\n${caps}`),
      members: MEMBERS,
    });
    for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
    const { planHash } = await shop.scan();
    await approve(shop.deps(), planHash, { actor: 'user:ada', reason: null });
    await shop.scan();
    const work = await shop.process();
    await shop.workOff(work);
    expect(shop.cloud.changes).toHaveLength(MEMBERS);
    shop.cloud.set(accountId(5), { computeOptimizer: { status: 'Inactive' } });
    await shop.handle(work, keyOf(shop, { ...shop.run(), runId: 'run-2', planHash: null }, 5));
    expect(await shop.condition(accountId(5))).toMatchObject({ verdict: 'Compliant' });
  });

  it('do not keep a scan from fixing a later drift of an account that somebody else had fixed before the run came to it', async () => {
    shop = await Workshop.open({ policy: CAPPED, members: MEMBERS });
    const { planHash } = await shop.scan();
    await approve(shop.deps(), planHash, { actor: 'user:ada', reason: null });
    await shop.scan();
    shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Active' } });
    const work = await shop.process();
    await shop.workOff(work);
    expect(shop.cloud.changes).toHaveLength(MEMBERS - 1);
    await shop.clock.advance(HOUR_MS);
    shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Inactive' } });
    expect((await shop.scan()).due.map((change) => change.accountId)).toEqual([accountId(0)]);
    await shop.workOff(work);
    expect(await shop.condition(accountId(0))).toMatchObject({ verdict: 'Compliant' });
    expect(await usage()).toMatchObject({ changedAccounts: 1 });
  });
});
