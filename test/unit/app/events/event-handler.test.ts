import { describe, expect, it } from 'vitest';
import { changesBehind } from '../../../../shared/app/events/change-attribution.ts';
import { MAX_LOOKUPS, MAX_READS, WINDOW_MS } from '../../../../shared/app/events/event-throttle.ts';
import { EARLY_SCAN_SPACING_MS } from '../../../../shared/app/schedule/scan-requests.ts';
import { requestScan } from '../../../../shared/app/schedule/scan-schedule.ts';
import { emptyRecord } from '../../../../shared/domain/account/record.ts';
import { batchOf, JANE, optedOut, recorded } from '../../../support/cloud-trail-events.ts';
import { CALLER, condition, HOUR, iso, judged, MANAGEMENT_ID, policyOf } from '../../../support/domain-kit.ts';
import { accountId } from '../../../support/workshop.ts';
import {
  byManagement,
  MEMBERS,
  move,
  now,
  queuedAccounts,
  reactTo,
  reads,
  shop,
  useEventWorkshop,
} from './event-workshop.ts';

useEventWorkshop();

describe('an enrollment changed by another actor', () => {
  it('is queued immediately, and the drift entry names the actor', async () => {
    const id = accountId(7);
    await shop.clock.advance(60_000);
    shop.cloud.set(id, { computeOptimizer: { status: 'Inactive', lastUpdated: now() } });
    expect(await reactTo(optedOut(id, now()))).toMatchObject({ queued: [id], scan: false, rejected: null });
    await shop.workOff(await shop.process());
    const drift = (await shop.chain(id)).find(({ type }) => type === 'DriftDetected');
    expect(drift?.detail?.changedBy).toEqual({
      ...{ actor: JANE(id), operation: 'UpdateEnrollmentStatus', requestId: 'b8c0e2b1-9d5e-4b0f-8c39-1f1f0f3a0001' },
      at: `${new Date(now()).toISOString().slice(0, 19)}.000Z`,
    });
    expect(drift?.actor).toBe(CALLER.arn);
    expect(await shop.condition(id)).toMatchObject({ verdict: 'Compliant' });
    await shop.checkInvariants();
  });

  it('is attributed by a scan as well, but not for a later drift', async () => {
    const [one, two] = [accountId(1), accountId(2)];
    await reactTo(optedOut(one, now()));
    await reactTo(optedOut(two, now()));
    shop.cloud.set(one, { computeOptimizer: { status: 'Inactive', lastUpdated: now() } });
    await shop.messages();
    await shop.scan();
    const of = async (id: string) => (await shop.chain(id)).filter(({ type }) => type === 'DriftDetected');
    expect((await of(one)).map(({ detail }) => detail?.changedBy?.actor)).toEqual([JANE(one)]);
    await shop.clock.advance(10_000);
    await shop.workOff(await shop.process());
    // Remediated since: a new change has another actor.
    await shop.clock.advance(3_600_000);
    shop.cloud.set(one, { computeOptimizer: { status: 'Inactive', lastUpdated: now() } });
    await shop.scan();
    expect((await of(one)).map(({ detail }) => detail?.changedBy?.actor)).toEqual([JANE(one), undefined]);
  });

  it('is not queued if Rollcall made the call, known by its request id', async () => {
    const id = accountId(3);
    shop.cloud.set(id, { computeOptimizer: { status: 'Inactive', lastUpdated: now() } });
    await reactTo(optedOut(id, now()));
    await shop.workOff(await shop.process());
    expect((await shop.chain(id)).some(({ api }) => api?.requestId === 'request-1')).toBe(true);
    expect(await reactTo(optedOut(id, now(), { requestId: 'request-1', actor: CALLER.arn }))).toMatchObject({
      ours: true,
      queued: [],
    });
    // The same role with another request: a person may use the role, too.
    expect(await reactTo(optedOut(id, now(), { requestId: 'request-2', actor: CALLER.arn }))).toMatchObject({
      ours: false,
      later: [id],
    });
  });

  it('with many accounts queues all of them', async () => {
    const ids = shop.members.slice(0, 50).map(({ id }) => id);
    const reaction = await reactTo(batchOf('DisassociateAccounts', ids, byManagement()));
    expect(reaction.queued).toEqual(ids);
    expect((await queuedAccounts()).sort()).toEqual([...ids].sort());
  });

  it('by an organization-wide call requests one early scan', async () => {
    const detail = { requestParameters: { status: 'Inactive', includeMemberAccounts: true } };
    const event = optedOut(MANAGEMENT_ID, now(), { detail });
    expect(await reactTo(event)).toMatchObject({ queued: [MANAGEMENT_ID], scan: true });
    const schedule = { registers: shop.store.registers, clock: shop.clock, newId: () => 'run-2' };
    expect(await requestScan(schedule, shop.policy)).toBeNull();
    await shop.clock.advance(EARLY_SCAN_SPACING_MS);
    expect(await requestScan(schedule, shop.policy)).toEqual({ runId: 'run-2', again: false });
  });
});

describe('an organization enrollment configuration set on an OU', () => {
  const put = () =>
    recorded('aco-automation.amazonaws.com', 'PutOrganizationEnrollmentConfiguration', {
      ...byManagement(),
      detail: { requestParameters: { target: { organizationalUnitId: 'ou-root-12345678' } } },
    });

  it('requests a scan', async () => {
    expect(await reactTo(put())).toMatchObject({ queued: [], scan: true, rejected: null });
  });

  it('is named in the drift of every account, also of more than a scan looks up one by one', async () => {
    await reactTo(put());
    const id = (index: number) => accountId(index + 1);
    const compliant = condition({
      verdict: 'Compliant',
      reason: null,
      status: 'Active',
      driftSince: null,
      changedAt: iso(now() - HOUR),
    });
    const found = Array.from({ length: 250 }, (_, index) => ({
      record: {
        ...emptyRecord(id(index)),
        present: true,
        conditions: { ...emptyRecord(id(index)).conditions, automation: compliant },
      },
      assessments: [judged({ policy: policyOf('computeOptimizer: Active, automation: Active') }).automation].map(
        (assessment) => ({ ...assessment, accountId: id(index), verdict: 'Blocked' as const }),
      ),
    }));
    const details = await changesBehind(shop.deps(), found);
    const actors = found.map(({ record }) => details.get(record.accountId)?.automation?.changedBy?.actor);
    expect(actors).toEqual(found.map(() => JANE(MANAGEMENT_ID)));
  });
});

describe('the time of an event', () => {
  const DAY_MS = 86_400_000;
  const drifts = async (id: string) => (await shop.chain(id)).filter(({ type }) => type === 'DriftDetected');
  const change = (id: string) => shop.cloud.set(id, { computeOptimizer: { status: 'Inactive', lastUpdated: now() } });

  it('is at most that of its receipt, so that a later change is not attributed to it', async () => {
    const id = accountId(1);
    await reactTo(optedOut(id, now() + 365 * DAY_MS, { actor: 'arn:aws:iam::111111111111:user/future' }));
    change(id);
    await shop.workOff(await shop.process());
    expect((await drifts(id)).map(({ detail }) => detail?.changedBy)).toMatchObject([
      { actor: 'arn:aws:iam::111111111111:user/future', at: new Date(now()).toISOString() },
    ]);
    await shop.clock.advance(3_600_000);
    change(id);
    await reactTo(optedOut(id, now(), { requestId: 'request-9' }));
    await shop.workOff(await shop.process());
    expect((await drifts(id)).map(({ detail }) => detail?.changedBy?.actor)).toEqual([
      'arn:aws:iam::111111111111:user/future',
      JANE(id),
    ]);
  });

  it('that an earlier version stored and that lies in the future is ignored and replaced', async () => {
    const id = accountId(1);
    const at = new Date(now() + 365 * DAY_MS).toISOString();
    const by = { actor: 'somebody', operation: 'UpdateEnrollmentStatus', requestId: null, at };
    await shop.store.registers.write(`changed-by/${id}`, { computeOptimizer: by }, null);
    change(id);
    await shop.scan();
    expect((await drifts(id)).map(({ detail }) => detail?.changedBy)).toEqual([undefined]);
    await shop.workOff(await shop.process());
    await shop.clock.advance(60_000);
    change(id);
    await reactTo(optedOut(id, now()));
    await shop.workOff(await shop.process());
    expect((await drifts(id)).map(({ detail }) => detail?.changedBy?.actor)).toEqual([undefined, JANE(id)]);
  });
});

describe('many events', () => {
  it('about one account queue it immediately and once more at their end, with few reads', async () => {
    const id = accountId(4);
    expect(await reactTo(move(id))).toMatchObject({ queued: [id] });
    expect(await queuedAccounts()).toEqual([id]);
    const reactions = [];
    for (let n = 0; n < 2_000; n += 1) reactions.push(await reactTo(n % 2 === 0 ? optedOut(id, now()) : move(id)));
    expect(reactions.filter(({ queued }) => queued.length > 0)).toHaveLength(0);
    expect(reactions.filter(({ later }) => later.length > 0)).toHaveLength(1);
    expect(reads.length).toBeLessThanOrEqual(MAX_READS);
    expect(await queuedAccounts()).toEqual([]);
    await shop.clock.advance(5_000);
    // Events within the five seconds are covered at their end.
    expect(await queuedAccounts()).toEqual([id]);
  }, 30_000);

  it('about thousands of accounts queue the allowed number, and request one scan for the rest', async () => {
    const events = shop.members.map(({ id }) => optedOut(id, now()));
    const reactions = [];
    for (let at = 0; at < events.length; at += 20) {
      reactions.push(...(await Promise.all(events.slice(at, at + 20).map(reactTo))));
    }
    const queued = await queuedAccounts();
    expect(queued.length).toBeLessThanOrEqual(MAX_LOOKUPS);
    expect(reactions.some(({ scan }) => scan)).toBe(true);
    // Accounts that are not queued are covered by the scan.
    expect(reactions.every(({ scan, queued: own, later }) => scan || own.length + later.length > 0)).toBe(true);
    await shop.clock.advance(WINDOW_MS);
    expect(await reactTo(optedOut(accountId(MEMBERS - 1), now()))).toMatchObject({ scan: false });
    const registers = await shop.store.registers.list('');
    expect(JSON.stringify(registers.find(({ name }) => name === 'reactor')).length).toBeLessThan(20_000);
  }, 30_000);
});
