import { afterEach, describe, expect, it } from 'vitest';
import type { Check } from '../../../../shared/app/reconciler/checks/check.ts';
import { ChangeRefused, Guard } from '../../../../shared/app/reconciler/checks/guard.ts';
import { processMessage } from '../../../../shared/app/reconciler/dispatch.ts';
import { earlyScanRequest } from '../../../../shared/app/schedule/scan-requests.ts';
import { type Cloud, MAX_BATCH } from '../../../../shared/ports/cloud.ts';
import { DAY, HOUR, NOW, policyOf } from '../../../support/domain-kit.ts';
import { cloudError, type MemoryCloudOptions, type Trouble, type WireCall } from '../../../support/memory-cloud.ts';
import { accountId, keyOf, Workshop, type WorkshopOptions } from '../../../support/workshop.ts';

const FREELY = 'guardrails: { maxChanges: { percent: 100 }, maxOptOuts: { percent: 100 } }';
const ASSOCIATE = policyOf('computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed', FREELY);
const DISSOCIATE = policyOf('computeOptimizer: Active, organizationRules: NoneAllowed', FREELY);

let shop: Workshop;
let trouble: (call: WireCall) => Trouble | null | undefined = () => null;

async function open(options: WorkshopOptions): Promise<Workshop> {
  trouble = () => null;
  const cloud: Partial<MemoryCloudOptions> = { ...options.cloud, trouble: (call) => trouble(call) };
  shop = await Workshop.open({ ...options, cloud });
  return shop;
}

afterEach(async () => {
  await shop.checkInvariants();
  await shop.close();
});

/** Calls about members, by operation and how many accounts each was about. */
function changes(): readonly string[] {
  return shop.cloud.changes.map(({ operation, accountIds }) => `${operation} ${accountIds.length}`);
}

/** Members whose Compute Optimizer is Active already, so that only Automation is to be done. */
async function enrolled(members: number, policy = ASSOCIATE): Promise<Workshop> {
  await open({ policy, members });
  for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
  return shop;
}

describe('a batch', () => {
  it('is one call for up to 50 accounts, with an intent and an outcome for each', async () => {
    await enrolled(MAX_BATCH + 2);
    await shop.scan();
    await shop.workOff(await shop.process());
    expect(changes()).toEqual(['AssociateAccounts 50', 'AssociateAccounts 2']);
    for (const { id } of shop.members) {
      expect(await shop.types(id, 'automation')).toEqual([
        'DriftDetected',
        'RemediationStarted',
        'RemediationSucceeded',
        'DriftResolved',
      ]);
    }
    const tokens = new Set(shop.cloud.changes.map(({ clientToken }) => clientToken));
    expect(tokens.size).toBe(2);
    // Read through listings, not one by one.
    const reads = shop.cloud.calls.filter(({ operation }) => operation === 'GetEnrollmentConfiguration');
    expect(reads.filter(({ accountIds }) => accountIds[0] !== undefined && accountIds[0] >= accountId(0))).toEqual([]);
  });

  it('with partial success: those left out go on alone, the others are done', async () => {
    await enrolled(4);
    await shop.scan();
    let first = true;
    trouble = ({ operation }) => {
      if (operation !== 'AssociateAccounts' || !first) return null;
      first = false;
      return { refused: [accountId(1), accountId(3)] };
    };
    await shop.workOff(await shop.process());
    expect(changes()).toEqual(['AssociateAccounts 4', 'AssociateAccounts 1', 'AssociateAccounts 1']);
    for (const { id } of shop.members)
      expect(await shop.condition(id, 'automation')).toMatchObject({ verdict: 'Compliant' });
    const [, , failed] = (await shop.chain(accountId(1))).filter(({ enrollment }) => enrollment === 'automation');
    expect(failed).toMatchObject({ type: 'RemediationFailed', detail: { error: { code: 'NotAmongSucceeded' } } });
  });

  it('that fails as a whole: each account goes on alone, and one bad one does not hold back the others', async () => {
    await enrolled(3);
    await shop.scan();
    trouble = ({ operation, accountIds }) =>
      operation === 'AssociateAccounts' && accountIds.includes(accountId(1))
        ? { before: cloudError('Invalid', 'InvalidParameterCombination') }
        : null;
    await shop.workOff(await shop.process());
    expect(changes()).toEqual([
      'AssociateAccounts 3',
      'AssociateAccounts 1',
      'AssociateAccounts 1',
      'AssociateAccounts 1',
    ]);
    expect(await shop.condition(accountId(0), 'automation')).toMatchObject({ verdict: 'Compliant' });
    expect(await shop.condition(accountId(1), 'automation')).toMatchObject({ reason: 'deadLettered' });
    expect(await shop.condition(accountId(2), 'automation')).toMatchObject({ verdict: 'Compliant' });
  });

  it.each([
    ['Denied', 'AccessDeniedException', 'denied'],
    ['Prerequisite', 'OptInRequiredException', 'prerequisite'],
  ] as const)(
    'that is refused as a whole (%s) blocks all of it, with one call, and comes back as a batch',
    async (kind, code, reason) => {
      await enrolled(4);
      await shop.scan();
      trouble = ({ operation }) => (operation === 'AssociateAccounts' ? { before: cloudError(kind, code) } : null);
      const work = await shop.process();
      await shop.workOff(work);
      expect(changes()).toEqual(['AssociateAccounts 4']);
      const times = new Set<string | null>();
      for (const { id } of shop.members) {
        const known = await shop.condition(id, 'automation');
        expect(known).toMatchObject({ verdict: 'Blocked', reason, attempts: 1, claim: null });
        expect(known?.driftSince).not.toBeNull();
        times.add(known.notBefore);
        expect(await shop.types(id, 'automation')).toEqual([
          'DriftDetected',
          'RemediationStarted',
          'RemediationBlocked',
        ]);
      }
      expect(times.size).toBe(1);
      trouble = () => null;
      await shop.later(work, HOUR);
      expect(changes()).toEqual(['AssociateAccounts 4', 'AssociateAccounts 4']);
      for (const { id } of shop.members)
        expect(await shop.condition(id, 'automation')).toMatchObject({ verdict: 'Compliant' });
    },
  );

  it('that is not sent because its process ends comes back as a batch', async () => {
    await enrolled(4);
    await shop.scan();
    trouble = ({ operation }) =>
      operation === 'AssociateAccounts' ? { before: cloudError('Transient', 'Closed') } : null;
    const work = await shop.process();
    await shop.workOff(work);
    trouble = () => null;
    await shop.later(work, HOUR);
    expect(changes()).toEqual(['AssociateAccounts 4', 'AssociateAccounts 4']);
  });

  it('that is throttled beyond all patience is retried as a batch, and in the end a dead letter as one', async () => {
    await enrolled(4);
    await shop.scan();
    trouble = ({ operation }) =>
      operation === 'AssociateAccounts' ? { before: cloudError('Throttled', 'ThrottlingException') } : null;
    const work = await shop.process();
    for (let pauses = 0; pauses < 8; pauses += 1) await shop.later(work, 10 * 60_000);
    expect(new Set(changes())).toEqual(new Set(['AssociateAccounts 4']));
    for (const { id } of shop.members) {
      expect(await shop.condition(id, 'automation')).toMatchObject({ reason: 'deadLettered', attempts: 5 });
    }
    const letters = await shop.store.deadLetters.list(9);
    expect(letters.map(({ message }) => message?.kind)).toEqual(['batch']);
    expect(letters[0]?.reason).toMatchObject({
      code: 'ThrottlingException',
      entryId: expect.stringMatching(/^\d{12}#\d+$/),
    });
  });

  it.each([
    ['and not even the listing is answered: trusted access is off, so all wait', true],
    ['and the listing is answered: one of the accounts may be the cause', false],
  ] as const)('is forbidden, %s', async (_, listingToo) => {
    await enrolled(3);
    await shop.scan();
    let refused = false;
    trouble = ({ operation, accountIds }) => {
      const forbidden = { before: cloudError('Denied', 'ForbiddenException', true) };
      if (operation === 'list automation') return refused && listingToo ? forbidden : null;
      if (operation !== 'AssociateAccounts' || accountIds.length === 1) return null;
      refused = true;
      return forbidden;
    };
    await shop.workOff(await shop.process());
    const alone = ['AssociateAccounts 1', 'AssociateAccounts 1', 'AssociateAccounts 1'];
    expect(changes()).toEqual(['AssociateAccounts 3', ...(listingToo ? [] : alone)]);
    const expected = listingToo ? { verdict: 'Blocked', reason: 'prerequisite' } : { verdict: 'Compliant' };
    for (const { id } of shop.members) expect(await shop.condition(id, 'automation')).toMatchObject(expected);
  });

  it('whose listing is refused is no defect of the message: its accounts are recorded, and wait together', async () => {
    await enrolled(3);
    await shop.scan();
    trouble = ({ operation }) =>
      operation === 'list automation' ? { before: cloudError('Denied', 'ForbiddenException', true) } : null;
    const work = await shop.process();
    await shop.workOff(work);
    expect(changes()).toEqual([]);
    for (const { id } of shop.members) {
      expect(await shop.condition(id, 'automation')).toMatchObject({ verdict: 'Blocked', reason: 'prerequisite' });
    }
    trouble = () => null;
    await shop.later(work, HOUR);
    expect(changes()).toEqual(['AssociateAccounts 3']);
  });

  it('is formed of what came free together: Compute Optimizer first, then one call for all', async () => {
    await open({ policy: ASSOCIATE, members: 20 });
    await shop.scan();
    const work = await shop.process();
    await shop.workOff(work);
    await shop.later(work, 0);
    expect(changes().filter((change) => change.startsWith('Associate'))).toEqual(['AssociateAccounts 20']);
    for (const { id } of shop.members)
      expect(await shop.condition(id, 'automation')).toMatchObject({ verdict: 'Compliant' });
  });

  it('that stays Pending is looked for in one listing, not account by account', async () => {
    await open({ policy: ASSOCIATE, members: 10, cloud: { pendingMs: 10 * 60_000 } });
    for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
    await shop.scan();
    const work = await shop.process();
    await shop.workOff(work);
    const reads = () => shop.cloud.calls.filter(({ operation }) => operation === 'GetEnrollmentConfiguration').length;
    const before = reads();
    for (let minutes = 0; minutes < 20; minutes += 1) await shop.later(work, 60_000);
    expect(changes()).toEqual(['AssociateAccounts 10']);
    expect(reads()).toBe(before);
    for (const { id } of shop.members)
      expect(await shop.condition(id, 'automation')).toMatchObject({ verdict: 'Compliant' });
  });

  it('whose message comes twice at once is one call', async () => {
    await enrolled(5);
    await shop.scan();
    const [message, ...more] = (await shop.messages()).filter(({ kind }) => kind === 'batch');
    if (message === undefined) expect.fail('a batch');
    expect(more).toEqual([]);
    const [one, two] = [await shop.process(), await shop.process()];
    const results = await shop.settle(Promise.all([shop.handle(one, message), shop.handle(two, message)]));
    await shop.store.queue.send(results.flatMap(({ followUps }) => followUps));
    await shop.workOff(one);
    expect(changes()).toEqual(['AssociateAccounts 5']);
  });

  it('whose message comes late, to a process with an old listing, is no call at all', async () => {
    await enrolled(5);
    await shop.scan();
    const [message] = (await shop.messages()).filter(({ kind }) => kind === 'batch');
    if (message === undefined) expect.fail('a batch');
    const [one, two] = [await shop.process(), await shop.process()];
    // The second process has its listing before the first one acts.
    await two.automationListing.recent(0);
    await shop.clock.advance(1_000);
    await shop.handle(one, message);
    await shop.clock.advance(1_000);
    const { outcomes } = await shop.handle(two, message);
    expect(changes()).toEqual(['AssociateAccounts 5']);
    expect(outcomes.every(({ outcome }) => outcome === 'resolved')).toBe(true);
    expect(await shop.types(accountId(0), 'automation')).toHaveLength(4);
  });

  it('leaves out accounts that are as wanted by now', async () => {
    await enrolled(3);
    await shop.scan();
    await shop.clock.advance(1_000);
    shop.cloud.set(accountId(1), { automation: { status: 'Active', ruleMode: 'AnyAllowed', lastUpdated: NOW } });
    await shop.workOff(await shop.process());
    expect(changes()).toEqual(['AssociateAccounts 2']);
    expect(await shop.types(accountId(1), 'automation')).toEqual(['DriftDetected', 'DriftResolved']);
  });

  it('disassociating counts as an opt-out, and is stopped by its cap', async () => {
    const none = policyOf(
      'computeOptimizer: Active, organizationRules: NoneAllowed',
      'guardrails: { maxChanges: { percent: 100 } }',
    );
    await enrolled(3, none);
    for (const { id } of shop.members) shop.cloud.set(id, { automation: { status: 'Active', ruleMode: 'AnyAllowed' } });
    const plan = await shop.scan();
    expect(plan.trip).toMatchObject({ reason: 'maxOptOuts' });
    expect(await shop.messages()).toEqual([]);
  });

  it('disassociates several at once', async () => {
    await enrolled(3, DISSOCIATE);
    for (const { id } of shop.members) shop.cloud.set(id, { automation: { status: 'Active', ruleMode: 'AnyAllowed' } });
    await shop.scan();
    await shop.workOff(await shop.process());
    expect(changes()).toEqual(['DisassociateAccounts 3']);
    // No cool-down follows: Automation itself was not turned off.
    expect((await shop.condition(accountId(0), 'automation')).optedOutAt).toBeNull();
  });

  it('is not sent when its claims have nearly run out', async () => {
    await enrolled(2);
    await shop.scan();
    let first = true;
    const work = await shop.process();
    const slow = {
      ...shop.cloud,
      change: async (...[request, beforeSend]: Parameters<typeof shop.cloud.change>) => {
        // The limiter lets it wait for nearly as long as the claims last.
        if (first) await shop.clock.sleep(shop.settings.claimMs * 0.95);
        first = false;
        return shop.cloud.change(request, beforeSend);
      },
    };
    await shop.workOff({ ...work, deps: { ...work.deps, cloud: slow } });
    expect(changes()).toEqual(['AssociateAccounts 1', 'AssociateAccounts 1']);
    for (const { id } of shop.members)
      expect(await shop.condition(id, 'automation')).toMatchObject({ verdict: 'Compliant' });
  });

  it('whose worker died after the call, and whose message comes again once the claims have run out: each intent gets its outcome', async () => {
    await enrolled(3);
    await shop.scan();
    const [message] = (await shop.messages()).filter(({ kind }) => kind === 'batch');
    if (message === undefined) expect.fail('a batch');
    const work = await shop.process();
    const deadly = {
      ...shop.cloud,
      change: async (...given: Parameters<typeof shop.cloud.change>) => {
        await shop.cloud.change(...given);
        throw new Error('SIGKILL');
      },
    };
    await expect(shop.handle({ ...work, deps: { ...work.deps, cloud: deadly } }, message)).rejects.toThrow('SIGKILL');
    await shop.clock.advance(shop.settings.claimMs + 1_000);
    const next = await shop.process();
    await shop.handle(next, message);
    await shop.later(next, 1_000);
    expect(changes()).toEqual(['AssociateAccounts 3']);
    for (const { id } of shop.members) {
      expect(await shop.types(id, 'automation')).toEqual([
        'DriftDetected',
        'RemediationStarted',
        'RemediationSucceeded',
        'DriftResolved',
      ]);
    }
  });
});

describe('the organization-wide call', () => {
  const sweeping = policyOf('computeOptimizer: Active', `${FREELY}\norganization: { organizationEnrollment: auto }`);

  it('is one call, with an intent for every account that it changes, verified by listing', async () => {
    await open({ policy: sweeping, members: 30 });
    const plan = await shop.scan();
    expect(plan.orgWide.used).toBe(true);
    await shop.workOff(await shop.process());
    expect(changes()).toEqual(['UpdateEnrollmentStatus 30']);
    for (const { id } of shop.members) {
      expect(await shop.types(id)).toEqual([
        'DriftDetected',
        'RemediationStarted',
        'RemediationSucceeded',
        'DriftResolved',
      ]);
    }
    expect((await shop.chain(accountId(0))).find(({ type }) => type === 'RemediationStarted')?.detail?.scope).toBe(
      'organization',
    );
  });

  it('that fails falls back to single accounts', async () => {
    await open({ policy: sweeping, members: 12 });
    await shop.scan();
    let first = true;
    trouble = ({ operation }) => {
      if (operation !== 'UpdateEnrollmentStatus' || !first) return null;
      first = false;
      return { before: cloudError('Denied', 'AccessDenied') };
    };
    await shop.workOff(await shop.process());
    expect(shop.cloud.changes).toHaveLength(13);
    for (const { id } of shop.members) expect(await shop.condition(id)).toMatchObject({ verdict: 'Compliant' });
  });

  it('is not made while someone else has claimed an account that it would touch', async () => {
    await open({ policy: sweeping, members: 12 });
    const run = shop.run();
    await shop.scan(run);
    const [work, other] = [await shop.process(), await shop.process()];
    const never = new Promise<never>(() => undefined);
    const cloud: Cloud = {
      ...shop.cloud,
      change: async (_request, beforeSend) => {
        await beforeSend();
        return never;
      },
    };
    let checks = 0;
    const guard: Guard = Object.create(work.guard, {
      check: {
        value: async (...args: Parameters<Guard['check']>) => {
          checks += 1;
          if (checks === 1) {
            // Between our look and our claims.
            const slow = processMessage({ ...other, deps: { ...other.deps, cloud } }, keyOf(shop, run, 3));
            slow.catch(() => undefined);
            while ((await shop.condition(accountId(3))).claim === null) await shop.clock.advance(0);
          }
          return work.guard.check(...args);
        },
      },
    });
    await shop.workOff({ ...work, guard });
    expect(changes().filter((call) => call !== 'UpdateEnrollmentStatus 1')).toEqual([]);
    const others = shop.members.filter(({ id }) => id !== accountId(3));
    for (const { id } of others) expect(await shop.condition(id)).toMatchObject({ verdict: 'Compliant' });
    expect((await shop.condition(accountId(3))).claim).not.toBeNull();
  });

  it('is given up for single accounts if by now anything speaks against it', async () => {
    await open({ policy: sweeping, members: 12 });
    await shop.scan();
    shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Pending', lastUpdated: NOW - 2 * DAY } });
    await shop.clock.advance(1_000);
    await shop.workOff(await shop.process());
    expect(shop.cloud.changes.map(({ accountIds }) => accountIds[0])).toEqual(
      shop.members.slice(1).map(({ id }) => id),
    );
  });
});

describe('guardrails, right before the call', () => {
  it('a run that is stopped between intent and call: the claim is closed as Blocked, no call', async () => {
    await open({ policy: policyOf('computeOptimizer: Active', FREELY) });
    const run = shop.run();
    await shop.scan(run);
    const work = await shop.process();
    let checks = 0;
    const guard = Object.create(work.guard, {
      check: {
        value: async (...args: Parameters<typeof work.guard.check>) => {
          checks += 1;
          // The first question is asked before the intent. Between both the run is stopped.
          if (checks === 2) for (let n = 0; n < 6; n += 1) await work.runs.countFailure(run.runId, shop.policy);
          return work.guard.check(...args);
        },
      },
    });
    await shop.handle({ ...work, guard }, keyOf(shop, run));
    expect(changes()).toEqual([]);
    expect(await shop.types(accountId(0))).toEqual(['DriftDetected', 'RemediationStarted', 'RemediationBlocked']);
    expect(await shop.condition(accountId(0))).toMatchObject({ verdict: 'Blocked', reason: 'guardrail', claim: null });
  });

  it('a veto that knows its end is Blocked until then, and needs no scan afterwards', async () => {
    await open({ policy: policyOf('computeOptimizer: Active', FREELY) });
    const run = shop.run();
    await shop.scan(run);
    const work = await shop.process();
    const until = shop.clock.now() + 600_000;
    const closed: Check = {
      ask: async () => {
        if (shop.clock.now() < until) throw new ChangeRefused('window', 'closed', until);
      },
    };
    const guarded = { ...work, guard: new Guard(work.runs, [closed]) };
    await shop.workOff(guarded);
    expect(changes()).toEqual([]);
    const notBefore = new Date(until).toISOString();
    expect(await shop.condition(accountId(0))).toMatchObject({ verdict: 'Blocked', reason: 'window', notBefore });
    await shop.later(guarded, 500_000);
    expect(changes()).toEqual([]);
    await shop.later(guarded, 100_000);
    expect(changes()).toEqual(['UpdateEnrollmentStatus 1']);
    expect(await shop.condition(accountId(0))).toMatchObject({ verdict: 'Compliant', notBefore: null });
  });

  it('failureTolerance stops the run: what is left is Blocked without intents, and everybody is told once', async () => {
    await open({ policy: policyOf('computeOptimizer: Active', FREELY), members: 20 });
    trouble = ({ operation }) =>
      operation === 'UpdateEnrollmentStatus' ? { before: cloudError('Invalid', 'InvalidParameterCombination') } : null;
    await shop.scan();
    await shop.workOff(await shop.process());
    expect(shop.cloud.changes).toHaveLength(5);
    const types = await Promise.all(shop.members.map(({ id }) => shop.types(id)));
    expect(types.filter((list) => list.includes('RemediationStarted'))).toHaveLength(5);
    expect(types.filter((list) => list.at(-1) === 'RemediationBlocked')).toHaveLength(15);
    const told = (await shop.chain('organization')).filter(({ type }) => type === 'GuardrailTripped');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ reason: 'failureTolerance', runId: 'run-1' });
    // Only what was really tried counts towards the caps of the next 24 hours.
    expect((await shop.store.ledger.changedSince(new Date(NOW - DAY).toISOString())).size).toBe(5);
  });

  it('maxChanges holds for keys that come one by one', async () => {
    const policy = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 0, atLeast: 3 } }');
    await open({ policy, members: 3 });
    const run = shop.run();
    await shop.scan(run);
    const work = await shop.process();
    await shop.workOff(work);
    expect(shop.cloud.changes).toHaveLength(3);
    // The account that was changed may be changed again; a further one may not.
    shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Inactive', lastUpdated: NOW + 1 } });
    await shop.handle(work, keyOf(shop, run, 0));
    expect(shop.cloud.changes).toHaveLength(4);
    shop.cloud.set('100000000000', { computeOptimizer: { status: 'Inactive', lastUpdated: NOW + 1 } });
    await shop.handle(work, {
      ...keyOf(shop, run),
      kind: 'account',
      enrollment: 'computeOptimizer',
      accountId: '100000000000',
    });
    expect(shop.cloud.changes).toHaveLength(4);
    expect(await shop.condition('100000000000')).toMatchObject({ verdict: 'Blocked', reason: 'guardrail' });
    // A scan is to judge it with whatever else has come, so that there is a plan to approve.
    expect(await earlyScanRequest(shop.store.registers)).toMatchObject({
      reason: expect.stringContaining('maxChanges allows 3'),
    });
  });

  it('a key of a run that is not known is not acted upon', async () => {
    await open({ policy: policyOf('computeOptimizer: Active', FREELY) });
    await shop.scan();
    await shop.handle(await shop.process(), { ...keyOf(shop, shop.run()), runId: 'none' });
    expect(changes()).toEqual([]);
    expect(await shop.condition(accountId(0))).toMatchObject({ verdict: 'Blocked', reason: 'guardrail' });
  });

  it('a run bound to a plan makes the second step of what the plan allows, and nothing else', async () => {
    const policy = policyOf('computeOptimizer: Active, automation: Inactive', FREELY);
    await enrolled(2, policy);
    const on = { status: 'Active', lastUpdated: NOW - DAY } as const;
    shop.cloud.set('100000000000', { automation: { status: 'Inactive' } });
    shop.cloud.set(accountId(0), { automation: { ...on, ruleMode: 'AnyAllowed' } });
    const found = await shop.scan();
    await shop.messages();
    const { RunStore } = await import('../../../../shared/app/coordination/run-store.ts');
    const { changeKey } = await import('../../../../shared/app/plan/plan.ts');
    const keys = found.due.map(changeKey);
    await new RunStore(shop.store.registers).storePlan(found.planHash, policy.hash, keys, NOW);
    shop.cloud.set(accountId(1), { automation: { ...on, ruleMode: 'NoneAllowed' } });
    await shop.scan(shop.run(found.planHash));
    await shop.workOff(await shop.process());
    expect(changes()).toEqual(['DisassociateAccounts 1', 'UpdateEnrollmentConfiguration 1']);
    expect(await shop.condition(accountId(0), 'automation')).toMatchObject({ verdict: 'Compliant' });
    expect(await shop.condition(accountId(1), 'automation')).toMatchObject({ verdict: 'Drifted' });
  });
});
