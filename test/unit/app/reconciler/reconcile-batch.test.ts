import { describe, expect, it } from 'vitest';
import { writeEntries } from '../../../../shared/app/ledger/write-entries.ts';
import { emptyRecord } from '../../../../shared/domain/account/record.ts';
import { accountEntry, facetOfCondition } from '../../../../shared/domain/account/transition.ts';
import { NOW, policyOf } from '../../../support/domain-kit.ts';
import { NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const ASSOCIATE = policyOf('computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed', NO_CAPS);
const DISSOCIATE = policyOf('computeOptimizer: Active, organizationRules: NoneAllowed', NO_CAPS);

describe('a batch', () => {
  it('is one call for up to 50 accounts, with an intent and an outcome for each', async () => {
    await bed.enrolled({ policy: ASSOCIATE, members: 52 });
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual(['AssociateAccounts 50', 'AssociateAccounts 2']);
    for (const { id } of bed.shop.members) {
      expect(await bed.shop.types(id, 'automation')).toEqual([
        'DriftDetected',
        'RemediationStarted',
        'RemediationSucceeded',
        'DriftResolved',
      ]);
    }
    const tokens = new Set(bed.shop.cloud.changes.map(({ clientToken }) => clientToken));
    expect(tokens.size).toBe(2);
    // The accounts are read through listings, not one by one.
    const reads = bed.shop.cloud.calls.filter(({ operation }) => operation === 'GetEnrollmentConfiguration');
    expect(reads.filter(({ accountIds }) => accountIds[0] !== undefined && accountIds[0] >= accountId(0))).toEqual([]);
  });

  it('is formed of accounts whose prerequisite is met together: Compute Optimizer first, then one call for all', async () => {
    await bed.open({ policy: ASSOCIATE, members: 20 });
    await bed.shop.scan();
    const work = await bed.shop.process();
    await bed.shop.workOff(work);
    await bed.shop.later(work, 0);
    expect(bed.changes().filter((change) => change.startsWith('Associate'))).toEqual(['AssociateAccounts 20']);
    for (const { id } of bed.shop.members)
      expect(await bed.shop.condition(id, 'automation')).toMatchObject({ verdict: 'Compliant' });
  });

  it('uses the listing of the batch before it, although an independent enrollment of its accounts has changed since', async () => {
    const hub = 'costOptimizationHub: Active';
    const policy = policyOf(
      `computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed, ${hub}`,
      NO_CAPS,
    );
    await bed.enrolled({ policy, members: 60 });
    for (const { id } of bed.shop.members) bed.shop.cloud.set(id, { costOptimizationHub: { status: 'Active' } });
    await bed.shop.scan();
    const [first, second] = (await bed.shop.messages()).filter(({ kind }) => kind === 'batch');
    if (first === undefined || second === undefined) return expect.fail('two batches are needed');
    const work = await bed.shop.process();
    const listings = () => bed.shop.cloud.calls.filter(({ operation }) => operation === 'list automation').length;
    await bed.shop.clock.advance(1_000);
    await bed.shop.handle(work, first);
    await bed.shop.clock.advance(1_000);
    for (const { id } of bed.shop.members.slice(50)) {
      bed.shop.cloud.set(id, { costOptimizationHub: { status: 'Inactive' } });
      const { runId, policyHash, planHash } = second;
      const key = {
        v: 1,
        kind: 'account',
        accountId: id,
        enrollment: 'costOptimizationHub',
        runId,
        policyHash,
        planHash,
      } as const;
      await bed.shop.handle(work, key);
    }
    const before = listings();
    await bed.shop.handle(work, second);
    expect(bed.changes().filter((change) => change.startsWith('Associate'))).toEqual([
      'AssociateAccounts 50',
      'AssociateAccounts 10',
    ]);
    // The one that shows the result.
    expect(listings() - before).toBe(1);
  });

  it('uses another listing if clocks may disagree whether a record was changed before the last one began', async () => {
    await bed.enrolled({ policy: ASSOCIATE, members: 60 });
    await bed.shop.scan();
    const [first, second] = (await bed.shop.messages()).filter(({ kind }) => kind === 'batch');
    if (first === undefined || second === undefined) return expect.fail('two batches are needed');
    const work = await bed.shop.process();
    const listings = () => bed.shop.cloud.calls.filter(({ operation }) => operation === 'list automation').length;
    await bed.shop.clock.advance(1_000);
    await bed.shop.handle(work, first);
    // Another worker, whose clock is 150 ms behind, writes after the listing.
    const id = accountId(55);
    const deps = bed.shop.deps();
    const now = deps.clock.now() - 150;
    const record = (await deps.records.get(id)) ?? emptyRecord(id);
    const after = { ...facetOfCondition(await bed.shop.condition(id, 'automation')), reason: 'retrying' } as const;
    const context = { now, newId: deps.newId, runId: 'other', actor: 'other', policyHash: null };
    const decide = () => [accountEntry(context, 'VerdictChanged', id, 'automation', { after })];
    await writeEntries(deps, [{ record, decide }]);
    const before = listings();
    await bed.shop.handle(work, second);
    // One before the call, and the one that shows the result.
    expect(listings() - before).toBe(2);
  });

  it('that stays Pending is polled by one listing, not account by account', async () => {
    await bed.open({ policy: ASSOCIATE, members: 10, cloud: { pendingMs: 10 * 60_000 } });
    for (const { id } of bed.shop.members) bed.shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
    await bed.shop.scan();
    const work = await bed.shop.process();
    await bed.shop.workOff(work);
    const reads = () =>
      bed.shop.cloud.calls.filter(({ operation }) => operation === 'GetEnrollmentConfiguration').length;
    const before = reads();
    for (let minutes = 0; minutes < 20; minutes += 1) await bed.shop.later(work, 60_000);
    expect(bed.changes()).toEqual(['AssociateAccounts 10']);
    expect(reads()).toBe(before);
    for (const { id } of bed.shop.members)
      expect(await bed.shop.condition(id, 'automation')).toMatchObject({ verdict: 'Compliant' });
  });

  it('whose message is processed twice in parallel is one call', async () => {
    await bed.enrolled({ policy: ASSOCIATE, members: 5 });
    await bed.shop.scan();
    const [message, ...more] = (await bed.shop.messages()).filter(({ kind }) => kind === 'batch');
    if (message === undefined) expect.fail('a batch');
    expect(more).toEqual([]);
    const [one, two] = [await bed.shop.process(), await bed.shop.process()];
    const results = await bed.shop.settle(Promise.all([bed.shop.handle(one, message), bed.shop.handle(two, message)]));
    await bed.shop.store.queue.send(results.flatMap(({ followUps }) => followUps));
    await bed.shop.workOff(one);
    expect(bed.changes()).toEqual(['AssociateAccounts 5']);
  });

  it('whose message arrives late in a process with an old listing makes no call', async () => {
    await bed.enrolled({ policy: ASSOCIATE, members: 5 });
    await bed.shop.scan();
    const [message] = (await bed.shop.messages()).filter(({ kind }) => kind === 'batch');
    if (message === undefined) expect.fail('a batch');
    const [one, two] = [await bed.shop.process(), await bed.shop.process()];
    // The second process reads its listing before the first one changes anything.
    await two.listings.of('automation').recent(0);
    await bed.shop.clock.advance(1_000);
    await bed.shop.handle(one, message);
    await bed.shop.clock.advance(1_000);
    const { outcomes } = await bed.shop.handle(two, message);
    expect(bed.changes()).toEqual(['AssociateAccounts 5']);
    expect(outcomes.every(({ outcome }) => outcome === 'resolved')).toBe(true);
    expect(await bed.shop.types(accountId(0), 'automation')).toHaveLength(4);
  });

  it('omits accounts that already comply', async () => {
    await bed.enrolled({ policy: ASSOCIATE, members: 3 });
    await bed.shop.scan();
    await bed.shop.clock.advance(1_000);
    bed.shop.cloud.set(accountId(1), { automation: { status: 'Active', ruleMode: 'AnyAllowed', lastUpdated: NOW } });
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual(['AssociateAccounts 2']);
    expect(await bed.shop.types(accountId(1), 'automation')).toEqual(['DriftDetected', 'DriftResolved']);
  });

  it('that disassociates counts as opt-outs, and is stopped by their cap', async () => {
    const none = policyOf(
      'computeOptimizer: Active, organizationRules: NoneAllowed',
      'guardrails: { maxChanges: { percent: 100 } }',
    );
    await bed.enrolled({ policy: none, members: 3 });
    for (const { id } of bed.shop.members)
      bed.shop.cloud.set(id, { automation: { status: 'Active', ruleMode: 'AnyAllowed' } });
    const plan = await bed.shop.scan();
    expect(plan.trip).toMatchObject({ reason: 'maxOptOuts' });
    expect(await bed.shop.messages()).toEqual([]);
  });

  it('disassociates several accounts in one call', async () => {
    await bed.enrolled({ policy: DISSOCIATE, members: 3 });
    for (const { id } of bed.shop.members)
      bed.shop.cloud.set(id, { automation: { status: 'Active', ruleMode: 'AnyAllowed' } });
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual(['DisassociateAccounts 3']);
    // No cool-down follows, because Automation itself was not turned off.
    expect((await bed.shop.condition(accountId(0), 'automation')).optedOutAt).toBeNull();
  });
});
