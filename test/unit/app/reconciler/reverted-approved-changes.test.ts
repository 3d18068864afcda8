import { describe, expect, it } from 'vitest';
import { approve } from '../../../../shared/app/guardrails/approvals.ts';
import { changedRecently } from '../../../../shared/app/guardrails/rolling-changes.ts';
import { createWork } from '../../../../shared/app/reconciler/worker-context.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../../../shared/domain/policy/index.ts';
import type { WorkMessage } from '../../../../shared/domain/work-message.ts';
import { MANAGEMENT, MEMBER, policyOf } from '../../../support/domain-kit.ts';
import { reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const CAP_OF_TWO = 'guardrails: { maxChanges: { percent: 0, atLeast: 2 } }';
const AUTOMATION = 'computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed';
const MEMBERS = 12;
const STATUS = policyOf('computeOptimizer: Active', CAP_OF_TWO);
const SWEEPING = policyOf('computeOptimizer: Active', `${CAP_OF_TWO}\norganization: { organizationEnrollment: auto }`);
const BATCHES = policyOf(AUTOMATION, CAP_OF_TWO);
const CONFIGURED = policyOf(AUTOMATION, `${CAP_OF_TWO}\norganization: { automationConfigurations: manage }`);

interface Approved {
  readonly planHash: string;
  /** The messages of the approved run, which may be delivered again later, as duplicates or redriven dead letters. */
  readonly messages: readonly WorkMessage[];
}

/** An organization whose approved run has made its changes. */
async function adopted(policy: CompiledPolicy, ous: readonly string[] = []): Promise<Approved> {
  const members = Array.from({ length: MEMBERS }, (_, n): OrganizationAccount => {
    return { ...MEMBER, id: accountId(n), ou: ous[n] ?? MEMBER.ou };
  });
  const options = { policy, members: MEMBERS, cloud: { accounts: [MANAGEMENT, ...members] } };
  await (policy === STATUS || policy === SWEEPING ? bed.open(options) : bed.enrolled(options));
  const { planHash } = await bed.shop.scan();
  await approve(bed.shop.deps(), planHash, { actor: 'user:ada', reason: null });
  await bed.shop.scan();
  const messages = await bed.shop.messages();
  await deliverAgain(messages);
  expect(await used()).toEqual({ counted: 0, approved: MEMBERS });
  await bed.shop.clock.advance(60_000);
  return { planHash, messages };
}

async function deliverAgain(messages: readonly WorkMessage[], boundTo: string | null = null): Promise<void> {
  const { shop } = bed;
  await shop.store.queue.send(messages, { lane: 'bulk' });
  await shop.workOff(await createWork(shop.deps(), shop.settings, shop.retrying(), shop.policy, boundTo));
}

/** The accounts that count against `maxChanges`, and those that were changed only under an approval. */
async function used() {
  const changes = [...(await changedRecently(bed.shop.store, bed.shop.clock.now())).values()];
  const counted = changes.filter((change) => change.counted).length;
  return { counted, approved: changes.length - counted };
}

const revertStatus = (n: number) => bed.shop.cloud.set(accountId(n), { computeOptimizer: { status: 'Inactive' } });
const revertRules = (n: number) =>
  bed.shop.cloud.set(accountId(n), { automation: { status: 'Inactive', ruleMode: null, lastUpdated: null } });
const numbers = Array.from({ length: MEMBERS }, (_, n) => n);

describe('a message of an approved run that is delivered again after its changes were reverted', () => {
  it('makes them without the approval, so that they count against maxChanges', async () => {
    const { messages } = await adopted(STATUS);
    for (const n of numbers) revertStatus(n);
    await deliverAgain(messages);
    expect(bed.shop.cloud.changes).toHaveLength(MEMBERS + 2);
    expect(await used()).toEqual({ counted: 2, approved: MEMBERS - 2 });
    expect(await bed.shop.condition(accountId(5))).toMatchObject({ verdict: 'Blocked', reason: 'guardrail' });
  });

  it('makes no change in a process that is bound to the plan', async () => {
    const { planHash, messages } = await adopted(STATUS);
    revertStatus(3);
    await deliverAgain(messages, planHash);
    expect(bed.shop.cloud.changes).toHaveLength(MEMBERS);
    // The change is left to a process that may make it.
    await bed.shop.clock.advance(180_000);
    await deliverAgain([]);
    expect(await used()).toEqual({ counted: 1, approved: MEMBERS - 1 });
  });

  it('makes a batch only of the accounts that were not reverted', async () => {
    const { messages } = await adopted(BATCHES);
    expect(messages).toMatchObject([{ kind: 'batch' }]);
    for (const n of numbers) revertRules(n);
    await deliverAgain(messages);
    expect(await used()).toEqual({ counted: 2, approved: MEMBERS - 2 });
  });

  it('makes no organization-wide call for them', async () => {
    const { messages } = await adopted(SWEEPING);
    expect(messages).toMatchObject([{ kind: 'organization' }]);
    for (const n of numbers) revertStatus(n);
    await deliverAgain(messages);
    expect(await used()).toEqual({ counted: 2, approved: MEMBERS - 2 });
  });

  it('makes no call for a configuration, which the next scan plans again', async () => {
    const ous = numbers.map((n) => (n < 6 ? '/Sandbox' : '/Workloads/Prod'));
    const { messages } = await adopted(CONFIGURED, ous);
    expect(messages).toMatchObject([{ kind: 'configurations' }]);
    // In this cloud, the configuration of an OU does not change its accounts.
    for (const n of numbers)
      bed.shop.cloud.set(accountId(n), { automation: { status: 'Active', ruleMode: 'AnyAllowed' } });
    await bed.shop.scan();
    await bed.shop.messages();
    expect(await bed.shop.condition(accountId(5), 'automation')).toMatchObject({ verdict: 'Compliant' });
    const { configurations } = bed.shop.cloud;
    for (const { target } of await configurations.list({ retry: bed.shop.retrying() }))
      await (await configurations.prepareDelete(target, 'their-token'))();
    await bed.shop.clock.advance(1_000);
    for (const n of numbers) revertRules(n);
    const before = bed.changes();
    await deliverAgain(messages);
    expect(bed.changes()).toEqual(before);
    expect(before.filter((call) => call.startsWith('Put'))).toHaveLength(1);
    // The next scan finds the drift and plans the call again.
    expect((await bed.shop.scan()).trip).toMatchObject({ reason: 'maxChanges' });
  });
});
