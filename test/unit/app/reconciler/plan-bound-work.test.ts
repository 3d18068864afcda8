import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { toStoreError } from '../../../../shared/adapters/embedded/errors.ts';
import { databasePath } from '../../../../shared/adapters/embedded/file.ts';
import { OutdatedPolicyError } from '../../../../shared/app/coordination/outdated-policy-error.ts';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { changeKey } from '../../../../shared/app/plan/change-keys.ts';
import { verifyLedger } from '../../../../shared/app/queries/audit/verify.ts';
import { createLimiter } from '../../../../shared/app/rate-limiter/rate-limiter.ts';
import { deliver } from '../../../../shared/app/reconciler/deliver.ts';
import { SnapshotRefresher } from '../../../../shared/app/reconciler/snapshot-refresher.ts';
import { createWork } from '../../../../shared/app/reconciler/worker-context.ts';
import { queueDue } from '../../../../shared/app/work-queue/requeue-due.ts';
import { emptyRecord } from '../../../../shared/domain/account/record.ts';
import type { Cloud } from '../../../../shared/ports/cloud.ts';
import { ClockDifferenceError } from '../../../../shared/ports/store-time.ts';
import { makeBench } from '../../../adapters/embedded/stores.ts';
import { chainOf } from '../../../contract/samples.ts';
import { HOUR, policyOf } from '../../../support/domain-kit.ts';
import { limiterTimesOf } from '../../../support/limiter-times.ts';
import { storeBusy } from '../../../support/store-busy.ts';
import { accountId, Workshop } from '../../../support/workshop.ts';

const FREELY = 'guardrails: { maxChanges: { percent: 100 }, maxOptOuts: { percent: 100 } }';
const ENROLL = policyOf('computeOptimizer: Active', FREELY);
const A = accountId(0);

let shop: Workshop;
afterEach(async () => {
  await shop.checkInvariants();
  await shop.close();
});

describe('a run that is bound to a plan', () => {
  it('leaves the keys of other runs on the queue', async () => {
    shop = await Workshop.open({ policy: ENROLL, members: 3 });
    const plan = await shop.scan();
    const [allowed] = plan.due;
    if (allowed === undefined) expect.fail('nothing is due');
    const runs = new RunStore(shop.store.registers);
    await runs.storePlan('the-plan', ENROLL.hash, [changeKey(allowed)], shop.clock.now());
    const bound = shop.run('the-plan');
    await shop.scan(bound);
    const work = await createWork(shop.deps(), shop.settings, shop.retrying(), ENROLL, 'the-plan');
    const ends: string[] = [];
    for (;;) {
      const [delivery] = await shop.store.queue.receive(1, shop.settings.visibilityMs);
      if (delivery === undefined) break;
      const { end } = await shop.settle(deliver(work, delivery, 0));
      ends.push(end);
      if (end === 'done') await shop.store.queue.acknowledge([delivery]);
    }
    expect(ends.toSorted()).toEqual(['done', 'otherRun', 'otherRun', 'otherRun']);
    expect(shop.cloud.changes.map(({ accountIds }) => accountIds)).toEqual([[allowed.accountId]]);
    expect((await shop.store.queue.depth()).inFlight).toBe(3);
  });

  it('enqueues nothing that another run waits for', async () => {
    shop = await Workshop.open({ policy: ENROLL, cloud: { pendingMs: HOUR } });
    await shop.scan();
    await shop.workOff(await shop.process());
    await shop.clock.advance(10_000);
    const runs = new RunStore(shop.store.registers);
    expect(await queueDue(shop.deps(), runs, ENROLL.hash, { boundTo: 'another-plan' })).toBe(0);
    await shop.clock.advance(HOUR);
    expect(await queueDue(shop.deps(), runs, ENROLL.hash)).toBe(1);
  });
});

describe('two processes with different policies', () => {
  it('keep the keys of the newer one: the older process puts them back, and makes none of its own changes', async () => {
    shop = await Workshop.open({ policy: ENROLL, members: 2 });
    await shop.scan();
    const own = await shop.messages();
    const old = await shop.process();
    const newer = policyOf('computeOptimizer: Active', `${FREELY}\nlimits: { callsPerSecond: 61 }`);
    expect(newer.hash).not.toBe(ENROLL.hash);
    await shop.scan({ ...shop.run(), policy: newer });
    await shop.store.queue.send(own);
    const { visible } = await shop.store.queue.depth();
    const ends: string[] = [];
    for (let message = 0; message < visible; message += 1) {
      const [delivery] = await shop.store.queue.receive(1, shop.settings.visibilityMs);
      if (delivery === undefined) expect.fail('a message was lost');
      const end = await shop.settle(deliver(old, delivery, HOUR)).catch((error: unknown) => {
        if (!(error instanceof OutdatedPolicyError)) throw error;
        return { end: 'outdated' };
      });
      ends.push(end.end);
    }
    const each = visible / 2;
    expect(ends.toSorted()).toEqual([...Array(each).fill('otherPolicy'), ...Array(each).fill('outdated')]);
    expect(shop.cloud.changes).toEqual([]);
    expect((await shop.store.queue.depth()).inFlight).toBe(visible);
    await shop.clock.advance(2 * 60_000);
    // Its own keys are visible again after a minute, too, not after the pause for a process that cannot work at all.
    const waiting = await shop.store.queue.receive(10, 1_000);
    const found = waiting.map(({ message, receives }) => `${message.policyHash} ${receives}`);
    const expected = [newer.hash, ENROLL.hash].flatMap((hash) => Array<string>(each).fill(`${hash} 1`));
    expect(found.toSorted()).toEqual(expected.toSorted());
  });
});

describe('a process whose clock differs from that of the store', () => {
  it('makes no call and loses no message, however often it tries, and works once the clock is correct', async () => {
    shop = await Workshop.open({ policy: ENROLL, members: 2 });
    await shop.scan();
    let aheadMs = 400;
    const { clock, cloud } = shop;
    const limiter = createLimiter({
      ...{ registers: shop.store.registers, ceiling: 10, reserveMs: 100, ...limiterTimesOf(clock) },
      clock: { now: () => clock.now() + aheadMs, sleep: clock.sleep },
    });
    const gated: Cloud = {
      ...cloud,
      async read(kind, id) {
        if (kind !== 'computeOptimizer') return cloud.read(kind, id);
        await limiter.acquire({ service: 'compute-optimizer', operation: 'GetEnrollmentStatus', meteredIn: 'member' });
        return cloud.read(kind, id);
      },
    };
    const work = await shop.process({ cloud: gated });
    const { visible } = await shop.store.queue.depth();
    for (let time = 0; time < 30; time += 1) {
      const [delivery] = await shop.store.queue.receive(1, shop.settings.visibilityMs);
      if (delivery === undefined) expect.fail('a message was lost');
      await expect(shop.settle(deliver(work, delivery, 0))).rejects.toThrow(ClockDifferenceError);
    }
    expect(shop.cloud.changes).toEqual([]);
    expect(await shop.store.queue.depth()).toMatchObject({ visible, inFlight: 0, dead: 0 });
    aheadMs = 0;
    await shop.workOff(work);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
  });
});

describe('a disk that is full', () => {
  it('makes no message a dead letter, however often it is retried', async () => {
    shop = await Workshop.open({ policy: ENROLL, members: 2 });
    await shop.scan();
    const { cloud } = shop;
    let full = true;
    const failing: Cloud = {
      ...cloud,
      async read(kind, id) {
        if (full) throw toStoreError(Object.assign(new Error('full'), { errcode: 13 }), 'rollcall.db');
        return cloud.read(kind, id);
      },
    };
    const work = await shop.process({ cloud: failing });
    const { visible } = await shop.store.queue.depth();
    for (let time = 0; time < 30; time += 1) {
      const [delivery] = await shop.store.queue.receive(1, shop.settings.visibilityMs);
      if (delivery === undefined) expect.fail('a message was lost');
      await expect(shop.settle(deliver(work, delivery, 0))).rejects.toMatchObject({ code: 'DiskFull' });
    }
    expect(await shop.store.queue.depth()).toMatchObject({ visible, inFlight: 0, dead: 0 });
    full = false;
    await shop.workOff(work);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
  });
});

describe('a run that lasts longer than two schedule periods', () => {
  it('refreshes the snapshot, so that its keys do not wait for a scan', async () => {
    const policy = policyOf('computeOptimizer: Active', `${FREELY}\nschedule: 1h`);
    shop = await Workshop.open({ policy });
    await shop.scan();
    const keeper = new SnapshotRefresher(shop.deps(), shop.settings, shop.retrying(), policy);
    for (let hours = 0; hours < 5; hours += 1) {
      await shop.clock.advance(HOUR);
      await keeper.keepFresh();
      await shop.settle(keeper.close());
    }
    await shop.workOff(await shop.process());
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
  });
});

describe('a snapshot refresh that fails because the store is busy', () => {
  it('is logged and retried by the next check, and does not end the process', async () => {
    shop = await Workshop.open({ policy: ENROLL });
    await shop.scan();
    const taken = await shop.store.snapshots.meta();
    const warnings: unknown[] = [];
    const logger = { ...shop.deps().logger, warn: (message: string) => void warnings.push(message) };
    let busy = true;
    const { snapshots: stored } = shop.store;
    const save: typeof stored.save = async (snapshot) => {
      if (busy) throw storeBusy();
      return stored.save(snapshot);
    };
    const snapshots = { ...stored, save };
    const refresher = new SnapshotRefresher(shop.deps({ snapshots, logger }), shop.settings, shop.retrying(), ENROLL);
    await shop.clock.advance(24 * HOUR);
    await refresher.keepFresh();
    await expect(shop.settle(refresher.close())).resolves.toBeUndefined();
    expect(warnings).toEqual(['could not refresh the organization snapshot']);
    expect(await shop.store.snapshots.meta()).toEqual(taken);
    busy = false;
    await shop.clock.advance(HOUR);
    await refresher.keepFresh();
    await shop.settle(refresher.close());
    expect((await shop.store.snapshots.meta())?.takenAt).toBe(shop.clock.now());
  });
});

describe('audit verify', () => {
  const tampered = async (sql: string) => {
    shop = await Workshop.open({ policy: ENROLL });
    const bench = makeBench();
    const store = await bench.open();
    await store.ledger.append(chainOf('111111111111', 3));
    await store.records.advance([
      {
        ...emptyRecord('111111111111'),
        head: await store.ledger.head('111111111111'),
        present: true,
      },
    ]);
    expect(await verifyLedger(store.ledger, store.records)).toMatchObject({ ok: true, entries: 3 });
    const db = new DatabaseSync(databasePath(bench.dataDir));
    db.exec(sql);
    db.close();
    const result = await verifyLedger(store.ledger, store.records);
    await bench.dispose();
    return result;
  };

  it.each([
    ['time', 'UPDATE ledger SET at = 0 WHERE seq = 2'],
    ['type', "UPDATE ledger SET type = 'AccountLeft' WHERE seq = 2"],
    ['actor', "UPDATE ledger SET actor = 'somebody else' WHERE seq = 2"],
    ['run', "UPDATE ledger SET run_id = 'another' WHERE seq = 2"],
    ['opt-out', 'UPDATE ledger SET opt_out = 1 - opt_out WHERE seq = 2'],
  ])('notices that what an entry is found by was edited: its %s', async (_, sql) => {
    expect(await tampered(sql)).toMatchObject({ ok: false, fault: { kind: 'edit', seq: 2, chain: '111111111111' } });
  });

  it('notices a chain that was removed as a whole', async () => {
    const result = await tampered('DELETE FROM ledger; DELETE FROM chains');
    expect(result).toMatchObject({ ok: false, fault: { kind: 'truncation', seq: 3, chain: '111111111111' } });
  });

  it('notices a chain that was cut short together with its end', async () => {
    const result = await tampered(
      `DELETE FROM ledger WHERE seq = 3;
       UPDATE chains SET seq = 2, hash = (SELECT hash FROM ledger WHERE seq = 2)`,
    );
    expect(result).toMatchObject({ ok: false, fault: { kind: 'truncation', seq: 3 } });
  });
});
