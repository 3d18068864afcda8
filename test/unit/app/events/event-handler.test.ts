import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../../../shared/app/context.ts';
import { accountReader } from '../../../../shared/app/events/account-reader.ts';
import { type ReactDeps, react } from '../../../../shared/app/events/event-handler.ts';
import { MAX_LOOKUPS, MAX_READS, WINDOW_MS } from '../../../../shared/app/events/event-throttle.ts';
import { EARLY_SCAN_SPACING_MS } from '../../../../shared/app/schedule/scan-requests.ts';
import { beginPart, endPart, requestScan } from '../../../../shared/app/schedule/scan-schedule.ts';
import { takeSnapshot } from '../../../../shared/app/survey/organization-snapshot.ts';
import type { OrganizationAccount } from '../../../../shared/domain/policy/index.ts';
import { batchOf, JANE, optedOut, organizationCall, organizationNews } from '../../../support/cloud-trail-events.ts';
import { CALLER, MANAGEMENT_ID, MEMBER, policyOf } from '../../../support/domain-kit.ts';
import { cloudError } from '../../../support/memory-cloud.ts';
import { accountId, Workshop } from '../../../support/workshop.ts';

const STRANGER = '999999999999';
const MEMBERS = 300;

let shop: Workshop;
let reads: string[];
let moved: Map<string, OrganizationAccount | null>;

beforeEach(async () => {
  shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active', 'schedule: 1h'), members: MEMBERS });
  for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
  reads = [];
  moved = new Map();
  const { clock } = shop;
  const { registers } = shop.store;
  const request = await requestScan({ registers, clock, newId: () => 'run-1' }, shop.policy);
  await beginPart({ registers, clock, newId: () => '' }, request?.runId ?? '');
  await shop.scan();
  await endPart({ registers, clock, newId: () => '' }, 'run-1', 'done');
  await shop.messages();
  await shop.clock.advance(60_000);
});
afterEach(() => shop.close());

function deps(): ReactDeps {
  return {
    ...shop.deps(),
    readAccount: async (id) => {
      reads.push(id);
      const other = moved.get(id);
      return other !== undefined ? other : (shop.members.find((each) => each.id === id) ?? null);
    },
  };
}

const reactTo = (event: unknown) => react(deps(), async () => shop.policy.hash, event);
const now = () => shop.clock.now();
const queuedAccounts = async () => [
  ...new Set((await shop.messages()).flatMap((message) => (message.kind === 'account' ? [message.accountId] : []))),
];
const byManagement = () => ({ account: MANAGEMENT_ID, at: now() });
const move = (id: string) => organizationCall('MoveAccount', { accountId: id }, byManagement());

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

describe('the organization changed', () => {
  it('a moved account is read again before it is queued', async () => {
    const id = accountId(5);
    moved.set(id, { ...MEMBER, id, ou: '/Sandbox', name: 'renamed' });
    expect(await reactTo(move(id))).toMatchObject({ queued: [id], refreshed: [id] });
    expect(await shop.store.snapshots.get(id)).toMatchObject({ ou: '/Sandbox', name: 'renamed' });
    expect(await queuedAccounts()).toEqual([id]);
  });

  it('an older read of the organization does not overwrite it', async () => {
    const id = accountId(5);
    const { cloud } = shop;
    const reading = {
      ...cloud,
      readOrganization: async (options: Parameters<typeof cloud.readOrganization>[0]) => {
        const old = await cloud.readOrganization(options);
        await shop.clock.advance(1_000);
        moved.set(id, { ...MEMBER, id, ou: '/Sandbox' });
        moved.set(accountId(6), null);
        await reactTo(move(id));
        await reactTo(organizationNews('AccountDepartedOrganization', { accountId: accountId(6) }, byManagement()));
        return old;
      },
    };
    const taken = await takeSnapshot(
      { ...shop.deps(), cloud: reading },
      ...([0, shop.retrying(), shop.policy, true, () => undefined] as const),
    );
    expect(taken.accounts.find((each) => each.id === id)).toMatchObject({ ou: '/Sandbox' });
    expect(taken.accounts.some((each) => each.id === accountId(6))).toBe(false);
    expect(await shop.store.snapshots.get(id)).toMatchObject({ ou: '/Sandbox' });
  });

  it('an account that joins is stored and queued, one that leaves is removed', async () => {
    const [newcomer, leaver] = ['500000000001', accountId(9)];
    moved.set(newcomer, { ...MEMBER, id: newcomer, name: 'new', ou: '/New' });
    moved.set(leaver, null);
    const joined = { memberAccountId: newcomer, managementAccountId: MANAGEMENT_ID, joinedMethod: 'CREATED' };
    expect(await reactTo(organizationNews('AccountJoinedOrganization', joined, byManagement()))).toMatchObject({
      queued: [newcomer],
    });
    expect((await shop.chain(newcomer)).map(({ type, detail }) => [type, detail?.account?.ou])).toEqual([
      ['AccountJoined', '/New'],
    ]);
    const gone = await reactTo(
      organizationNews(
        'AccountDepartedOrganization',
        { accountId: leaver, departureMethod: 'REMOVED' },
        byManagement(),
      ),
    );
    expect(gone).toMatchObject({ queued: [], unknown: [leaver] });
    expect((await shop.chain(leaver)).at(-1)).toMatchObject({ type: 'AccountLeft' });
    expect(await shop.store.snapshots.get(leaver)).toBeNull();
    // A repeated event changes nothing.
    await reactTo(organizationNews('AccountDepartedOrganization', { accountId: leaver }, byManagement()));
    expect((await shop.chain(leaver)).filter(({ type }) => type === 'AccountLeft')).toHaveLength(1);
    await shop.checkInvariants();
  });

  it('is read only until the deadline of the caller, however many calls that takes', async () => {
    const begun = now();
    let questions = 0;
    const cloud: Deps['cloud'] = {
      ...shop.cloud,
      readAccount: (_id, { retry }) =>
        retry(async () => {
          questions += 1;
          throw cloudError('Throttled', 'TooManyRequestsException');
        }),
    };
    const parts = { ...shop.deps(), cloud, random: () => 0.99 };
    const readAccount = accountReader(parts, { usesTags: false }, begun + 3_000);
    const ids = { organizationId: CALLER.organizationId, managementAccountId: MANAGEMENT_ID };
    const ended: number[] = [];
    const reading = (async () => {
      for (const id of [accountId(1), accountId(2)]) {
        await expect(readAccount(id, ids)).rejects.toMatchObject({ kind: 'Throttled' });
        ended.push(now() - begun);
      }
    })();
    await shop.clock.advance(3_000);
    await reading;
    expect(ended).toEqual([3_000, 3_000]);
    expect(questions).toBeGreaterThan(4);
  });

  it('that cannot be read requests a scan that also reads the organization', async () => {
    const failing = {
      ...deps(),
      readAccount: () => Promise.reject(cloudError('Throttled', 'TooManyRequestsException')),
    };
    expect(await react(failing, async () => '', move(accountId(5)))).toMatchObject({ queued: [], scan: true });
    expect(await shop.messages()).toEqual([]);
    const calls = shop.cloud.calls.length;
    const parts = [3_600_000, shop.retrying(), shop.policy, true, () => undefined] as const;
    await shop.clock.advance(2_000);
    await takeSnapshot(shop.deps(), ...parts);
    expect(shop.cloud.calls.slice(calls).map(({ operation }) => operation)).toEqual(['ListAccounts']);
    // After it was read again, the snapshot may be used.
    await takeSnapshot(shop.deps(), ...parts);
    expect(shop.cloud.calls.length).toBe(calls + 1);
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
