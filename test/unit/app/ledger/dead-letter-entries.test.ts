import { afterEach, beforeEach, expect, it } from 'vitest';
import { recordDeadLetters } from '../../../../shared/app/ledger/dead-letter-entries.ts';
import { alertOf } from '../../../../shared/domain/ledger/alert-message.ts';
import { ORGANIZATION_CHAIN } from '../../../../shared/domain/ledger/entry.ts';
import type { WorkMessage } from '../../../../shared/domain/work-message.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { accountId, keyOf, Workshop } from '../../../support/workshop.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active'), members: 3 });
});
afterEach(() => shop.close());

/** The queue's own redrive has moved them: nobody recorded anything. */
async function redriven(...messages: readonly WorkMessage[]): Promise<void> {
  await shop.store.queue.send(messages);
  for (const delivery of await shop.store.queue.receive(10, 60_000)) {
    const reason = { code: 'ReceivedTooOften', message: 'received 20 times', entryId: null };
    await shop.store.queue.deadLetter(delivery, reason);
  }
}

const batch = (...members: readonly number[]): WorkMessage => ({
  ...{ v: 1, kind: 'batch', operation: 'AssociateAccounts', policyHash: shop.policy.hash, runId: 'run-1' },
  ...{ planHash: null, accountIds: members.map(accountId) },
});

const recorded = async () =>
  (await shop.chain(ORGANIZATION_CHAIN)).filter(({ reason }) => reason === 'settled' || reason === 'deadLettered');

it('a letter of an account that complies is recorded as settled, once; any other as a failure', async () => {
  shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Active' } });
  const run = shop.run();
  await shop.scan(run);
  await shop.messages();
  expect((await shop.condition(accountId(0))).verdict).toBe('Compliant');
  await redriven(keyOf(shop, run, 0), keyOf(shop, run, 1));
  expect(await recordDeadLetters(shop.deps(), shop.store.deadLetters)).toBe(2);
  const entries = await recorded();
  expect(entries).toHaveLength(2);
  const [done, failed] = [0, 1].map((n) => entries.find((entry) => entry.accountId === accountId(n)));
  expect(done).toMatchObject({ type: 'VerdictChanged', reason: 'settled', enrollment: 'computeOptimizer' });
  expect(done?.detail?.message).toContain('ReceivedTooOften: received 20 times');
  expect(failed).toMatchObject({ type: 'RemediationFailed', reason: 'deadLettered' });
  expect(entries.flatMap((entry) => alertOf(entry) ?? [])).toEqual(['failed']);
  expect(await recordDeadLetters(shop.deps(), shop.store.deadLetters)).toBe(0);
  await shop.checkInvariants();
});

it('a batch is settled only if all of its accounts comply, and an unknown account is a failure', async () => {
  const policy = policyOf('computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed');
  await shop.close();
  shop = await Workshop.open({ policy, members: 3 });
  for (const n of [0, 1]) {
    shop.cloud.set(accountId(n), {
      computeOptimizer: { status: 'Active' },
      automation: { status: 'Active', ruleMode: 'AnyAllowed' },
    });
  }
  await shop.scan();
  await shop.messages();
  await redriven(batch(0, 1), batch(1, 2), keyOf(shop, shop.run(), 9));
  expect(await recordDeadLetters(shop.deps(), shop.store.deadLetters)).toBe(3);
  expect((await recorded()).map(({ type }) => type).sort()).toEqual([
    'RemediationFailed',
    'RemediationFailed',
    'VerdictChanged',
  ]);
});

it('processes that look at the dead letters at the same time record each letter once', async () => {
  const run = shop.run();
  await redriven(keyOf(shop, run, 0), keyOf(shop, run, 1), keyOf(shop, run, 2));
  const counts = await Promise.all([1, 2, 3].map(() => recordDeadLetters(shop.deps(), shop.store.deadLetters)));
  expect(counts.toSorted()).toEqual([0, 0, 3]);
  expect(await recorded()).toHaveLength(3);
});
