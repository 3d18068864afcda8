import { describe, expect, test } from 'vitest';
import { SCHEMAS } from '../../../services/api/schemas.ts';
import { POLICY } from '../../../shared/app/coordination/policy-in-force.ts';
import { RunStore } from '../../../shared/app/coordination/run-store.ts';
import { optedOut } from '../../support/cloud-trail-events.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { compiled, policyText } from '../../support/world-policy.ts';
import { api, documented, OPERATE, store } from './support.ts';

const BEN = 'b'.repeat(40);
const TWO = { ROLLCALL_TOKEN_OPERATE: `anna=${OPERATE},ben=${BEN}` };
const as = (token: string) => ({ authorization: `Bearer ${token}` });

async function withPlan() {
  const clock = manualClock();
  const stores = await store(clock);
  const policy = compiled(policyText(), clock.now());
  await stores.registers.write(POLICY.name, { hash: policy.hash }, null);
  const planHash = 'a1'.repeat(32);
  const keys = ['111122223333 computeOptimizer Active  UpdateEnrollmentStatus'];
  await new RunStore(stores.registers).storePlan(planHash, policy.hash, keys, clock.now());
  return { own: await api({ env: TWO, store: stores, clock, policy }), planHash, clock };
}

/** A store in which something undoes each write of these registers, as a trigger in the file would. */
function undoing(stores: Awaited<ReturnType<typeof store>>, names: RegExp) {
  const registers: typeof stores.registers = {
    ...stores.registers,
    write: async (name, value, expected) =>
      names.test(name) ? `undone-${name}` : stores.registers.write(name, value, expected),
  };
  return { ...stores, registers };
}

describe('writes that the store loses', () => {
  test.each([
    ['/api/halt', { reason: 'stop' }, 'The halt was written'],
    ['/api/suspend', { selector: '111122223333' }, 'The suspension was written'],
    ['/api/approve', { planHash: 'a1'.repeat(32) }, 'The approval of plan a1a1a1a1a1a1 was written'],
  ])('%s reads back what it wrote, and fails if it is not there', async (path, body, message) => {
    const clock = manualClock();
    const stores = await store(clock);
    const policy = compiled(policyText(), clock.now());
    await stores.registers.write(POLICY.name, { hash: policy.hash }, null);
    await new RunStore(stores.registers).storePlan('a1'.repeat(32), policy.hash, ['1 computeOptimizer'], clock.now());
    const own = await api({ env: TWO, store: undoing(stores, /^(controls|approval\/)/), clock, policy });
    const answer = await own.post(path, body, as(OPERATE));
    expect(answer.status).toBe(500);
    expect(documented(SCHEMAS.Problem, answer.json)).toMatchObject({
      code: 'NotKept',
      detail: expect.stringContaining(message),
    });
    const kept = await api({ env: TWO, store: stores, clock, policy });
    expect((await kept.post(path, body, as(OPERATE))).status).toBe(200);
  });
});

describe('operators', () => {
  test('of two concurrent approvals of a plan, one succeeds and the other names the first approver', async () => {
    const { own, planHash } = await withPlan();
    const answers = await Promise.all([
      own.post('/api/approve', { planHash, reason: 'adoption' }, as(OPERATE)),
      own.post('/api/approve', { planHash: planHash.slice(0, 12) }, as(BEN)),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const [won] = answers.filter(({ status }) => status === 200);
    const [lost] = answers.filter(({ status }) => status === 409);
    const { actor, ...approval } = documented(SCHEMAS.Approval, won?.json);
    expect(approval).toMatchObject({ changes: 1, accounts: 1, configurations: 0 });
    expect(documented(SCHEMAS.Problem, lost?.json)).toMatchObject({
      code: 'PlanAlreadyApproved',
      detail: expect.stringContaining(actor),
    });
    const audit = await own.send('/api/audit?type=PlanApproved', { headers: as(BEN) });
    expect(documented(SCHEMAS.AuditPage, audit.json).entries.map((entry) => entry.actor)).toEqual([actor]);
    expect((await own.post('/api/approve', { planHash }, as(BEN))).status).toBe(409);
  });

  test('each command is in the ledger with its actor', async () => {
    const own = await api({ env: TWO });
    const call = (path: string, body: unknown) => own.post(path, body, as(OPERATE));
    documented(SCHEMAS.ScanAsked, (await call('/api/scan', { reason: 'look again' })).json);
    documented(
      SCHEMAS.Suspension,
      (await call('/api/suspend', { selector: 'ou:/Sandbox', reason: 'freeze', until: '2h' })).json,
    );
    const again = await call('/api/suspend', { selector: 'ou:/Sandbox', reason: 'freeze' });
    expect(documented(SCHEMAS.Suspension, again.json).replaced).toMatchObject({ reason: 'freeze', by: 'token:anna' });
    documented(SCHEMAS.Resumption, (await call('/api/resume', { selector: 'ou:/Sandbox', reason: 'over' })).json);
    const checked = await call('/api/check', { accounts: ['111122223333'], reason: 'looks wrong' });
    expect(documented(SCHEMAS.Check, checked.json)).toMatchObject({ queued: [], unknown: ['111122223333'] });
    documented(SCHEMAS.Halt, (await call('/api/halt', { reason: 'stop' })).json);
    documented(SCHEMAS.Halt, (await call('/api/unhalt', {})).json);
    expect(
      documented(SCHEMAS.Redrive, (await call('/api/dead-letters/redrive', { ids: ['nothing'] })).json),
    ).toMatchObject({ redriven: [], left: ['nothing'] });
    const { json } = await own.send('/api/audit?order=oldestFirst', { headers: as(OPERATE) });
    const { entries } = documented(SCHEMAS.AuditPage, json);
    expect(entries.map(({ type }) => type)).toEqual([
      'ScanRequested',
      'AccountSuspended',
      'AccountSuspended',
      'AccountResumed',
      'ScanRequested',
      'EnforcementHalted',
      'EnforcementResumed',
      'DeadLettersRedriven',
    ]);
    expect(entries.map(({ detail }) => detail?.message)).toEqual(
      expect.arrayContaining([
        'ou:/Sandbox resumed: over',
        'token:anna asked to check account 111122223333 again: looks wrong',
      ]),
    );
    expect(new Set(entries.map(({ actor }) => actor))).toEqual(new Set(['token:anna']));
  });

  test.each([
    ['/api/approve', { planHash: 'nothing' }, 400],
    ['/api/approve', { planHash: 'a'.repeat(64) }, 404],
    ['/api/suspend', { selector: 'everybody' }, 400],
    ['/api/suspend', { selector: 'all', until: '2020-01-01' }, 400],
    ['/api/suspend', { selector: 'all', reason: 'two\nlines' }, 400],
    ['/api/suspend', { selector: 'all', reason: 'x'.repeat(501) }, 400],
    ['/api/suspend', { selector: 'all', force: true }, 400],
    ['/api/suspend', {}, 400],
    ['/api/suspend', { selector: { length: { toString: 1 } } }, 400],
    ['/api/resume', { selector: 'all' }, 409],
    ['/api/check', { accounts: [] }, 400],
    ['/api/check', { accounts: ['all'] }, 400],
    ['/api/halt', [], 400],
    ['/api/halt', null, 400],
    ['/api/dead-letters/redrive', { ids: [] }, 400],
    ['/api/scan?now=yes', {}, 400],
  ])('%s %j is answered %i, and nothing has changed', async (path, body, status) => {
    const own = await api();
    const answer = await own.post(path, body);
    expect(answer.status, answer.text).toBe(status);
    documented(SCHEMAS.Problem, answer.json);
    expect(await own.system.stores.ledger.chains(null, 10)).toEqual([]);
  });

  test('a body that is not JSON is refused', async () => {
    const own = await api();
    const answer = await own.send('/api/halt', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    });
    expect(answer.json).toMatchObject({ status: 400, detail: 'The body is not JSON.' });
  });
});

describe('events of AWS', () => {
  const unread = async () => expect.fail('nothing is to be read');

  test('are refused where a function reacts to them, and postponed while accounts cannot be read', async () => {
    const event = optedOut('111122223333', 0);
    expect((await (await api()).post('/api/events', event)).json).toMatchObject({ status: 404, code: 'NoReactorHere' });
    const early = await api({ reader: () => null });
    expect((await early.post('/api/events', event)).json).toMatchObject({ status: 503, code: 'NotReady' });
  });

  test('that are invalid are rejected with a reason each time, never with an error that the sender retries', async () => {
    const own = await api({ reader: () => unread });
    for (let times = 0; times < 30; times += 1) {
      const { status, json } = await own.post('/api/events', { detail: 'x', times });
      expect(status).toBe(200);
      expect(documented(SCHEMAS.Reaction, json)).toMatchObject({ queued: [], rejected: expect.any(String) });
    }
    expect(own.logged.filter(({ message }) => message === 'an event was rejected')).toHaveLength(30);
    expect((await own.post('/api/events', [])).status).toBe(400);
  });
});
