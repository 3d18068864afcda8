import { describe, expect, it } from 'vitest';
import type { Session } from '../../../../shared/adapters/aws/cloud/call-pipeline.ts';
import { createMemberSessions, RENEWAL_MARGIN_MS } from '../../../../shared/adapters/aws/cloud/member-sessions.ts';
import { countOf, failureOf, findMember, isPlainMember, truthOf } from '../../../contract/cloud-world.ts';
import { changeNow, updateStatus } from '../../../support/change-requests.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { ACCOUNT, awsWorld, json, wireCloud } from './support.ts';

const HOUR = 3_600_000;
const memberId = (index: number) => String(200_000_000_000 + index);

describe('credentials of a call', () => {
  it('concurrent calls are each signed with the credentials of their own account', async () => {
    const waiting: (() => void)[] = [];
    const { cloud } = await wireCloud(({ headers }, response) => {
      const key = /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1];
      const token = headers['x-amz-security-token'] ?? 'none';
      // Answers come in batches and in reverse order, so that calls overlap in every order.
      waiting.push(() => json(response, 200, { status: 'Active', statusReason: `${key} ${token}` }));
      const release = () => {
        for (const answer of waiting.splice(0).reverse()) answer();
      };
      if (waiting.length >= 10) release();
      else setImmediate(() => setImmediate(release));
    });
    const accounts = Array.from({ length: 400 }, (_, index) => (index % 8 === 0 ? ACCOUNT : memberId(index % 53)));
    const observed = await Promise.all(
      accounts.map((id, index) =>
        index % 2 === 0 ? cloud.read('computeOptimizer', id) : cloud.read('automation', id),
      ),
    );
    expect(observed.map(({ statusReason }) => statusReason)).toEqual(
      accounts.map((id) => (id === ACCOUNT ? 'AKIAOWNOWNOWNOWNOWN none' : `ASIA${id} token-of-${id}`)),
    );
  });

  it('concurrent changes each take effect in their own account', async () => {
    const world = await awsWorld({ sandbox: { accounts: 80, drift: 0.5, latencyMs: 1 } });
    const members = world.sandbox.accounts().filter(isPlainMember(world));
    const wanted = members.map(({ accountId }, index) => [accountId, index % 3 === 0 ? 'Inactive' : 'Active'] as const);
    await Promise.all(wanted.map(([accountId, status]) => changeNow(world.cloud, updateStatus(accountId, status))));
    expect(wanted.map(([accountId]) => truthOf(world, accountId).computeOptimizer.status)).toEqual(
      wanted.map(([, status]) => status),
    );
    const counts = world.sandbox.calls().filter(({ operation }) => operation === 'UpdateEnrollmentStatus');
    expect(counts.map(({ accountId, count }) => [accountId, count]).sort()).toEqual(
      wanted.map(([accountId]) => [accountId, 1]).sort(),
    );
    expect(countOf(world, 'AssumeRole')).toBe(members.length);
  });

  it('names the role in the partition of the caller, with path, session name and external id', async () => {
    const role = { memberRole: '/ops/team/Keeper', externalId: 'ext-1', sessionName: 'nightly' };
    const { cloud, requests } = await wireCloud((_, response) => json(response, 200, { status: 'Active' }), role);
    await cloud.read('computeOptimizer', '222233334444');
    const assumed = new URLSearchParams(requests.find(({ operation }) => operation === 'AssumeRole')?.body);
    expect(Object.fromEntries(assumed)).toMatchObject({
      RoleArn: 'arn:aws:iam::222233334444:role/ops/team/Keeper',
      ...{ RoleSessionName: 'nightly', ExternalId: 'ext-1' },
    });
  });

  it('fails on a wrong external id if the role requires one', async () => {
    const right = await awsWorld({ sandbox: { externalId: 'right' }, cloud: { externalId: 'right' } });
    await right.cloud.read('computeOptimizer', findMember(right).accountId);
    await right.close();
    const wrong = await awsWorld({ sandbox: { externalId: 'right' }, cloud: { externalId: 'wrong' } });
    const { details: facts } = await failureOf(wrong.cloud.read('computeOptimizer', findMember(wrong).accountId));
    await wrong.close();
    expect(facts).toMatchObject({ kind: 'Denied', operation: 'AssumeRole' });
  });
});

describe('member sessions', () => {
  it('discards an expired session: Transient, and the next attempt uses a new one', async () => {
    const world = await awsWorld();
    const { accountId } = findMember(world);
    await world.cloud.read('computeOptimizer', accountId);
    // The sessions of the sandbox expire although our clock has not moved, as if AWS had revoked them.
    world.sandbox.setFaults([
      { operation: 'GetEnrollmentStatus', kind: 'denied', code: 'ExpiredTokenException', count: 1 },
    ]);
    const { details: facts } = await failureOf(world.cloud.read('computeOptimizer', accountId));
    expect(facts).toMatchObject({ kind: 'Transient', code: 'ExpiredTokenException', accountId });
    expect((await world.cloud.read('computeOptimizer', accountId)).kind).toBe('observed');
    expect(countOf(world, 'AssumeRole')).toBe(2);
    await world.close();
  });

  it('a session rejected for another reason means that the account is denied, not the caller', async () => {
    const { cloud, requests } = await wireCloud((_, response) =>
      json(response, 400, { __type: 'UnrecognizedClientException', message: 'The security token is invalid.' }),
    );
    for (const _ of [1, 2]) {
      const { details: facts } = await failureOf(cloud.read('computeOptimizer', memberId(1)));
      expect(facts).toMatchObject({ kind: 'Denied', code: 'UnrecognizedClientException', accountId: memberId(1) });
    }
    expect(requests.filter(({ operation }) => operation === 'AssumeRole')).toHaveLength(2);
    const { details: facts } = await failureOf(cloud.read('computeOptimizer', ACCOUNT));
    expect(facts).toMatchObject({ kind: 'Unauthenticated', accountId: ACCOUNT });
  });

  const setUp = (capacity?: number, expiresInMs = HOUR) => {
    const clock = manualClock();
    const assumed: string[] = [];
    const held: (() => void)[] = [];
    const assume = async (accountId: string) => {
      assumed.push(accountId);
      await new Promise<void>((resolve) => held.push(resolve));
      const identity = { accessKeyId: `ASIA${assumed.length}`, secretAccessKey: 's', sessionToken: 't' };
      return { session: { accountId, identity, member: true }, expiresAt: clock.now() + expiresInMs };
    };
    const sessions = createMemberSessions(assume, clock, capacity);
    const get = async (accountId: string): Promise<Session> => {
      const session = sessions.get(accountId);
      for (const release of held.splice(0)) release();
      return session;
    };
    return { clock, assumed, held, sessions, get };
  };

  it('are requested once for concurrent callers', async () => {
    const { assumed, held, sessions } = setUp();
    const waiting = [sessions.get('1'), sessions.get('1'), sessions.get('2'), sessions.get('1')];
    expect(assumed).toEqual(['1', '2']);
    for (const release of held) release();
    const [first, second, , fourth] = await Promise.all(waiting);
    expect(second).toBe(first);
    expect(fourth).toBe(first);
  });

  it('are renewed shortly before they expire', async () => {
    const { assumed, clock, get } = setUp();
    const first = await get('1');
    await clock.advance(HOUR - RENEWAL_MARGIN_MS - 1);
    expect(await get('1')).toBe(first);
    await clock.advance(1);
    expect(await get('1')).not.toBe(first);
    expect(assumed).toEqual(['1', '1']);
  });

  it('a failed request is not cached', async () => {
    const clock = manualClock();
    let asked = 0;
    const sessions = createMemberSessions(async () => {
      asked += 1;
      throw new Error('denied');
    }, clock);
    await expect(Promise.all([sessions.get('1'), sessions.get('1')])).rejects.toThrow('denied');
    await expect(sessions.get('1')).rejects.toThrow('denied');
    expect(asked).toBe(2);
  });

  it('are limited in number: the oldest is evicted', async () => {
    const { assumed, get } = setUp(2);
    for (const accountId of ['1', '2', '3', '2', '1']) await get(accountId);
    expect(assumed).toEqual(['1', '2', '3', '1']);
  });

  it('dropping a replaced session keeps the new one', async () => {
    const { assumed, get, sessions, clock } = setUp();
    const old = await get('1');
    await clock.advance(HOUR);
    const fresh = await get('1');
    sessions.drop(old);
    expect(await get('1')).toBe(fresh);
    sessions.drop(fresh);
    await get('1');
    expect(assumed).toHaveLength(3);
  });
});
