import { afterEach, expect, it } from 'vitest';
import { AccountTable } from '../../shared/app/queries/account-list.ts';
import { accountView } from '../../shared/app/queries/account-view.ts';
import { status } from '../../shared/app/queries/status.ts';
import { enqueueAccounts } from '../../shared/app/work-queue/enqueue-event-accounts.ts';
import { ENROLLMENT_IDS } from '../../shared/domain/enrollment/kinds/index.ts';
import { policyOf } from '../support/domain-kit.ts';
import { FAKE_KIND } from '../support/fake-kind.ts';
import { accountId, Workshop } from '../support/workshop.ts';

const THIRD = ENROLLMENT_IDS.at(-1) ?? expect.fail('the registry has the fake kind');
const A = accountId(0);

let shop: Workshop;
afterEach(async () => {
  await shop.checkInvariants();
  await shop.close();
});

it('a second kind is enabled for the whole organization by one call of its own', async () => {
  const policy = policyOf(
    `computeOptimizer: Active, ${THIRD}: Active`,
    'organization: { organizationEnrollment: auto }\nguardrails: { maxChanges: { percent: 100 } }',
  );
  shop = await Workshop.open({ policy, members: 30 });
  for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
  const plan = await shop.scan();
  expect(plan.orgWide).toMatchObject({
    computeOptimizer: { used: false, accounts: 0 },
    [THIRD]: { used: true, accounts: 31 },
  });
  const messages = await shop.messages();
  expect(messages).toMatchObject([{ kind: 'organization', enrollment: THIRD }]);
  await shop.store.queue.send(messages);
  await shop.workOff(await shop.process());
  expect(shop.cloud.changes.map(({ accountIds }) => accountIds.length)).toEqual([30]);
  for (const { id } of shop.members) {
    expect(await shop.condition(id, THIRD)).toMatchObject({ verdict: 'Compliant', status: 'Active' });
    expect(await shop.types(id)).not.toContain('RemediationStarted');
  }
});

it('a policy that does not mention a kind reads and records nothing about it, until a policy manages it', async () => {
  shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active'), members: 2 });
  await shop.scan();
  await shop.workOff(await shop.process());
  await enqueueAccounts(shop.store, shop.policy.hash, [A]);
  await shop.workOff(await shop.process());
  expect(shop.cloud.calls.map(({ operation }) => operation)).not.toContain(`list ${THIRD}`);
  expect(shop.cloud.calls.map(({ operation }) => operation)).not.toContain(FAKE_KIND.readOperation);
  for (const chain of [A, 'organization']) expect(JSON.stringify(await shop.chain(chain))).not.toContain(THIRD);
  expect((await shop.store.records.get(A))?.conditions[THIRD]).toBeNull();

  const managing = policyOf(`computeOptimizer: Active, ${THIRD}: Active`);
  await shop.scan({ ...shop.run(), policy: managing });
  const about = (await shop.chain(A)).filter(({ enrollment }) => enrollment === THIRD);
  expect(about).toMatchObject([{ type: 'DriftDetected', before: null }]);
});

it('a kind that only the registry knows is scanned, drifts, is remediated, shown and listed', async () => {
  shop = await Workshop.open({ policy: policyOf(`computeOptimizer: Active, ${THIRD}: Active`), members: 3 });
  const plan = await shop.scan();
  expect(plan.totals).toMatchObject({ now: 4, followUps: 3 });
  expect(shop.cloud.calls.map(({ operation }) => operation)).toContain(`list ${THIRD}`);
  const work = await shop.process();
  await shop.workOff(work);
  await shop.later(work, 60_000);
  expect(await shop.condition(A, THIRD)).toMatchObject({ verdict: 'Compliant', status: 'Active' });
  expect(await shop.types(A, THIRD)).toEqual([
    'DriftDetected',
    'RemediationBlocked',
    'VerdictChanged',
    'RemediationStarted',
    'RemediationSucceeded',
    'DriftResolved',
  ]);

  shop.cloud.set(A, { [THIRD]: { status: 'Inactive', lastUpdated: shop.clock.now() } });
  await shop.scan();
  expect(await shop.condition(A, THIRD)).toMatchObject({ verdict: 'Drifted', reason: 'statusDiffers' });
  expect((await status(shop.store)).summary[THIRD]).toMatchObject({ Drifted: 1, Compliant: 3 });
  await shop.workOff(work);
  await shop.later(work, 60_000);
  expect(await shop.condition(A, THIRD)).toMatchObject({ verdict: 'Compliant', driftSince: null });

  const table = new AccountTable(shop.store, shop.clock, 0);
  const page = await table.page({ sort: THIRD, order: 'asc', limit: 10, cursor: null, enrollment: THIRD });
  expect(page.accounts.map((row) => row[THIRD]?.verdict)).toEqual(['Compliant', 'Compliant', 'Compliant', 'Compliant']);
  const view = await accountView(shop.store, { accountId: A, policy: shop.policy, limit: 10, now: shop.clock.now() });
  expect(view?.enrollments[THIRD]).toMatchObject({ verdict: 'Compliant' });
});
