import { describe, expect, it } from 'vitest';
import { react } from '../../../../shared/app/events/event-handler.ts';
import { batchOf, optedOut, organizationCall, organizationNews } from '../../../support/cloud-trail-events.ts';
import { accountId } from '../../../support/workshop.ts';
import { byManagement, deps, now, reactTo, reads, shop, useEventWorkshop } from './event-workshop.ts';

useEventWorkshop();

const STRANGER = '999999999999';

describe('an event whose content cannot be used', () => {
  const omitted = { omitted: true };
  const enrolled = { detail: { requestParameters: omitted } };

  it('requests a scan and queues its account', async () => {
    const id = accountId(7);
    expect(await reactTo(optedOut(id, now(), enrolled))).toMatchObject({ queued: [id], scan: true, rejected: null });
    expect((await shop.store.registers.list('changed-by/')).map(({ name }) => name)).toEqual([`changed-by/${id}`]);
  });

  it('requests a scan that reads the organization if the organization changed', async () => {
    expect(await reactTo(organizationCall('MoveAccount', omitted, byManagement()))).toMatchObject({ scan: true });
    expect((await shop.store.registers.read('scan-wish'))?.value).toMatchObject({ organization: true });
    const batch = batchOf('DisassociateAccounts', [], { ...byManagement(), ...enrolled });
    expect(await reactTo({ ...batch, detail: { ...batch.detail, requestParameters: omitted } })).toMatchObject({
      scan: true,
    });
  });

  it('is rejected from an account outside the organization', async () => {
    for (const event of [
      optedOut(STRANGER, now(), enrolled),
      organizationCall('MoveAccount', omitted, { account: STRANGER, at: now() }),
      { ...optedOut(STRANGER, now()), detail: '{' },
    ]) {
      expect(await reactTo(event)).toMatchObject({ scan: false, queued: [] });
    }
  });
});

describe('an event that cannot be trusted', () => {
  it('changes nothing, throws nothing, and is logged', async () => {
    const warnings: string[] = [];
    const logger = { ...shop.deps().logger, warn: (message: string) => void warnings.push(message) };
    const events = [
      optedOut(STRANGER, now()),
      organizationCall('MoveAccount', { accountId: accountId(1) }, { account: STRANGER, at: now() }),
      batchOf('DisassociateAccounts', [accountId(1)], { account: STRANGER, at: now() }),
      optedOut(accountId(1), now(), { detail: { recipientAccountId: accountId(2) } }),
      organizationNews('AccountJoinedOrganization', { accountId: STRANGER }, byManagement()),
      { 'detail-type': 'x' },
      'x'.repeat(1_000_000),
      null,
    ];
    for (const event of events) {
      const reaction = await react({ ...deps(), logger }, async () => shop.policy.hash, event);
      expect(reaction).toMatchObject({ queued: [], later: [], scan: false });
    }
    expect(warnings).toHaveLength(events.length);
    expect(await shop.messages()).toEqual([]);
    expect(await shop.chain(STRANGER)).toEqual([]);
    // Only accounts that claim to be new are read from the organization.
    expect(reads).toEqual([STRANGER, STRANGER]);
    expect(JSON.stringify(await shop.store.registers.list('changed-by/'))).toBe('[]');
  });
});
