import { describe, expect, it } from 'vitest';
import { withCondition } from '../../../../shared/domain/account/record.ts';
import type { ChangeRequest, Cloud } from '../../../../shared/ports/cloud.ts';
import { DAY, HOUR, iso, MINUTE, NOW, policyOf } from '../../../support/domain-kit.ts';
import { cloudError } from '../../../support/memory-cloud.ts';
import { NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId, keyOf } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const BOTH = policyOf('computeOptimizer: Active, automation: Active', NO_CAPS);
const A = accountId(0);

describe('one account', () => {
  it('is found drifted, changed, observed and resolved, in this order', async () => {
    await bed.open();
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    expect(await bed.shop.types(A)).toEqual([
      'DriftDetected',
      'RemediationStarted',
      'RemediationSucceeded',
      'DriftResolved',
    ]);
    const [, started, succeeded] = (await bed.shop.chain(A)).filter(
      ({ enrollment }) => enrollment === 'computeOptimizer',
    );
    expect(started).toMatchObject({ runId: 'run-1', api: { operation: 'UpdateEnrollmentStatus', clientToken: null } });
    expect(succeeded).toMatchObject({ after: { verdict: 'Converging' }, api: { requestId: 'request-1' } });
    expect(succeeded?.detail?.intentId).toBe(started?.id);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant', claim: null, driftSince: null });
  });

  it('is Converging and polled while AWS says Pending, and Compliant only once it is observed Active', async () => {
    await bed.open({ cloud: { pendingMs: 10 * 60_000 } });
    await bed.shop.scan();
    const work = await bed.shop.process();
    await bed.shop.workOff(work);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Converging', reason: 'pending' });
    for (let minute = 0; minute < 9; minute += 1) await bed.shop.later(work, 60_000);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Converging' });
    for (let minute = 0; minute < 20; minute += 1) await bed.shop.later(work, 60_000);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
    expect(bed.shop.cloud.changes).toHaveLength(1);
    // Polls get rarer and write no entries.
    const reads = bed.shop.cloud.calls.filter(({ operation }) => operation === 'GetEnrollmentStatus').length;
    expect(reads).toBeLessThan(16);
    expect(await bed.shop.types(A)).toHaveLength(5);
  });

  it('is Stalled after its deadline, and not changed again', async () => {
    await bed.open({ cloud: { pendingMs: 40 * DAY } });
    await bed.shop.scan();
    const work = await bed.shop.process();
    await bed.shop.workOff(work);
    for (let hours = 0; hours < 26; hours += 1) await bed.shop.later(work, HOUR);
    await bed.shop.scan();
    await bed.shop.workOff(work);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Stalled', reason: 'deadlinePassed' });
    expect(bed.shop.cloud.changes).toHaveLength(1);
  });

  it('is changed once although several copies of its message are processed together', async () => {
    await bed.open();
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const work = await bed.shop.process();
    const message = keyOf(bed.shop, run);
    await bed.shop.settle(Promise.all([1, 2, 3, 4, 5].map(() => bed.shop.handle(work, message))));
    expect(bed.shop.cloud.changes).toHaveLength(1);
    expect((await bed.shop.types(A)).filter((type) => type === 'RemediationStarted')).toHaveLength(1);
  });

  it('is not changed by a late message: the state is read again', async () => {
    await bed.open();
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const work = await bed.shop.process();
    bed.shop.cloud.set(A, { computeOptimizer: { status: 'Active', lastUpdated: NOW } });
    const { outcomes } = await bed.shop.handle(work, keyOf(bed.shop, run));
    expect(outcomes).toEqual([{ accountId: A, outcome: 'resolved' }]);
    expect(bed.shop.cloud.changes).toEqual([]);
    expect(await bed.shop.types(A)).toEqual(['DriftDetected', 'DriftResolved']);
  });

  it('is neither read nor changed for a key of a superseded policy', async () => {
    await bed.open();
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const before = bed.shop.cloud.calls.length;
    const result = await bed.shop.handle(await bed.shop.process(), { ...keyOf(bed.shop, run), policyHash: 'older' });
    expect(result).toEqual({ outcomes: [], followUps: [], dead: null });
    expect(bed.shop.cloud.calls).toHaveLength(before);
  });

  it('waits for a scan if the snapshot lacks it or is too old', async () => {
    await bed.open();
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const work = await bed.shop.process();
    const before = bed.shop.cloud.calls.length;
    expect((await bed.shop.handle(work, keyOf(bed.shop, run, 7))).outcomes).toEqual([
      { accountId: accountId(7), outcome: 'superseded' },
    ]);
    await bed.shop.clock.advance(2 * HOUR + 1);
    expect((await bed.shop.handle(work, keyOf(bed.shop, run))).outcomes).toEqual([
      { accountId: A, outcome: 'superseded' },
    ]);
    expect(bed.shop.cloud.calls).toHaveLength(before);
  });

  it('is assessed again if its record moved during the observation', async () => {
    await bed.open();
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const [slow, fast] = [await bed.shop.process(), await bed.shop.process()];
    // The slow worker reads Inactive, and continues only when the fast one has finished.
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let reads = 0;
    const cloud = {
      ...bed.shop.cloud,
      read: async (...[kind, id]: Parameters<Cloud['read']>) => {
        const seen = await bed.shop.cloud.read(kind, id);
        reads += 1;
        if (reads === 1) await held;
        return seen;
      },
    };
    const slowWork = { ...slow, deps: { ...slow.deps, cloud } };
    const late = bed.shop.handle(slowWork, keyOf(bed.shop, run));
    await bed.shop.handle(fast, keyOf(bed.shop, run));
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
    release();
    expect((await late).outcomes).toEqual([{ accountId: A, outcome: 'resolved' }]);
    expect(bed.shop.cloud.changes).toHaveLength(1);
    expect((await bed.shop.types(A)).filter((type) => type === 'DriftDetected')).toHaveLength(1);
  });

  it('that failed before is also assessed again if its record moved during the observation', async () => {
    // As above, but the slow worker would record news: the pause after an earlier failure is over.
    await bed.open();
    const run = bed.shop.run();
    bed.failing(50, { before: cloudError('Throttled', 'ThrottlingException') });
    await bed.shop.scan(run);
    await bed.shop.workOff(await bed.shop.process());
    bed.trouble = () => null;
    await bed.shop.clock.advance(DAY / 24);
    const [slow, fast] = [await bed.shop.process(), await bed.shop.process()];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let first = true;
    const cloud = {
      ...bed.shop.cloud,
      read: async (...[kind, id]: Parameters<Cloud['read']>) => {
        const seen = await bed.shop.cloud.read(kind, id);
        const wait = first;
        first = false;
        if (wait) await held;
        return seen;
      },
    };
    const before = bed.shop.cloud.changes.length;
    const late = bed.shop.handle({ ...slow, deps: { ...slow.deps, cloud } }, keyOf(bed.shop, run));
    await bed.shop.handle(fast, keyOf(bed.shop, run));
    release();
    await late;
    expect(bed.shop.cloud.changes.length - before).toBe(1);
    expect((await bed.shop.types(A)).at(-1)).toBe('DriftResolved');
  });
});

describe('the order of changes', () => {
  it('Compute Optimizer first, then Automation, which waited for it', async () => {
    await bed.open({ policy: BOTH });
    await bed.shop.scan();
    expect(await bed.shop.condition(A, 'automation')).toMatchObject({ verdict: 'Blocked', reason: 'prerequisite' });
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.shop.cloud.changes.map(({ operation }) => operation)).toEqual([
      'UpdateEnrollmentStatus',
      'UpdateEnrollmentConfiguration',
    ]);
    expect(await bed.shop.condition(A, 'automation')).toMatchObject({ verdict: 'Compliant' });
  });

  it('Automation is read again if Compute Optimizer became Active between the two reads', async () => {
    await bed.open({ policy: BOTH });
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const automation = { status: 'Inactive', ruleMode: 'NoneAllowed', lastUpdated: NOW - HOUR } as const;
    bed.shop.cloud.set(A, { computeOptimizer: { status: 'Active' }, automation });
    const work = await bed.shop.process();
    let reads = 0;
    const cloud = {
      ...bed.shop.cloud,
      read: async (...[kind, id]: Parameters<Cloud['read']>) => {
        const seen = await bed.shop.cloud.read(kind, id);
        // While Compute Optimizer is not Active, AWS says nothing about Automation, not even that it is in its cool-down.
        return kind === 'automation' && ++reads === 1 ? { ...seen, ruleMode: null, lastUpdated: null } : seen;
      },
    };
    const key = keyOf(bed.shop, run, 0, 'automation');
    const { outcomes } = await bed.shop.handle({ ...work, deps: { ...work.deps, cloud } }, key);
    expect(outcomes).toEqual([{ accountId: A, outcome: 'blocked' }]);
    expect(await bed.shop.condition(A, 'automation')).toMatchObject({ verdict: 'Blocked', reason: 'coolDown' });
    expect(bed.shop.cloud.changes).toEqual([]);
  });

  it('disassociate, then disable', async () => {
    await bed.open({ policy: policyOf('computeOptimizer: Active, automation: Inactive', NO_CAPS) });
    const automation = { status: 'Active', ruleMode: 'AnyAllowed', lastUpdated: NOW - DAY } as const;
    bed.shop.cloud.set(A, { computeOptimizer: { status: 'Active' }, automation });
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    const ours = bed.shop.cloud.changes.filter(({ accountIds }) => accountIds.includes(A));
    expect(ours.map(({ operation }) => operation)).toEqual(['DisassociateAccounts', 'UpdateEnrollmentConfiguration']);
    const condition = await bed.shop.condition(A, 'automation');
    expect(condition).toMatchObject({ verdict: 'Compliant', status: 'Inactive', ruleMode: 'NoneAllowed' });
    expect(condition.optedOutAt).not.toBeNull();
  });

  it('the time of an opt-out is recorded for the cool-down', async () => {
    await bed.open({ policy: policyOf('computeOptimizer: Active, automation: Inactive', NO_CAPS) });
    bed.shop.cloud.set(A, {
      computeOptimizer: { status: 'Active' },
      automation: { status: 'Active', lastUpdated: NOW - DAY },
    });
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    const { optedOutAt } = await bed.shop.condition(A, 'automation');
    expect(optedOutAt).toBe(iso(bed.shop.clock.now()));
  });
});

describe('a call that waits for the rate limiter for longer than a claim lasts', () => {
  /** Reconciles the account with a limiter that delays every call by two minutes. `before`: what happens during the first wait. */
  async function reconciled(before: () => void = () => undefined) {
    await bed.open();
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const work = await bed.shop.process();
    let waits = 0;
    const cloud = {
      ...bed.shop.cloud,
      prepareChange: async (request: ChangeRequest) => {
        if (++waits === 1) before();
        await bed.shop.clock.advance(2 * MINUTE);
        return bed.shop.cloud.prepareChange(request);
      },
    };
    const { outcomes } = await bed.shop.handle({ ...work, deps: { ...work.deps, cloud } }, keyOf(bed.shop, run));
    return { outcomes, waits };
  }

  it('is not made if the account complies meanwhile', async () => {
    const { outcomes } = await reconciled(() => bed.shop.cloud.set(A, { computeOptimizer: { status: 'Active' } }));
    expect(outcomes).toEqual([{ accountId: A, outcome: 'resolved' }]);
    expect(bed.shop.cloud.changes).toEqual([]);
    expect(await bed.shop.types(A)).not.toContain('RemediationStarted');
  });

  it('is made in the third round at the latest, so that a low rate delays changes but does not prevent them', async () => {
    const { outcomes, waits } = await reconciled();
    expect(outcomes).toEqual([{ accountId: A, outcome: 'resolved' }]);
    expect(waits).toBe(3);
    expect(bed.shop.cloud.changes).toHaveLength(1);
  });
});

describe('the next check', () => {
  it('an extended exemption is not reconciled every minute after its first end', async () => {
    await bed.open();
    await bed.shop.scan();
    const work = await bed.shop.process();
    await bed.shop.workOff(work);
    // An extended exemption leaves a time in the past, and no news.
    const record = await bed.shop.store.records.get(A);
    if (record?.conditions.computeOptimizer == null) expect.fail('a record');
    const head = { seq: record.head.seq + 1, hash: 'f'.repeat(64) };
    const waiting = { ...record.conditions.computeOptimizer, notBefore: iso(bed.shop.clock.now() + 1_000) };
    await bed.shop.store.records.advance([withCondition({ ...record, head }, 'computeOptimizer', waiting)]);
    await bed.shop.later(work, 2_000);
    expect(await bed.shop.store.records.due(bed.shop.clock.now() + DAY, 10)).toEqual([]);
    // That record belongs to no chain, so it must not fail the checks after the test.
    await bed.shop.store.records.advance([{ ...record, head: { ...head, seq: head.seq + 1 } }]);
  });
});
