import { expect, it } from 'vitest';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { deliver } from '../../../../shared/app/reconciler/deliver.ts';
import { enqueueAccounts } from '../../../../shared/app/work-queue/enqueue-event-accounts.ts';
import { queueDue } from '../../../../shared/app/work-queue/requeue-due.ts';
import type { CompiledPolicy } from '../../../../shared/domain/policy/index.ts';
import type { Lane } from '../../../../shared/domain/work-lane.ts';
import { HOUR, policyOf } from '../../../support/domain-kit.ts';
import { NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const MEMBERS = 12;

/** Every member drifts, and one has to be opted out. */
const OPT_OUT = policyOf(
  'computeOptimizer: Active',
  `${NO_CAPS}\nrules: [{ id: out, match: { accounts: ['${accountId(3)}'] }, computeOptimizer: Inactive }]`,
);

/** The accounts of the messages on the queue, in the order of delivery, with their lanes. */
async function lanes(): Promise<readonly (readonly [string, Lane])[]> {
  const found: (readonly [string, Lane])[] = [];
  for (;;) {
    const deliveries = await bed.shop.store.queue.receive(10, HOUR);
    if (deliveries.length === 0) return found;
    for (const { message, lane } of deliveries) found.push([message.kind === 'account' ? message.accountId : '', lane]);
    await bed.shop.store.queue.acknowledge(deliveries);
  }
}

const countOf = (found: readonly (readonly [string, Lane])[]): Readonly<Record<Lane, number>> => ({
  urgent: found.filter(([, lane]) => lane === 'urgent').length,
  bulk: found.filter(([, lane]) => lane === 'bulk').length,
});

async function open(members = MEMBERS, policy?: CompiledPolicy, pendingMs = 0): Promise<void> {
  await bed.open({ members, cloud: { pendingMs }, ...(policy && { policy }) });
}

it('puts the changes of a scan in bulk, except opt-outs', async () => {
  await open(MEMBERS, OPT_OUT);
  bed.shop.cloud.set(accountId(3), { computeOptimizer: { status: 'Active' } });
  await bed.shop.scan();
  const found = await lanes();
  expect(found[0]).toEqual([accountId(3), 'urgent']);
  expect(countOf(found)).toEqual({ urgent: 1, bulk: MEMBERS - 1 });
});

it('makes the account of an event urgent, even if its key already waits in bulk', async () => {
  await open();
  await bed.shop.scan();
  await enqueueAccounts(bed.shop.deps(), bed.shop.policy.hash, [accountId(7)]);
  const found = await lanes();
  expect(found[0]).toEqual([accountId(7), 'urgent']);
  expect(countOf(found).urgent).toBeGreaterThanOrEqual(1);
  expect(countOf(found).bulk).toBe(MEMBERS - 1);
});

it.each([
  ['urgent', 3],
  ['bulk', 11],
  ['bulk', 120],
] as const)('makes changes that are to be confirmed together %s if there are %i of them', async (lane, members) => {
  await open(members, undefined, HOUR);
  await bed.shop.scan();
  await bed.shop.workOff(await bed.shop.process());
  await bed.shop.clock.advance(HOUR);
  await queueDue(bed.shop.deps(), new RunStore(bed.shop.store.registers), bed.shop.policy.hash);
  expect(countOf(await lanes())).toEqual({ urgent: 0, bulk: 0, [lane]: members });
});

it.each([
  ['every minute', 3, [3, 3, 3]],
  ['rarely', 12, [12, 0, 0]],
] as const)('enqueues due keys that still wait %s if there are %i of them', async (_, members, counts) => {
  await open(members, undefined, HOUR);
  await bed.shop.scan();
  await bed.shop.workOff(await bed.shop.process());
  await bed.shop.clock.advance(HOUR);
  const found: number[] = [];
  for (const _pass of counts) {
    found.push(await queueDue(bed.shop.deps(), new RunStore(bed.shop.store.registers), bed.shop.policy.hash));
    await bed.shop.clock.advance(61_000);
  }
  expect(found).toEqual(counts);
});

it('keeps opt-outs urgent, however many other keys become due with them', async () => {
  await open(120, OPT_OUT, HOUR);
  bed.shop.cloud.set(accountId(3), { computeOptimizer: { status: 'Active' } });
  await bed.shop.scan();
  await bed.shop.workOff(await bed.shop.process());
  await bed.shop.clock.advance(HOUR);
  await queueDue(bed.shop.deps(), new RunStore(bed.shop.store.registers), bed.shop.policy.hash);
  const found = await lanes();
  expect(found.filter(([, lane]) => lane === 'urgent')).toEqual([[accountId(3), 'urgent']]);
});

it.each(['urgent', 'bulk'] as const)('keeps the keys that follow from an %s message in its lane', async (lane) => {
  const both = policyOf('computeOptimizer: Active, automation: Active', NO_CAPS);
  await open(1, both);
  await bed.shop.scan();
  await lanes();
  const { hash } = both;
  const message = { v: 1, kind: 'account', policyHash: hash, runId: 'run-1', planHash: null } as const;
  const key = { ...message, accountId: accountId(0), enrollment: 'computeOptimizer' } as const;
  await bed.shop.store.queue.send([key], { lane });
  const [delivery] = await bed.shop.store.queue.receive(1, HOUR);
  if (delivery === undefined) expect.fail('nothing was visible');
  await bed.shop.settle(deliver(await bed.shop.process(), delivery, 0));
  await bed.shop.store.queue.acknowledge([delivery]);
  expect(await lanes()).toEqual([[accountId(0), lane]]);
});
