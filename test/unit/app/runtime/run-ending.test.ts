import { expect, it, onTestFinished } from 'vitest';
import { causeLines } from '../../../../services/cli/ui/run-ending.ts';
import type { Deps, Progress } from '../../../../shared/app/context.ts';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import type { Plan } from '../../../../shared/app/plan/plan.ts';
import { workKey } from '../../../../shared/app/plan/planned-work.ts';
import { apply } from '../../../../shared/app/runtime/apply.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { accountId, keyOf, Workshop } from '../../../support/workshop.ts';

it('changes that a run never began are not started, not failed', async () => {
  const members = 12;
  const policy = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 100 } }');
  const shop = await Workshop.open({ policy, members });
  onTestFinished(() => shop.close());
  for (let n = 0; n < members; n += 1) shop.cloud.set(accountId(n), { computeOptimizer: { status: 'Inactive' } });
  // Another process has received every message and keeps it.
  const queue: Deps['queue'] = {
    ...shop.store.queue,
    receive: async (max) => {
      await shop.store.queue.receive(max, 3_600_000);
      return [];
    },
  };
  const options = { waitMs: 1_000, stop: new AbortController().signal, onProgress: () => undefined };
  const run = apply(shop.deps({ queue }), shop.settings, shop.retrying(), shop.run(), options);
  const result = await shop.settle(run);
  const { planned, changes, interrupted, stopped } = result;
  const [cause = ''] = causeLines({ result }, 'RollcallMember', null);
  expect(cause).toBe('  Compute Optimizer did not start in 12 accounts (differs from policy):');
  expect({ interrupted, stopped }).toEqual({ interrupted: false, stopped: null });
  const none = { confirmed: 0, byOtherRuns: 0, inProgress: 0, failed: 0, blocked: 0 };
  expect(planned).toEqual({ total: members, ...none, notStarted: members });
  expect(changes).toEqual({ attempted: 0, succeeded: 0, failed: 0, blocked: 0, converging: 0 });
});

it.each([
  ['made', false],
  ['begun before the scan of this run, and completed after it,', true],
])('changes that another run has %s are counted separately', async (_, before) => {
  const members = 6;
  const policy = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 100 } }');
  const shop = await Workshop.open({ policy, members });
  onTestFinished(() => shop.close());
  for (let n = 0; n < members; n += 1) shop.cloud.set(accountId(n), { computeOptimizer: { status: 'Inactive' } });
  const other = shop.run();
  const events: Progress[] = [];
  const onProgress = (event: Progress): void => void events.push(event);
  const options = { waitMs: 1_000, stop: new AbortController().signal, onProgress };
  const process = await shop.process();
  const onPlan = (plan: Plan): void => expect(plan.due).toHaveLength(members);
  // After the scan of this run and before its work, another process makes two changes for a run of its own.
  const queue: Deps['queue'] = {
    ...shop.store.queue,
    async send(messages, sendOptions) {
      await shop.store.queue.send(messages, sendOptions);
      for (const n of [0, 1]) await shop.handle(process, keyOf(shop, other, n));
    },
  };
  const { runId } = other;
  const { ledger } = shop.deps();
  const query: typeof ledger.query = async (filter, page) => {
    const found = await ledger.query(filter, page);
    const isOlder = (entry: (typeof found.entries)[number]): boolean =>
      before && entry.runId === runId && entry.type === 'RemediationStarted';
    return { ...found, entries: found.entries.filter((entry) => !isOlder(entry)) };
  };
  await new RunStore(shop.deps().registers).begin(other, {
    startedAt: shop.clock.now(),
    accountsInScope: members,
    planned: 2,
  });
  const run = shop.run();
  expect(run.runId).not.toBe(runId);
  const ended = await shop.settle(
    apply(shop.deps({ queue, ledger: { ...ledger, query } }), shop.settings, shop.retrying(), run, {
      ...options,
      onPlan,
    }),
  );
  expect(ended.planned).toMatchObject({ total: members, confirmed: 4, byOtherRuns: 2, failed: 0, notStarted: 0 });
  expect(ended.changes).toMatchObject({ attempted: 4, succeeded: 4 });
  const concluded = events.find((event) => event.kind === 'concluded');
  expect(concluded?.confirmed.size).toBe(4);
  expect(concluded?.byOtherRuns).toEqual(new Set([0, 1].map((n) => workKey(accountId(n), 'computeOptimizer'))));
});

it('says what it waits for if another process has taken its messages', async () => {
  const policy = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 100 } }');
  const shop = await Workshop.open({ policy, members: 3 });
  onTestFinished(() => shop.close());
  const queue: Deps['queue'] = {
    ...shop.store.queue,
    receive: async (max) => {
      await shop.store.queue.receive(max, 3_600_000);
      return [];
    },
  };
  const waits: Progress[] = [];
  const onProgress = (event: Progress): void => void (event.kind === 'waiting' && waits.push(event));
  const options = { waitMs: 60_000, stop: new AbortController().signal, onProgress };
  await shop.settle(apply(shop.deps({ queue }), shop.settings, shop.retrying(), shop.run(), options));
  expect(waits[0]).toMatchObject({ cause: { kind: 'otherProcess', messages: 3 } });
  expect(new Set(waits.map((wait) => (wait.kind === 'waiting' ? wait.until : 0))).size).toBe(1);
});
