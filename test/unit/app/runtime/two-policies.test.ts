import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { OutdatedPolicyError } from '../../../../shared/app/coordination/outdated-policy-error.ts';
import { POLICY, PolicyWatch, policyInForce } from '../../../../shared/app/coordination/policy-in-force.ts';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { readTyped, writeTyped } from '../../../../shared/app/coordination/typed-register.ts';
import type { WorkContext } from '../../../../shared/app/reconciler/worker-context.ts';
import { createWork } from '../../../../shared/app/reconciler/worker-context.ts';
import { apply } from '../../../../shared/app/runtime/apply.ts';
import { serve } from '../../../../shared/app/runtime/daemon.ts';
import { queueDue } from '../../../../shared/app/work-queue/requeue-due.ts';
import type { CompiledPolicy } from '../../../../shared/domain/policy/index.ts';
import type { Ledger } from '../../../../shared/ports/ledger.ts';
import { HOUR, MANAGEMENT, policyOf } from '../../../support/domain-kit.ts';
import { accountId, Workshop } from '../../../support/workshop.ts';

const FREELY = 'guardrails: { maxChanges: { percent: 100 }, maxOptOuts: { percent: 100 } }';
const OPTS_OUT = policyOf('computeOptimizer: Inactive', FREELY);
const OPTS_IN = policyOf('computeOptimizer: Active', FREELY);
const MEMBERS = 5;

let shop: Workshop;
afterEach(async () => {
  await shop.checkInvariants();
  await shop.close();
});

/** A daemon until the end of the test, unless it is stopped before. `errors`: the names of its errors */
function daemonOf(policy: CompiledPolicy): { readonly errors: readonly string[]; stop(): Promise<void> } {
  const stop = new AbortController();
  const errors: string[] = [];
  const served = serve(shop.deps(), shop.settings, shop.retrying(), policy, {
    ...{ stop: stop.signal, onProgress: () => undefined, onScanStarted: () => undefined, onScan: () => undefined },
    onError: (what, error) => errors.push(`${what}: ${error instanceof Error ? error.name : String(error)}`),
  });
  const end = async (): Promise<void> => {
    stop.abort();
    await served;
  };
  onTestFinished(end);
  return { errors, stop: end };
}

/** Another process scans with the policy, which puts it in force. */
const scanWith = (policy: CompiledPolicy) => shop.scan({ ...shop.run(), policy });
const processOf = (policy: CompiledPolicy): Promise<WorkContext> =>
  createWork(shop.deps(), shop.settings, shop.retrying(), policy);
const pass = (ms: number): Promise<void> => shop.settle(shop.clock.sleep(ms));

/** Each change as `account:status`. */
const changes = (): readonly string[] =>
  shop.cloud.changes.flatMap(({ accountIds, status }) => accountIds.map((id) => `${id}:${status}`));
const OPTED_IN = [MANAGEMENT.id, ...Array.from({ length: MEMBERS }, (_, n) => accountId(n))].map(
  (id) => `${id}:Active`,
);

describe('a daemon whose policy another process has replaced', () => {
  it.each([
    ['was in force when it started', true],
    ['came into force with its first scan', false],
  ])('makes no more changes, if its policy %s', async (_, before) => {
    shop = await Workshop.open({ policy: OPTS_OUT, members: MEMBERS, cloud: { pendingMs: 20_000 } });
    if (before) {
      await shop.scan();
      await shop.messages();
    }
    const { errors } = daemonOf(OPTS_OUT);
    await pass(60_000);
    const earlier = changes().length;
    await scanWith(OPTS_IN);
    const newer = await processOf(OPTS_IN);
    for (let n = 0; n < 4; n += 1) {
      await shop.workOff(newer);
      await pass(30_000);
      await queueDue(shop.deps(), new RunStore(shop.store.registers), OPTS_IN.hash);
    }
    expect(changes().slice(earlier).toSorted()).toEqual(OPTED_IN);
    expect(await policyInForce(shop.store.registers)).toBe(OPTS_IN.hash);
    expect(new Set(errors)).toEqual(new Set(['scan: OutdatedPolicyError']));
  });

  it('leaves the messages of the policy in force on the queue, and they do not count as received', async () => {
    shop = await Workshop.open({ policy: OPTS_OUT, members: MEMBERS });
    daemonOf(OPTS_OUT);
    await pass(30_000);
    await scanWith(OPTS_IN);
    const pending = await shop.store.queue.pending();
    expect(pending).toBeGreaterThan(0);
    await pass(2 * 60_000);
    const waiting = await shop.store.queue.receive(100, 1_000);
    expect(waiting).toHaveLength(pending);
    expect(new Set(waiting.map(({ receives }) => receives))).toEqual(new Set([1]));
  });

  it('works again as soon as its policy is in force again', async () => {
    shop = await Workshop.open({ policy: OPTS_IN, members: MEMBERS });
    daemonOf(OPTS_IN);
    await pass(30_000);
    await scanWith(OPTS_OUT);
    await pass(30_000);
    const earlier = changes().length;
    await shop.messages();
    const id = accountId(0);
    shop.cloud.set(id, { computeOptimizer: { status: 'Inactive' } });
    await scanWith(OPTS_IN);
    await pass(30_000);
    expect(changes().slice(earlier)).toEqual([`${id}:Active`]);
  });
});

it('a new daemon does no work before its own first scan has put its policy in force', async () => {
  shop = await Workshop.open({ policy: OPTS_OUT, members: MEMBERS, cloud: { pendingMs: 20_000 } });
  await shop.scan();
  daemonOf(OPTS_IN);
  await pass(3 * 60_000);
  expect(changes().filter((change) => change.endsWith('Inactive'))).toEqual([]);
  expect(await policyInForce(shop.store.registers)).toBe(OPTS_IN.hash);
  expect((await shop.store.queue.depth()).visible).toBe(0);
});

it('a restarted daemon puts its policy in force again, although its last scan had the same policy', async () => {
  shop = await Workshop.open({ policy: OPTS_IN, members: MEMBERS });
  const first = daemonOf(OPTS_IN);
  await pass(30_000);
  await first.stop();
  await scanWith(OPTS_OUT);
  await shop.messages();
  const id = accountId(0);
  shop.cloud.set(id, { computeOptimizer: { status: 'Inactive' } });
  const earlier = changes().length;
  daemonOf(OPTS_IN);
  await pass(60_000);
  expect(changes().slice(earlier)).toEqual([`${id}:Active`]);
  expect(await policyInForce(shop.store.registers)).toBe(OPTS_IN.hash);
});

it('a process whose clock is set back notices immediately that its policy is in force', async () => {
  shop = await Workshop.open({ policy: OPTS_IN, members: 1 });
  await scanWith(OPTS_OUT);
  let now = shop.clock.now();
  const watch = new PolicyWatch({ registers: shop.store.registers, clock: { now: () => now } });
  expect(await watch.isInForce(OPTS_IN.hash)).toBe(false);
  await scanWith(OPTS_IN);
  now -= HOUR;
  expect(await watch.isInForce(OPTS_IN.hash)).toBe(true);
});

it('a call whose policy is replaced after its claim is not sent, and leaves no open claim', async () => {
  shop = await Workshop.open({ policy: OPTS_OUT, members: 1 });
  const { ledger, registers } = shop.store;
  const append: Ledger['append'] = async (drafts) => {
    const written = await ledger.append(drafts);
    if (drafts.some(({ type }) => type === 'RemediationStarted')) {
      const known = await readTyped(registers, POLICY);
      await writeTyped(registers, POLICY, { hash: OPTS_IN.hash, unrecorded: null }, known?.version ?? null);
    }
    return written;
  };
  shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Active' } });
  expect((await shop.scan()).due.map(({ accountId: id }) => id)).toContain(accountId(0));
  const work = await shop.process({ ledger: { ...ledger, append } });
  await expect(shop.workOff(work)).rejects.toThrow(OutdatedPolicyError);
  expect(changes()).toEqual([]);
  for (const id of [MANAGEMENT.id, accountId(0)]) expect((await shop.condition(id)).claim).toBeNull();
});

it('apply ends with an error that names both policies', async () => {
  shop = await Workshop.open({ policy: OPTS_IN, members: MEMBERS, cloud: { pendingMs: 20_000 } });
  const stop = new AbortController().signal;
  let replaced: Promise<unknown> | null = null;
  const applied = apply(shop.deps(), shop.settings, shop.retrying(), shop.run(), {
    ...{ stop, waitMs: 60_000 },
    onProgress: ({ kind }) => {
      if (kind === 'worked') replaced ??= scanWith(OPTS_OUT);
    },
  });
  await expect(shop.settle(applied)).rejects.toThrow(
    `Policy ${OPTS_OUT.hash.slice(0, 12)} is in force on this store, but this process works under policy ${OPTS_IN.hash.slice(0, 12)}.`,
  );
  await replaced;
});
