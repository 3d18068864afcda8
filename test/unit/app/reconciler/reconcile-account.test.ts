import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WorkerPool } from '../../../../shared/app/reconciler/worker-pool.ts';
import { withCondition } from '../../../../shared/domain/account/record.ts';
import type { Cloud } from '../../../../shared/ports/cloud.ts';
import { DAY, HOUR, iso, MANAGEMENT_ID, NOW, policyOf } from '../../../support/domain-kit.ts';
import { cloudError, type Trouble, type WireCall } from '../../../support/memory-cloud.ts';
import { accountId, keyOf, Workshop, type WorkshopOptions } from '../../../support/workshop.ts';

const FREELY = 'guardrails: { maxChanges: { percent: 100 }, maxOptOuts: { percent: 100 } }';
const ENROLL = policyOf('computeOptimizer: Active', FREELY);
const BOTH = policyOf('computeOptimizer: Active, automation: Active', FREELY);
const A = accountId(0);

let shop: Workshop;
/** What happens to the next calls: a test sets it. */
let trouble: (call: WireCall) => Trouble | null | undefined;

async function open(options: Partial<WorkshopOptions> = {}): Promise<Workshop> {
  const { cloud, ...rest } = options;
  shop = await Workshop.open({ policy: ENROLL, ...rest, cloud: { ...cloud, trouble: (call) => trouble(call) } });
  return shop;
}

beforeEach(() => {
  trouble = () => null;
});
afterEach(async () => {
  await shop.checkInvariants();
  await shop.close();
});

const changing = (operation: string) => /^Update|ssociate/.test(operation);

/** Trouble for the first `times` mutating calls. */
function failing(times: number, what: Trouble, which = changing): void {
  let left = times;
  trouble = ({ operation }) => (which(operation) && left-- > 0 ? what : null);
}

describe('one account', () => {
  it('is found drifted, changed, observed and resolved, in this order', async () => {
    await open();
    await shop.scan();
    await shop.workOff(await shop.process());
    expect(await shop.types(A)).toEqual([
      'DriftDetected',
      'RemediationStarted',
      'RemediationSucceeded',
      'DriftResolved',
    ]);
    const [, started, succeeded] = (await shop.chain(A)).filter(({ enrollment }) => enrollment === 'computeOptimizer');
    expect(started).toMatchObject({ runId: 'run-1', api: { operation: 'UpdateEnrollmentStatus', clientToken: null } });
    expect(succeeded).toMatchObject({ after: { verdict: 'Converging' }, api: { requestId: 'request-1' } });
    expect(succeeded?.detail?.intentId).toBe(started?.id);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Compliant', claim: null, driftSince: null });
  });

  it('is Converging and polled while AWS says Pending, and Compliant only once it is seen Active', async () => {
    await open({ cloud: { pendingMs: 10 * 60_000 } });
    await shop.scan();
    const work = await shop.process();
    await shop.workOff(work);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Converging', reason: 'pending' });
    for (let minute = 0; minute < 9; minute += 1) await shop.later(work, 60_000);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Converging' });
    for (let minute = 0; minute < 20; minute += 1) await shop.later(work, 60_000);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
    expect(shop.cloud.changes).toHaveLength(1);
    // Polling costs reads, fewer the longer it lasts, and no entries.
    const reads = shop.cloud.calls.filter(({ operation }) => operation === 'GetEnrollmentStatus').length;
    expect(reads).toBeLessThan(16);
    expect(await shop.types(A)).toHaveLength(5);
  });

  it('is Stalled past its deadline, and not called again', async () => {
    await open({ cloud: { pendingMs: 40 * DAY } });
    await shop.scan();
    const work = await shop.process();
    await shop.workOff(work);
    for (let hours = 0; hours < 26; hours += 1) await shop.later(work, HOUR);
    await shop.scan();
    await shop.workOff(work);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Stalled', reason: 'deadlinePassed' });
    expect(shop.cloud.changes).toHaveLength(1);
  });

  it('is called once although its message comes several times at once', async () => {
    await open();
    const run = shop.run();
    await shop.scan(run);
    const work = await shop.process();
    const message = keyOf(shop, run);
    await shop.settle(Promise.all([1, 2, 3, 4, 5].map(() => shop.handle(work, message))));
    expect(shop.cloud.changes).toHaveLength(1);
    expect((await shop.types(A)).filter((type) => type === 'RemediationStarted')).toHaveLength(1);
  });

  it('is not called by a message that is late: the state is read again', async () => {
    await open();
    const run = shop.run();
    await shop.scan(run);
    const work = await shop.process();
    shop.cloud.set(A, { computeOptimizer: { status: 'Active', lastUpdated: NOW } });
    const { outcomes } = await shop.handle(work, keyOf(shop, run));
    expect(outcomes).toEqual([{ accountId: A, outcome: 'resolved' }]);
    expect(shop.cloud.changes).toEqual([]);
    expect(await shop.types(A)).toEqual(['DriftDetected', 'DriftResolved']);
  });

  it('is neither read nor called for a key of a superseded policy', async () => {
    await open();
    const run = shop.run();
    await shop.scan(run);
    const before = shop.cloud.calls.length;
    const result = await shop.handle(await shop.process(), { ...keyOf(shop, run), policyHash: 'older' });
    expect(result).toEqual({ outcomes: [], followUps: [], dead: null });
    expect(shop.cloud.calls).toHaveLength(before);
  });

  it('waits for a scan where the snapshot does not have it, or is too old', async () => {
    await open();
    const run = shop.run();
    await shop.scan(run);
    const work = await shop.process();
    const before = shop.cloud.calls.length;
    expect((await shop.handle(work, keyOf(shop, run, 7))).outcomes).toEqual([
      { accountId: accountId(7), outcome: 'superseded' },
    ]);
    await shop.clock.advance(2 * HOUR + 1);
    expect((await shop.handle(work, keyOf(shop, run))).outcomes).toEqual([{ accountId: A, outcome: 'superseded' }]);
    expect(shop.cloud.calls).toHaveLength(before);
  });

  it('is decided anew where an observation was overtaken while it was made', async () => {
    await open();
    const run = shop.run();
    await shop.scan(run);
    const [slow, fast] = [await shop.process(), await shop.process()];
    // The slow worker reads Inactive, and gets to think about it only when the fast one has finished.
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let reads = 0;
    const cloud = {
      ...shop.cloud,
      read: async (...[kind, id]: Parameters<Cloud['read']>) => {
        const seen = await shop.cloud.read(kind, id);
        reads += 1;
        if (reads === 1) await held;
        return seen;
      },
    };
    const slowWork = { ...slow, deps: { ...slow.deps, cloud } };
    const late = shop.handle(slowWork, keyOf(shop, run));
    await shop.handle(fast, keyOf(shop, run));
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
    release();
    expect((await late).outcomes).toEqual([{ accountId: A, outcome: 'resolved' }]);
    expect(shop.cloud.changes).toHaveLength(1);
    expect((await shop.types(A)).filter((type) => type === 'DriftDetected')).toHaveLength(1);
  });

  it('that failed before is decided anew, too, where the observation was overtaken', async () => {
    // As above, but what the slow worker would tell is news: the pause of an earlier failure is over.
    await open();
    const run = shop.run();
    failing(50, { before: cloudError('Throttled', 'ThrottlingException') });
    await shop.scan(run);
    await shop.workOff(await shop.process());
    trouble = () => null;
    await shop.clock.advance(DAY / 24);
    const [slow, fast] = [await shop.process(), await shop.process()];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let first = true;
    const cloud = {
      ...shop.cloud,
      read: async (...[kind, id]: Parameters<Cloud['read']>) => {
        const seen = await shop.cloud.read(kind, id);
        const wait = first;
        first = false;
        if (wait) await held;
        return seen;
      },
    };
    const before = shop.cloud.changes.length;
    const late = shop.handle({ ...slow, deps: { ...slow.deps, cloud } }, keyOf(shop, run));
    await shop.handle(fast, keyOf(shop, run));
    release();
    await late;
    expect(shop.cloud.changes.length - before).toBe(1);
    expect((await shop.types(A)).at(-1)).toBe('DriftResolved');
  });
});

describe('errors', () => {
  it('throttled, then let through: one claim, one intent', async () => {
    await open();
    failing(3, { before: cloudError('Throttled', 'ThrottlingException') });
    await shop.scan();
    await shop.workOff(await shop.process());
    expect(shop.cloud.changes).toHaveLength(4);
    expect((await shop.types(A)).filter((type) => type === 'RemediationStarted')).toHaveLength(1);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
  });

  it('the answer is lost: the call is repeated under the same token, and nothing happens twice', async () => {
    await open({ policy: BOTH });
    shop.cloud.set(A, { computeOptimizer: { status: 'Active' } });
    failing(1, { after: cloudError('Transient', 'ECONNRESET') });
    await shop.scan();
    await shop.workOff(await shop.process());
    const tokens = shop.cloud.changes.map(({ clientToken }) => clientToken);
    expect(tokens).toHaveLength(2);
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(await shop.condition(A, 'automation')).toMatchObject({ verdict: 'Compliant' });
  });

  it('retries used up: tried again later, each time later, and then a dead letter with the last error', async () => {
    await open({ settings: { maxAttempts: 3 } });
    trouble = ({ operation }) =>
      changing(operation) ? { before: cloudError('Transient', 'InternalServerException') } : null;
    await shop.scan();
    const work = await shop.process();
    await shop.workOff(work);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Drifted', reason: 'retrying', attempts: 1 });
    for (let attempt = 2; attempt <= 3; attempt += 1) {
      const { notBefore } = await shop.condition(A);
      const wait = Date.parse(notBefore ?? '') - shop.clock.now();
      expect(wait).toBeGreaterThan(0);
      await shop.later(work, wait - 1);
      expect((await shop.condition(A)).attempts).toBe(attempt - 1);
      await shop.later(work, 1);
    }
    expect(await shop.condition(A)).toMatchObject({
      reason: 'deadLettered',
      attempts: 3,
      driftSince: expect.any(String),
      claim: null,
    });
    const [letter] = await shop.store.deadLetters.list(10);
    expect(letter?.reason.code).toBe('InternalServerException');
    expect(letter?.message).toMatchObject({ accountId: A });
    const last = (await shop.chain(A)).at(-1);
    expect(letter?.reason.entryId).toBe(`${A}#${last?.seq}`);
    expect(last?.type).toBe('RemediationFailed');
  });

  it('a denied role: Blocked for long, no dead letter, and nobody else is stopped', async () => {
    await open({ members: 2 });
    trouble = ({ accountIds, operation }) =>
      accountIds.includes(A) && changing(operation) ? { before: cloudError('Denied', 'AccessDenied') } : null;
    await shop.scan();
    await shop.workOff(await shop.process());
    const blocked = await shop.condition(A);
    expect(blocked).toMatchObject({ verdict: 'Blocked', reason: 'denied', driftSince: expect.any(String) });
    expect(Date.parse(blocked.notBefore ?? '') - shop.clock.now()).toBeGreaterThan(5 * 60_000);
    expect(await shop.condition(accountId(1))).toMatchObject({ verdict: 'Compliant' });
    expect(await shop.store.deadLetters.list(1)).toEqual([]);
  });

  it('a denied role at reading: Blocked, and without an intent', async () => {
    await open();
    await shop.scan();
    trouble = ({ operation }) =>
      operation === 'GetEnrollmentStatus' ? { before: cloudError('Denied', 'AccessDenied') } : null;
    await shop.workOff(await shop.process());
    expect(await shop.types(A)).toEqual(['DriftDetected', 'RemediationBlocked']);
    expect(await shop.condition(A)).toMatchObject({ reason: 'denied' });
  });

  it('what cannot pass by itself is dead at once', async () => {
    await open();
    failing(9, { before: cloudError('Invalid', 'InvalidParameterCombination') });
    await shop.scan();
    await shop.workOff(await shop.process());
    expect(shop.cloud.changes).toHaveLength(1);
    expect(await shop.store.deadLetters.list(9)).toHaveLength(1);
  });

  it('a failed read of an account that is as wanted tells nothing about drift', async () => {
    await open();
    const run = shop.run();
    await shop.scan(run);
    const work = await shop.process();
    await shop.workOff(work);
    const before = await shop.types(A);
    trouble = () => ({ before: cloudError('Denied', 'AccessDenied') });
    await shop.handle(work, keyOf(shop, run));
    expect(await shop.types(A)).toEqual(before);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
  });

  it('a failed read while something is under way leaves it under way', async () => {
    await open({ cloud: { pendingMs: HOUR } });
    await shop.scan();
    const work = await shop.process();
    await shop.workOff(work);
    trouble = () => ({ before: cloudError('Denied', 'AccessDenied') });
    await shop.later(work, 60_000);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Converging' });
    trouble = () => null;
    for (let minutes = 0; minutes < 90; minutes += 1) await shop.later(work, 60_000);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
    expect(shop.cloud.changes).toHaveLength(1);
  });

  it('a code of two causes, opted out lately: cool-down until 24 hours after that', async () => {
    await open({ policy: BOTH });
    shop.cloud.set(A, { computeOptimizer: { status: 'Active' }, automation: { lastUpdated: NOW - 2 * DAY } });
    await shop.scan();
    // Someone opts in and out again between our look and our call.
    trouble = ({ operation }) => {
      if (operation === 'UpdateEnrollmentConfiguration') shop.cloud.set(A, { automation: { lastUpdated: NOW - HOUR } });
      return null;
    };
    await shop.workOff(await shop.process());
    expect(await shop.condition(A, 'automation')).toMatchObject({
      verdict: 'Blocked',
      reason: 'coolDown',
      attempts: 0,
      notBefore: iso(NOW + 23 * HOUR),
    });
  });

  it('a code of two causes about Compute Optimizer, which knows no cool-down: what the code says', async () => {
    await open();
    shop.cloud.set(A, { computeOptimizer: { lastUpdated: NOW - HOUR } });
    failing(9, { before: cloudError('Denied', 'AccessDenied', true) });
    await shop.scan();
    await shop.workOff(await shop.process());
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Blocked', reason: 'denied' });
  });

  it('a code of two causes, still associated: prerequisite', async () => {
    await open({ policy: policyOf('computeOptimizer: Active, automation: Inactive', FREELY) });
    shop.cloud.set(A, {
      computeOptimizer: { status: 'Active' },
      automation: { status: 'Active', ruleMode: 'NoneAllowed', lastUpdated: NOW - DAY },
    });
    await shop.scan();
    trouble = ({ operation }) => {
      if (operation === 'UpdateEnrollmentConfiguration') shop.cloud.set(A, { automation: { ruleMode: 'AnyAllowed' } });
      return null;
    };
    await shop.workOff(await shop.process());
    expect(await shop.condition(A, 'automation')).toMatchObject({ verdict: 'Blocked', reason: 'prerequisite' });
  });

  it('a code of two causes, and it is done already: no failure', async () => {
    await open();
    await shop.scan();
    trouble = ({ operation }) => {
      if (operation !== 'UpdateEnrollmentStatus') return null;
      shop.cloud.set(A, { computeOptimizer: { status: 'Active', lastUpdated: NOW } });
      return { before: cloudError('Invalid', 'InvalidParameterValueException', true) };
    };
    await shop.workOff(await shop.process());
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
    expect(await shop.store.deadLetters.list(1)).toEqual([]);
  });

  it('AWS reports Failed after our call: a failed attempt, with a pause, however it got there', async () => {
    await open({ cloud: { pendingMs: 5_000 }, settings: { maxAttempts: 3 } });
    await shop.scan();
    const work = await shop.process();
    await shop.workOff(work);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Converging', reason: 'pending' });
    shop.cloud.set(A, { computeOptimizer: { status: 'Failed', statusReason: 'no role', lastUpdated: NOW + 1 } });
    await shop.later(work, 10_000);
    expect(await shop.condition(A)).toMatchObject({
      verdict: 'Drifted',
      reason: 'retrying',
      attempts: 1,
      status: 'Failed',
    });
    expect(shop.cloud.changes).toHaveLength(1);
    expect((await shop.types(A)).at(-1)).toBe('RemediationFailed');
    expect((await shop.types(A)).filter((type) => type === 'DriftDetected')).toHaveLength(1);
  });

  it('refused credentials end the work, and the message stays', async () => {
    await open();
    await shop.scan();
    trouble = ({ operation }) =>
      operation === 'GetEnrollmentStatus' ? { before: cloudError('Unauthenticated', 'ExpiredToken') } : null;
    await expect(shop.workOff(await shop.process())).rejects.toThrow('ExpiredToken');
    expect((await shop.store.queue.depth()).visible).toBe(1);
    expect(await shop.types(A)).toEqual(['DriftDetected']);
  });

  it('a defect that strikes one message stops nobody, and ends among the dead letters', async () => {
    await open({ members: 2 });
    await shop.scan();
    const work = await shop.process();
    const broken = {
      ...shop.cloud,
      read: async (...[kind, id]: Parameters<Cloud['read']>) => {
        if (id === A) throw new TypeError('a defect');
        return shop.cloud.read(kind, id);
      },
    };
    const struck = { ...work, deps: { ...work.deps, cloud: broken } };
    for (let round = 0; round < 12; round += 1) {
      await shop.workOff(struck);
      await shop.clock.advance(10_000);
    }
    expect(await shop.condition(accountId(1))).toMatchObject({ verdict: 'Compliant' });
    const letters = await shop.store.deadLetters.list(9);
    expect(letters.map(({ reason }) => reason.message)).toEqual([expect.stringContaining('a defect')]);
  });
});

describe('crashes', () => {
  /** A process that ends in the middle of its call: before the request has an effect, or after. */
  async function crash(when: 'before' | 'after'): Promise<void> {
    await shop.scan();
    const work = await shop.process();
    const never = new Promise<never>(() => undefined);
    const cloud = {
      ...shop.cloud,
      change: async (...[request, beforeSend]: Parameters<typeof shop.cloud.change>) => {
        if (when === 'before') await beforeSend();
        else await shop.cloud.change(request, beforeSend);
        return never;
      },
    };
    const [delivery] = await shop.store.queue.receive(1, shop.settings.visibilityMs);
    if (delivery === undefined) expect.fail('a message');
    const { deliver } = await import('../../../../shared/app/reconciler/deliver.ts');
    deliver({ ...work, deps: { ...work.deps, cloud } }, delivery, 0).catch(() => undefined);
    while ((await shop.condition(A)).claim === null) await shop.clock.advance(0);
    await shop.clock.advance(0);
  }

  it('after the intent and before the call: nobody calls while the claim lasts, then it is tried again', async () => {
    await open();
    await crash('before');
    const work = await shop.process();
    await shop.later(work, shop.settings.claimMs - 1);
    expect(shop.cloud.changes).toEqual([]);
    await shop.later(work, 2);
    expect(await shop.types(A)).toEqual([
      'DriftDetected',
      'RemediationStarted',
      'RemediationFailed',
      'RemediationStarted',
      'RemediationSucceeded',
      'DriftResolved',
    ]);
    expect(shop.cloud.changes).toHaveLength(1);
  });

  it('after the call and before its outcome: the live state tells, and nobody calls again', async () => {
    await open();
    await crash('after');
    const work = await shop.process();
    await shop.later(work, shop.settings.claimMs + 1);
    expect(await shop.types(A)).toEqual([
      'DriftDetected',
      'RemediationStarted',
      'RemediationSucceeded',
      'DriftResolved',
    ]);
    expect(shop.cloud.changes).toHaveLength(1);
    const [, started, succeeded] = (await shop.chain(A)).filter(({ enrollment }) => enrollment === 'computeOptimizer');
    expect(succeeded?.detail).toMatchObject({ intentId: started?.id, message: expect.stringContaining('recovered') });
  });

  it('after the call, which is Pending: Converging, and in the end Compliant', async () => {
    await open({ cloud: { pendingMs: 5 * 60_000 } });
    await crash('after');
    const work = await shop.process();
    for (let minute = 0; minute < 12; minute += 1) await shop.later(work, 60_000);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Compliant', claim: null });
    expect(shop.cloud.changes).toHaveLength(1);
  });

  it('and the account lets nobody in any more: the claim is closed, and it is said that nobody can tell', async () => {
    await open();
    await crash('before');
    trouble = ({ operation }) =>
      operation === 'GetEnrollmentStatus' ? { before: cloudError('Denied', 'AccessDenied') } : null;
    const work = await shop.process();
    await shop.later(work, shop.settings.claimMs + 1);
    expect((await shop.condition(A)).claim).toBeNull();
    const said = (await shop.chain(A)).map(({ detail }) => detail?.message ?? '');
    expect(said.some((message) => message.includes('it is not known whether it was changed'))).toBe(true);
    expect(shop.cloud.changes).toHaveLength(0);
  });

  it('and AWS answers nobody for a while: it is asked ever more seldom, also where the other enrollment is looked at', async () => {
    await open({ policy: policyOf('computeOptimizer: Active, automation: Inactive', FREELY) });
    shop.cloud.set(MANAGEMENT_ID, { automation: { status: 'Inactive' } });
    await crash('before');
    trouble = ({ operation }) =>
      operation === 'GetEnrollmentStatus' ? { before: cloudError('Transient', 'ServiceUnavailable') } : null;
    const work = await shop.process();
    const run = shop.run();
    await shop.clock.advance(shop.settings.claimMs + 1);
    for (const minutes of [2, 4, 8]) {
      await shop.later(work, minutes * 60_000);
      await shop.handle(work, keyOf(shop, run, 0, 'automation'));
      // Whoever ticks now finds nothing to do.
      expect(await shop.store.records.due(shop.clock.now(), 10), `after ${minutes} more minutes`).toEqual([]);
      expect((await shop.condition(A)).claim).not.toBeNull();
    }
    trouble = () => null;
    await shop.later(work, 15 * 60_000);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Compliant', claim: null });
    expect(shop.cloud.changes).toHaveLength(1);
  });

  it('and who looks for it ends meanwhile: that says nothing of the account, and the next one finds out', async () => {
    await open();
    await crash('after');
    trouble = ({ operation }) =>
      operation === 'GetEnrollmentStatus' ? { before: cloudError('Transient', 'Closed') } : null;
    const work = await shop.process();
    await shop.later(work, shop.settings.claimMs + 1);
    expect((await shop.condition(A)).claim).not.toBeNull();
    trouble = () => null;
    await shop.later(work, 15 * 60_000);
    expect(await shop.types(A)).toEqual([
      'DriftDetected',
      'RemediationStarted',
      'RemediationSucceeded',
      'DriftResolved',
    ]);
  });

  it('and the account has left meanwhile: the claim is closed all the same', async () => {
    await open({ members: 2 });
    await crash('before');
    const accounts = [...shop.members.slice(1)];
    const cloud = {
      ...shop.cloud,
      readOrganization: async (...args: Parameters<typeof shop.cloud.readOrganization>) => {
        const snapshot = await shop.cloud.readOrganization(...args);
        return {
          ...snapshot,
          accounts: snapshot.accounts.filter(({ id }) => id !== A || accounts.some((a) => a.id === A)),
        };
      },
      // The enrollment listing still carries it; asked by name, AWS says that it is gone.
      readAccount: async (...[id, options]: Parameters<typeof shop.cloud.readAccount>) =>
        id === A ? null : shop.cloud.readAccount(id, options),
    };
    await shop.clock.advance(10 * 60_000);
    const { scan } = await import('../../../../shared/app/scan/scan.ts');
    const deps = shop.deps({ cloud });
    await shop.settle(
      scan(deps, shop.settings, shop.retrying(), shop.run(), () => undefined, new AbortController().signal),
    );
    const work = await shop.process({ cloud });
    await shop.later(work, 2 * 60_000);
    expect(await shop.condition(A)).toMatchObject({ verdict: 'NotApplicable', claim: null });
    expect((await shop.types(A)).at(-1)).toBe('RemediationFailed');
    // And it is not looked at every minute for ever.
    expect(await shop.store.records.due(shop.clock.now() + DAY, 10)).toEqual([]);
    expect(shop.cloud.changes.filter(({ accountIds }) => accountIds.includes(A))).toEqual([]);
  });
});

describe('order', () => {
  it('Compute Optimizer first, and then Automation, which waited for it', async () => {
    await open({ policy: BOTH });
    await shop.scan();
    expect(await shop.condition(A, 'automation')).toMatchObject({ verdict: 'Blocked', reason: 'prerequisite' });
    await shop.workOff(await shop.process());
    expect(shop.cloud.changes.map(({ operation }) => operation)).toEqual([
      'UpdateEnrollmentStatus',
      'UpdateEnrollmentConfiguration',
    ]);
    expect(await shop.condition(A, 'automation')).toMatchObject({ verdict: 'Compliant' });
  });

  it('disassociate, and then disable', async () => {
    await open({ policy: policyOf('computeOptimizer: Active, automation: Inactive', FREELY) });
    const automation = { status: 'Active', ruleMode: 'AnyAllowed', lastUpdated: NOW - DAY } as const;
    shop.cloud.set(A, { computeOptimizer: { status: 'Active' }, automation });
    await shop.scan();
    await shop.workOff(await shop.process());
    const ours = shop.cloud.changes.filter(({ accountIds }) => accountIds.includes(A));
    expect(ours.map(({ operation }) => operation)).toEqual(['DisassociateAccounts', 'UpdateEnrollmentConfiguration']);
    const condition = await shop.condition(A, 'automation');
    expect(condition).toMatchObject({ verdict: 'Compliant', status: 'Inactive', ruleMode: 'NoneAllowed' });
    expect(condition.optedOutAt).not.toBeNull();
  });

  it('an opt-out is remembered: opting in again waits for 24 hours from it', async () => {
    await open({ policy: policyOf('computeOptimizer: Active, automation: Inactive', FREELY) });
    shop.cloud.set(A, {
      computeOptimizer: { status: 'Active' },
      automation: { status: 'Active', lastUpdated: NOW - DAY },
    });
    await shop.scan();
    await shop.workOff(await shop.process());
    const { optedOutAt } = await shop.condition(A, 'automation');
    expect(optedOutAt).toBe(iso(shop.clock.now()));
  });
});

describe('waiting', () => {
  it('an exemption that was prolonged is not looked at every minute once its first end has come', async () => {
    await open();
    await shop.scan();
    const work = await shop.process();
    await shop.workOff(work);
    // What a prolonged exemption leaves behind: a time that has passed, and no news.
    const record = await shop.store.records.get(A);
    if (record?.conditions.computeOptimizer == null) expect.fail('a record');
    const head = { seq: record.head.seq + 1, hash: 'f'.repeat(64) };
    const waiting = { ...record.conditions.computeOptimizer, notBefore: iso(shop.clock.now() + 1_000) };
    await shop.store.records.advance([withCondition({ ...record, head }, 'computeOptimizer', waiting)]);
    await shop.later(work, 2_000);
    expect(await shop.store.records.due(shop.clock.now() + DAY, 10)).toEqual([]);
    // The record that was put there belongs to no chain; it must not trouble what is checked after each test.
    await shop.store.records.advance([{ ...record, head: { ...head, seq: head.seq + 1 } }]);
  });
});

describe('the pool', () => {
  it('prolongs the visibility of a message while its work lasts', async () => {
    await open();
    await shop.scan();
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    trouble = ({ operation }) => (operation === 'GetEnrollmentStatus' ? { wait: held } : null);
    const pool = new WorkerPool(await shop.process(), () => undefined);
    await pool.take();
    // The lane has begun once its heartbeat sleeps.
    while (shop.clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
    // In steps: prolonging is a write of its own, and takes a moment that no clock shows.
    for (let step = 0; step < 30; step += 1) {
      await shop.clock.advance(shop.settings.visibilityMs / 10);
      await shop.store.queue.depth();
    }
    expect(await shop.store.queue.depth()).toMatchObject({ visible: 0, inFlight: 1 });
    expect(await shop.store.queue.receive(1, 1_000)).toEqual([]);
    finish();
    await shop.settle(pool.drain());
    expect(await shop.store.queue.depth()).toMatchObject({ visible: 0, inFlight: 0 });
    expect(await shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
    // And no longer.
    expect(shop.clock.sleeping).toBe(0);
  });
});
