import { expect, it } from 'vitest';
import { approve } from '../../../../shared/app/guardrails/approvals.ts';
import { halt, unhalt } from '../../../../shared/app/guardrails/controls.ts';
import { settleControls } from '../../../../shared/app/operator/apply-controls.ts';
import type { WorkMessage } from '../../../../shared/domain/work-message.ts';
import { MANAGEMENT, MEMBER, policyOf } from '../../../support/domain-kit.ts';
import { reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const CAPPED = 'guardrails: { maxChanges: { percent: 0, atLeast: 2 }, maxOptOuts: { percent: 100 } }';
const PUT = 'PutOrganizationEnrollmentConfiguration';

const puts = () => bed.shop.cloud.changes.filter(({ operation }) => operation === PUT);

/** An approved run that replaces somebody else's configuration of the root and enables Cost Optimization Hub in one account. @returns its messages */
async function approved(windows = ''): Promise<readonly WorkMessage[]> {
  const policy = policyOf(
    'computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed, costOptimizationHub: Active',
    `${CAPPED}\norganization: { automationConfigurations: manage }\n${windows}`,
  );
  const members = [0, 1, 2, 3].map((n) => ({ ...MEMBER, id: accountId(n) }));
  await bed.enrolled({ policy, members: 4, cloud: { accounts: [MANAGEMENT, ...members] } });
  const { cloud } = bed.shop;
  for (const { id } of bed.shop.members)
    cloud.set(id, {
      automation: { status: 'Active', ruleMode: 'NoneAllowed' },
      costOptimizationHub: { status: id === accountId(0) ? 'Inactive' : 'Active' },
    });
  await (await cloud.configurations.preparePut({ type: 'organizationalUnit', id: 'r-root' }, 'NoneAllowed', 'x'))();
  const { planHash } = await bed.shop.scan();
  await bed.shop.messages();
  await approve(bed.shop.deps(), planHash, { actor: 'user:ada', reason: null });
  const plan = await bed.shop.scan();
  expect(plan.approval?.planHash).toBe(planHash);
  return bed.shop.messages();
}

/** The worker has changed the account of the run, so the approval is used. @returns the message of the other call */
async function approvalUsed(windows = ''): Promise<WorkMessage> {
  const messages = await approved(windows);
  const other = messages.find(({ kind }) => kind === 'configurations') ?? expect.fail('no call for configurations');
  const work = await bed.shop.process();
  for (const message of messages) if (message.kind === 'account') await bed.shop.handle(work, message);
  expect(puts()).toHaveLength(1);
  return other;
}

/** Halts, so that a worker refuses these messages, and ends the halt a minute later. @returns the worker */
async function refusedByHalt(messages: readonly WorkMessage[]) {
  const deps = bed.shop.deps();
  const before = puts().length;
  await halt(deps, null);
  await settleControls(deps);
  const work = await bed.shop.process();
  for (const message of messages) await bed.shop.handle(work, message);
  expect(puts()).toHaveLength(before);
  await bed.shop.clock.advance(60_000);
  await unhalt(deps);
  return work;
}

it('a call of an approved run that a halt refuses is made after the halt', async () => {
  const work = await refusedByHalt([await approvalUsed()]);
  await settleControls(bed.shop.deps());
  await bed.shop.workOff(work);
  expect(puts()).toHaveLength(2);
});

it('a call of an approved run that a halt refuses before any other call is made by the scan after the halt', async () => {
  const work = await refusedByHalt(await approved());
  await settleControls(bed.shop.deps());
  await bed.shop.scan();
  await bed.shop.workOff(work);
  expect(puts()).toHaveLength(2);
});

it('a call that the approved run has made is not repeated after a halt', async () => {
  const message = await approvalUsed();
  const work = await bed.shop.process();
  await bed.shop.handle(work, message);
  const made = bed.changes();
  expect(puts()).toHaveLength(2);
  const deps = bed.shop.deps();
  await bed.shop.clock.advance(60_000);
  await halt(deps, null);
  await unhalt(deps);
  await settleControls(deps);
  await bed.shop.workOff(work);
  expect(bed.changes()).toEqual(made);
});

it('a call of an approved run that waits for a change window is made when the window opens', async () => {
  const HOUR_MS = 3_600_000;
  const message = await approvalUsed('windows: [{ kind: allow, cron: "0 * * * *", duration: 30m, timezone: UTC }]');
  const { shop } = bed;
  await shop.clock.advance(HOUR_MS - (shop.clock.now() % HOUR_MS) + 40 * 60_000);
  await shop.store.queue.send([message], { lane: 'bulk' });
  const work = await shop.process();
  await shop.workOff(work);
  expect(puts()).toHaveLength(1);
  await shop.clock.advance(19 * 60_000);
  await shop.workOff(work);
  expect(puts()).toHaveLength(1);
  await shop.clock.advance(2 * 60_000);
  await shop.workOff(work);
  expect(puts()).toHaveLength(2);
});

it('an organization-wide call of an approved run whose message a halt has used up is made after the halt', async () => {
  const policy = policyOf(
    'computeOptimizer: Active, costOptimizationHub: Active',
    `${CAPPED}\norganization: { organizationEnrollment: auto }`,
  );
  const shop = await bed.open({ policy, members: 12 });
  for (const { id } of [MANAGEMENT, ...shop.members]) shop.cloud.set(id, { costOptimizationHub: { status: 'Active' } });
  shop.cloud.set(accountId(0), { costOptimizationHub: { status: 'Inactive' } });
  const { planHash } = await shop.scan();
  await shop.messages();
  await approve(shop.deps(), planHash, { actor: 'user:ada', reason: null });
  expect((await shop.scan()).orgWide.computeOptimizer?.used).toBe(true);
  const messages = await shop.messages();
  const work = await shop.process();
  for (const message of messages) if (message.kind === 'account') await shop.handle(work, message);
  expect(bed.changes()).toHaveLength(1);
  await halt(shop.deps(), null);
  await settleControls(shop.deps());
  for (const message of messages) if (message.kind === 'organization') await shop.handle(work, message);
  expect(bed.changes()).toHaveLength(1);
  await shop.clock.advance(60_000);
  await unhalt(shop.deps());
  await settleControls(shop.deps());
  await shop.workOff(work);
  expect(bed.changes()).toEqual(['UpdateEnrollmentStatus 1', 'UpdateEnrollmentStatus 12']);
  for (const { id } of shop.members) expect(await shop.condition(id)).toMatchObject({ verdict: 'Compliant' });
});

it('a call that a halt refuses before any other call is made after it, even if a worker changes an account before the next scan', async () => {
  const work = await refusedByHalt(await approved());
  await settleControls(bed.shop.deps());
  await bed.shop.workOff(work);
  await bed.shop.scan();
  await bed.shop.workOff(work);
  expect(puts()).toHaveLength(2);
});

it('a configuration that somebody else stores after the approved call is not replaced after a halt', async () => {
  const message = await approvalUsed();
  const { cloud, clock } = bed.shop;
  const work = await bed.shop.process();
  await bed.shop.handle(work, message);
  expect(puts()).toHaveLength(2);
  for (const { id } of [MANAGEMENT, ...bed.shop.members])
    cloud.set(id, { automation: { status: 'Active', ruleMode: 'AnyAllowed' } });
  await clock.advance(10 * 60_000);
  await bed.shop.scan();
  await bed.shop.workOff(work);
  expect(puts()).toHaveLength(2);
  await (await cloud.configurations.preparePut({ type: 'organizationalUnit', id: 'r-root' }, 'NoneAllowed', 'y'))();
  expect(puts()).toHaveLength(3);
  const deps = bed.shop.deps();
  await halt(deps, null);
  await settleControls(deps);
  await clock.advance(60_000);
  await unhalt(deps);
  await settleControls(deps);
  await bed.shop.workOff(work);
  expect(puts()).toHaveLength(3);
});
