import { describe, expect, it } from 'vitest';
import type { Cloud } from '../../../../shared/ports/cloud.ts';
import { DAY, HOUR, iso, NOW, policyOf } from '../../../support/domain-kit.ts';
import { cloudError } from '../../../support/memory-cloud.ts';
import { isChange, NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId, keyOf } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const BOTH = policyOf('computeOptimizer: Active, automation: Active', NO_CAPS);
const A = accountId(0);

describe('an error about one account', () => {
  it('throttled at first, then accepted: one claim, one intent', async () => {
    await bed.open();
    bed.failing(3, { before: cloudError('Throttled', 'ThrottlingException') });
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.shop.cloud.changes).toHaveLength(4);
    expect((await bed.shop.types(A)).filter((type) => type === 'RemediationStarted')).toHaveLength(1);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
  });

  it('a lost answer: the call is repeated with the same token, and takes effect once', async () => {
    await bed.open({ policy: BOTH });
    bed.shop.cloud.set(A, { computeOptimizer: { status: 'Active' } });
    bed.failing(1, { after: cloudError('Transient', 'ECONNRESET') });
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    const tokens = bed.shop.cloud.changes.map(({ clientToken }) => clientToken);
    expect(tokens).toHaveLength(2);
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(await bed.shop.condition(A, 'automation')).toMatchObject({ verdict: 'Compliant' });
  });

  it('no retries left: retried after growing pauses, and then a dead letter with the last error', async () => {
    await bed.open({ settings: { maxAttempts: 3 } });
    bed.trouble = ({ operation }) =>
      isChange(operation) ? { before: cloudError('Transient', 'InternalServerException') } : null;
    await bed.shop.scan();
    const work = await bed.shop.process();
    await bed.shop.workOff(work);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Drifted', reason: 'retrying', attempts: 1 });
    for (let attempt = 2; attempt <= 3; attempt += 1) {
      const { notBefore } = await bed.shop.condition(A);
      const wait = Date.parse(notBefore ?? '') - bed.shop.clock.now();
      expect(wait).toBeGreaterThan(0);
      await bed.shop.later(work, wait - 1);
      expect((await bed.shop.condition(A)).attempts).toBe(attempt - 1);
      await bed.shop.later(work, 1);
    }
    expect(await bed.shop.condition(A)).toMatchObject({
      reason: 'deadLettered',
      attempts: 3,
      driftSince: expect.any(String),
      claim: null,
    });
    const [letter] = await bed.shop.store.deadLetters.list(10);
    expect(letter?.reason.code).toBe('InternalServerException');
    expect(letter?.message).toMatchObject({ accountId: A });
    const last = (await bed.shop.chain(A)).at(-1);
    expect(letter?.reason.entryId).toBe(`${A}#${last?.seq}`);
    expect(last?.type).toBe('RemediationFailed');
  });

  it('a denied role: Blocked for a long time, no dead letter, and no other account is affected', async () => {
    await bed.open({ members: 2 });
    bed.trouble = ({ accountIds, operation }) =>
      accountIds.includes(A) && isChange(operation) ? { before: cloudError('Denied', 'AccessDenied') } : null;
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    const blocked = await bed.shop.condition(A);
    expect(blocked).toMatchObject({ verdict: 'Blocked', reason: 'denied', driftSince: expect.any(String) });
    expect(Date.parse(blocked.notBefore ?? '') - bed.shop.clock.now()).toBeGreaterThan(5 * 60_000);
    expect(await bed.shop.condition(accountId(1))).toMatchObject({ verdict: 'Compliant' });
    expect(await bed.shop.store.deadLetters.list(1)).toEqual([]);
  });

  it('a read that is denied: Blocked, without an intent', async () => {
    await bed.open();
    await bed.shop.scan();
    bed.trouble = ({ operation }) =>
      operation === 'GetEnrollmentStatus' ? { before: cloudError('Denied', 'AccessDenied') } : null;
    await bed.shop.workOff(await bed.shop.process());
    expect(await bed.shop.types(A)).toEqual(['DriftDetected', 'RemediationBlocked']);
    expect(await bed.shop.condition(A)).toMatchObject({ reason: 'denied' });
  });

  it('a permanent error becomes a dead letter immediately', async () => {
    await bed.open();
    bed.failing(9, { before: cloudError('Invalid', 'InvalidParameterCombination') });
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.shop.cloud.changes).toHaveLength(1);
    expect(await bed.shop.store.deadLetters.list(9)).toHaveLength(1);
  });

  it('a failed read of a compliant account is not drift', async () => {
    await bed.open();
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const work = await bed.shop.process();
    await bed.shop.workOff(work);
    const before = await bed.shop.types(A);
    bed.trouble = () => ({ before: cloudError('Denied', 'AccessDenied') });
    await bed.shop.handle(work, keyOf(bed.shop, run));
    expect(await bed.shop.types(A)).toEqual(before);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
  });

  it('a failed read of a converging account leaves it Converging', async () => {
    await bed.open({ cloud: { pendingMs: HOUR } });
    await bed.shop.scan();
    const work = await bed.shop.process();
    await bed.shop.workOff(work);
    bed.trouble = () => ({ before: cloudError('Denied', 'AccessDenied') });
    await bed.shop.later(work, 60_000);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Converging' });
    bed.trouble = () => null;
    for (let minutes = 0; minutes < 90; minutes += 1) await bed.shop.later(work, 60_000);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
    expect(bed.shop.cloud.changes).toHaveLength(1);
  });

  it('an ambiguous code after a recent opt-out: cool-down until 24 hours later', async () => {
    await bed.open({ policy: BOTH });
    bed.shop.cloud.set(A, { computeOptimizer: { status: 'Active' }, automation: { lastUpdated: NOW - 2 * DAY } });
    await bed.shop.scan();
    // The account is opted in and out again between the read and the call.
    bed.trouble = ({ operation }) => {
      if (operation === 'UpdateEnrollmentConfiguration')
        bed.shop.cloud.set(A, { automation: { lastUpdated: NOW - HOUR } });
      return null;
    };
    await bed.shop.workOff(await bed.shop.process());
    expect(await bed.shop.condition(A, 'automation')).toMatchObject({
      verdict: 'Blocked',
      reason: 'coolDown',
      attempts: 0,
      notBefore: iso(NOW + 23 * HOUR),
    });
  });

  it('an ambiguous code of Compute Optimizer, which has no cool-down: the code at face value', async () => {
    await bed.open();
    bed.shop.cloud.set(A, { computeOptimizer: { lastUpdated: NOW - HOUR } });
    bed.failing(9, { before: cloudError('Denied', 'AccessDenied', true) });
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Blocked', reason: 'denied' });
  });

  it('an ambiguous code for an associated account: prerequisite', async () => {
    await bed.open({ policy: policyOf('computeOptimizer: Active, automation: Inactive', NO_CAPS) });
    bed.shop.cloud.set(A, {
      computeOptimizer: { status: 'Active' },
      automation: { status: 'Active', ruleMode: 'NoneAllowed', lastUpdated: NOW - DAY },
    });
    await bed.shop.scan();
    bed.trouble = ({ operation }) => {
      if (operation === 'UpdateEnrollmentConfiguration')
        bed.shop.cloud.set(A, { automation: { ruleMode: 'AnyAllowed' } });
      return null;
    };
    await bed.shop.workOff(await bed.shop.process());
    expect(await bed.shop.condition(A, 'automation')).toMatchObject({ verdict: 'Blocked', reason: 'prerequisite' });
  });

  it('an ambiguous code for an account that complies already: no failure', async () => {
    await bed.open();
    await bed.shop.scan();
    bed.trouble = ({ operation }) => {
      if (operation !== 'UpdateEnrollmentStatus') return null;
      bed.shop.cloud.set(A, { computeOptimizer: { status: 'Active', lastUpdated: NOW } });
      return { before: cloudError('Invalid', 'InvalidParameterValueException', true) };
    };
    await bed.shop.workOff(await bed.shop.process());
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
    expect(await bed.shop.store.deadLetters.list(1)).toEqual([]);
  });

  it('AWS reports Failed after an accepted call: a failed attempt, with a pause', async () => {
    await bed.open({ cloud: { pendingMs: 5_000 }, settings: { maxAttempts: 3 } });
    await bed.shop.scan();
    const work = await bed.shop.process();
    await bed.shop.workOff(work);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Converging', reason: 'pending' });
    bed.shop.cloud.set(A, { computeOptimizer: { status: 'Failed', statusReason: 'no role', lastUpdated: NOW + 1 } });
    await bed.shop.later(work, 10_000);
    expect(await bed.shop.condition(A)).toMatchObject({
      verdict: 'Drifted',
      reason: 'retrying',
      attempts: 1,
      status: 'Failed',
    });
    expect(bed.shop.cloud.changes).toHaveLength(1);
    expect((await bed.shop.types(A)).at(-1)).toBe('RemediationFailed');
    expect((await bed.shop.types(A)).filter((type) => type === 'DriftDetected')).toHaveLength(1);
  });

  it('refused credentials stop the worker, and the message stays on the queue', async () => {
    await bed.open();
    await bed.shop.scan();
    bed.trouble = ({ operation }) =>
      operation === 'GetEnrollmentStatus' ? { before: cloudError('Unauthenticated', 'ExpiredToken') } : null;
    await expect(bed.shop.workOff(await bed.shop.process())).rejects.toThrow('ExpiredToken');
    expect((await bed.shop.store.queue.depth()).visible).toBe(1);
    expect(await bed.shop.types(A)).toEqual(['DriftDetected']);
  });

  it('a defect that one message triggers stops no other, and ends as a dead letter', async () => {
    await bed.open({ members: 2 });
    await bed.shop.scan();
    const work = await bed.shop.process();
    const broken = {
      ...bed.shop.cloud,
      read: async (...[kind, id]: Parameters<Cloud['read']>) => {
        if (id === A) throw new TypeError('a defect');
        return bed.shop.cloud.read(kind, id);
      },
    };
    const struck = { ...work, deps: { ...work.deps, cloud: broken } };
    for (let round = 0; round < 12; round += 1) {
      await bed.shop.workOff(struck);
      await bed.shop.clock.advance(10_000);
    }
    expect(await bed.shop.condition(accountId(1))).toMatchObject({ verdict: 'Compliant' });
    const letters = await bed.shop.store.deadLetters.list(9);
    expect(letters.map(({ reason }) => reason.message)).toEqual([expect.stringContaining('a defect')]);
  });
});
