import { describe, expect, it } from 'vitest';
import type { ChangeRequest } from '../../../../shared/ports/cloud.ts';
import { changeNow } from '../../../support/change-requests.ts';
import { HOUR, policyOf } from '../../../support/domain-kit.ts';
import { cloudError } from '../../../support/memory-cloud.ts';
import { NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const ASSOCIATE = policyOf('computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed', NO_CAPS);

describe('a batch that fails', () => {
  it('with partial success: accounts that were left out get keys of their own, the others are done', async () => {
    await bed.enrolled({ policy: ASSOCIATE, members: 4 });
    await bed.shop.scan();
    let first = true;
    bed.trouble = ({ operation }) => {
      if (operation !== 'AssociateAccounts' || !first) return null;
      first = false;
      return { refused: [accountId(1), accountId(3)] };
    };
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual(['AssociateAccounts 4', 'AssociateAccounts 1', 'AssociateAccounts 1']);
    for (const { id } of bed.shop.members)
      expect(await bed.shop.condition(id, 'automation')).toMatchObject({ verdict: 'Compliant' });
    const [, , failed] = (await bed.shop.chain(accountId(1))).filter(({ enrollment }) => enrollment === 'automation');
    expect(failed).toMatchObject({ type: 'RemediationFailed', detail: { error: { code: 'NotAmongSucceeded' } } });
  });

  it('that fails as a whole: each account gets its own key, and one bad account does not block the others', async () => {
    await bed.enrolled({ policy: ASSOCIATE, members: 3 });
    await bed.shop.scan();
    bed.trouble = ({ operation, accountIds }) =>
      operation === 'AssociateAccounts' && accountIds.includes(accountId(1))
        ? { before: cloudError('Invalid', 'InvalidParameterCombination') }
        : null;
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual([
      'AssociateAccounts 3',
      'AssociateAccounts 1',
      'AssociateAccounts 1',
      'AssociateAccounts 1',
    ]);
    expect(await bed.shop.condition(accountId(0), 'automation')).toMatchObject({ verdict: 'Compliant' });
    expect(await bed.shop.condition(accountId(1), 'automation')).toMatchObject({ reason: 'deadLettered' });
    expect(await bed.shop.condition(accountId(2), 'automation')).toMatchObject({ verdict: 'Compliant' });
  });

  it.each([
    ['Denied', 'AccessDeniedException', 'denied'],
    ['Prerequisite', 'OptInRequiredException', 'prerequisite'],
  ] as const)(
    'that is refused as a whole (%s) blocks all accounts after one call, and is retried as a batch',
    async (kind, code, reason) => {
      await bed.enrolled({ policy: ASSOCIATE, members: 4 });
      await bed.shop.scan();
      bed.trouble = ({ operation }) => (operation === 'AssociateAccounts' ? { before: cloudError(kind, code) } : null);
      const work = await bed.shop.process();
      await bed.shop.workOff(work);
      expect(bed.changes()).toEqual(['AssociateAccounts 4']);
      const times = new Set<string | null>();
      for (const { id } of bed.shop.members) {
        const known = await bed.shop.condition(id, 'automation');
        expect(known).toMatchObject({ verdict: 'Blocked', reason, attempts: 1, claim: null });
        expect(known?.driftSince).not.toBeNull();
        times.add(known.notBefore);
        expect(await bed.shop.types(id, 'automation')).toEqual([
          'DriftDetected',
          'RemediationStarted',
          'RemediationBlocked',
        ]);
      }
      expect(times.size).toBe(1);
      bed.trouble = () => null;
      await bed.shop.later(work, HOUR);
      expect(bed.changes()).toEqual(['AssociateAccounts 4', 'AssociateAccounts 4']);
      for (const { id } of bed.shop.members)
        expect(await bed.shop.condition(id, 'automation')).toMatchObject({ verdict: 'Compliant' });
    },
  );

  it('that is not sent because its process ends is retried as a batch', async () => {
    await bed.enrolled({ policy: ASSOCIATE, members: 4 });
    await bed.shop.scan();
    bed.trouble = ({ operation }) =>
      operation === 'AssociateAccounts' ? { before: cloudError('Transient', 'Closed') } : null;
    const work = await bed.shop.process();
    await bed.shop.workOff(work);
    bed.trouble = () => null;
    await bed.shop.later(work, HOUR);
    expect(bed.changes()).toEqual(['AssociateAccounts 4', 'AssociateAccounts 4']);
  });

  it('that stays throttled is retried as a batch, and becomes one dead letter in the end', async () => {
    await bed.enrolled({ policy: ASSOCIATE, members: 4 });
    await bed.shop.scan();
    bed.trouble = ({ operation }) =>
      operation === 'AssociateAccounts' ? { before: cloudError('Throttled', 'ThrottlingException') } : null;
    const work = await bed.shop.process();
    for (let pauses = 0; pauses < 8; pauses += 1) await bed.shop.later(work, 10 * 60_000);
    expect(new Set(bed.changes())).toEqual(new Set(['AssociateAccounts 4']));
    for (const { id } of bed.shop.members) {
      expect(await bed.shop.condition(id, 'automation')).toMatchObject({ reason: 'deadLettered', attempts: 5 });
    }
    const letters = await bed.shop.store.deadLetters.list(9);
    expect(letters.map(({ message }) => message?.kind)).toEqual(['batch']);
    expect(letters[0]?.reason).toMatchObject({
      code: 'ThrottlingException',
      entryId: expect.stringMatching(/^\d{12}#\d+$/),
    });
  });

  it.each([
    ['and the listing is refused too: trusted access is off, so all accounts wait', true],
    ['and the listing is answered: one of the accounts may be the cause', false],
  ] as const)('is forbidden, %s', async (_, listingToo) => {
    await bed.enrolled({ policy: ASSOCIATE, members: 3 });
    await bed.shop.scan();
    let refused = false;
    bed.trouble = ({ operation, accountIds }) => {
      const forbidden = { before: cloudError('Denied', 'ForbiddenException', true) };
      if (operation === 'list automation') return refused && listingToo ? forbidden : null;
      if (operation !== 'AssociateAccounts' || accountIds.length === 1) return null;
      refused = true;
      return forbidden;
    };
    await bed.shop.workOff(await bed.shop.process());
    const alone = ['AssociateAccounts 1', 'AssociateAccounts 1', 'AssociateAccounts 1'];
    expect(bed.changes()).toEqual(['AssociateAccounts 3', ...(listingToo ? [] : alone)]);
    const expected = listingToo ? { verdict: 'Blocked', reason: 'prerequisite' } : { verdict: 'Compliant' };
    for (const { id } of bed.shop.members) expect(await bed.shop.condition(id, 'automation')).toMatchObject(expected);
  });

  it('whose listing is refused: the failure is recorded for its accounts, which wait together', async () => {
    await bed.enrolled({ policy: ASSOCIATE, members: 3 });
    await bed.shop.scan();
    bed.trouble = ({ operation }) =>
      operation === 'list automation' ? { before: cloudError('Denied', 'ForbiddenException', true) } : null;
    const work = await bed.shop.process();
    await bed.shop.workOff(work);
    expect(bed.changes()).toEqual([]);
    for (const { id } of bed.shop.members) {
      expect(await bed.shop.condition(id, 'automation')).toMatchObject({ verdict: 'Blocked', reason: 'prerequisite' });
    }
    bed.trouble = () => null;
    await bed.shop.later(work, HOUR);
    expect(bed.changes()).toEqual(['AssociateAccounts 3']);
  });

  it('is not sent when its claims are about to expire', async () => {
    await bed.enrolled({ policy: ASSOCIATE, members: 2 });
    await bed.shop.scan();
    let first = true;
    const work = await bed.shop.process();
    const slow = {
      ...bed.shop.cloud,
      prepareChange: async (request: ChangeRequest) => {
        // The wait for the rate limiter lasts nearly as long as the claims.
        if (first) await bed.shop.clock.sleep(bed.shop.settings.claimMs * 0.95);
        first = false;
        return bed.shop.cloud.prepareChange(request);
      },
    };
    await bed.shop.workOff({ ...work, deps: { ...work.deps, cloud: slow } });
    expect(bed.changes()).toEqual(['AssociateAccounts 1', 'AssociateAccounts 1']);
    for (const { id } of bed.shop.members)
      expect(await bed.shop.condition(id, 'automation')).toMatchObject({ verdict: 'Compliant' });
  });

  it('whose worker died after the call, and whose message returns after the claims have expired: each intent gets its outcome', async () => {
    await bed.enrolled({ policy: ASSOCIATE, members: 3 });
    await bed.shop.scan();
    const [message] = (await bed.shop.messages()).filter(({ kind }) => kind === 'batch');
    if (message === undefined) expect.fail('a batch');
    const work = await bed.shop.process();
    const deadly = {
      ...bed.shop.cloud,
      prepareChange: async (request: ChangeRequest) => async () => {
        await changeNow(bed.shop.cloud, request);
        throw new Error('SIGKILL');
      },
    };
    await expect(bed.shop.handle({ ...work, deps: { ...work.deps, cloud: deadly } }, message)).rejects.toThrow(
      'SIGKILL',
    );
    await bed.shop.clock.advance(bed.shop.settings.claimMs + 1_000);
    const next = await bed.shop.process();
    await bed.shop.handle(next, message);
    await bed.shop.later(next, 1_000);
    expect(bed.changes()).toEqual(['AssociateAccounts 3']);
    for (const { id } of bed.shop.members) {
      expect(await bed.shop.types(id, 'automation')).toEqual([
        'DriftDetected',
        'RemediationStarted',
        'RemediationSucceeded',
        'DriftResolved',
      ]);
    }
  });
});
