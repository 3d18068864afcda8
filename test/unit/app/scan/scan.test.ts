import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { memoryRegisters } from '../../../../shared/adapters/embedded/memory-registers.ts';
import { readTyped, update } from '../../../../shared/app/coordination/typed-register.ts';
import { plan, scan } from '../../../../shared/app/scan/scan.ts';
import { mapParallel } from '../../../../shared/domain/map-parallel.ts';
import type { Cloud, ListedEnrollment } from '../../../../shared/ports/cloud.ts';
import type { Registers } from '../../../../shared/ports/registers.ts';
import { DAY, DELEGATE, HOUR, MANAGEMENT_ID, NOW, policyOf, seen } from '../../../support/domain-kit.ts';
import { cloudError, listing } from '../../../support/memory-cloud.ts';
import { scanWith, useWorkshop } from '../../../support/scan-bed.ts';
import { accountId } from '../../../support/workshop.ts';

const FREELY = 'guardrails: { maxChanges: { percent: 100 }, maxOptOuts: { percent: 100 } }';
const ENROLL = policyOf('computeOptimizer: Active', FREELY);

const open = useWorkshop();

describe('a scan', () => {
  it('without changes since the last scan writes no account entry', async () => {
    const members = 2_000;
    const workshop = await open({ policy: policyOf('computeOptimizer: Active, automation: Active', FREELY), members });
    for (let n = 0; n < members; n += 1) {
      const status = (['Active', 'Inactive', 'Pending', 'Failed'] as const)[n % 4] ?? 'Active';
      workshop.cloud.set(accountId(n), { computeOptimizer: { status, lastUpdated: NOW - HOUR } });
    }
    await workshop.scan();
    const before = await workshop.store.ledger.query({}, { limit: 100_000 });
    expect(before.entries.length).toBeGreaterThan(members);
    await workshop.clock.advance(60_000);
    await workshop.scan();
    const { entries } = await workshop.store.ledger.query({ runId: 'run-2' }, { limit: 100_000 });
    expect(entries.map(({ type }) => type).sort()).toEqual(['ScanCompleted', 'ScanStarted']);
  });

  it('that only plans writes nothing and makes no mutating call', async () => {
    const workshop = await open({ policy: ENROLL, members: 20 });
    const found = await workshop.settle(
      plan(workshop.deps(), workshop.settings, workshop.retrying(), workshop.run(), () => undefined),
    );
    expect(found.due).toHaveLength(20);
    expect(found.summary.computeOptimizer).toEqual({ Drifted: 20, Compliant: 1 });
    expect(await workshop.store.ledger.chains(null, 10)).toEqual([]);
    expect(await workshop.store.snapshots.meta()).toBeNull();
    expect(await workshop.messages()).toEqual([]);
    expect(workshop.cloud.changes).toEqual([]);
  });

  it('with an incomplete listing opts no account out, because absence proves nothing', async () => {
    const policy = policyOf(
      'computeOptimizer: Inactive',
      'guardrails: { maxChanges: { percent: 100 }, maxOptOuts: { percent: 100 }, minCoverage: 0 }',
    );
    const workshop = await open({ policy, members: 4 });
    for (const { id } of workshop.members) workshop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
    const first = [0, 1].map((n): ListedEnrollment => ({ accountId: accountId(n), observed: seen('Active') }));
    const found = await scanWith(workshop, {
      list: listing(workshop.cloud, 'computeOptimizer', async (token) => {
        if (token !== null) throw cloudError('Invalid', 'InvalidParameterValueException');
        return { items: first, nextToken: 'next' };
      }),
    });
    expect(found.broken).toHaveLength(1);
    expect(found.due).toEqual([]);
    const verdicts = found.changes.map((change) => [change.accountId, change.verdict, change.reason]);
    expect(verdicts.filter(([id]) => id !== MANAGEMENT_ID)).toEqual([
      [accountId(0), 'Blocked', 'guardrail'],
      [accountId(1), 'Blocked', 'guardrail'],
    ]);
    expect(found.summary.computeOptimizer.Unknown).toBe(2);
    expect(await workshop.messages()).toEqual([]);
  });

  it('below minCoverage changes nothing', async () => {
    const workshop = await open({ policy: ENROLL, members: 10 });
    const some = workshop.members
      .slice(0, 5)
      .map(({ id }): ListedEnrollment => ({ accountId: id, observed: seen('Inactive') }));
    const found = await scanWith(workshop, {
      list: listing(workshop.cloud, 'computeOptimizer', async () => ({ items: some, nextToken: null })),
      read: async (_kind, id) => {
        if (id === MANAGEMENT_ID) return seen('Active');
        throw cloudError('Denied', 'AccessDenied');
      },
    });
    expect(found.coverage).toMatchObject({ evaluated: 6, unknown: 5 });
    expect(found.trip?.reason).toBe('minCoverage');
    expect(await workshop.messages()).toEqual([]);
  });

  it('that trips a guardrail begins its run as stopped, so that no worker acts if a window opens immediately', async () => {
    const closed = "windows:\n  - { kind: allow, cron: '0 3 * * *', duration: 1h, timezone: UTC }";
    const caps = 'guardrails: { maxChanges: { percent: 0, atLeast: 1 } }';
    const workshop = await open({ policy: policyOf('computeOptimizer: Active', `${caps}\n${closed}`), members: 3 });
    const { registers } = workshop.store;
    const states: unknown[] = [];
    const watched: Registers = {
      read: (name) => registers.read(name),
      list: (prefix) => registers.list(prefix),
      remove: (name, expected) => registers.remove(name, expected),
      write(name, value, expected) {
        if (name.startsWith('run/')) states.push(value);
        return registers.write(name, value, expected);
      },
    };
    const { signal } = new AbortController();
    const deps = { ...workshop.deps(), registers: watched };
    await workshop.settle(scan(deps, workshop.settings, workshop.retrying(), workshop.run(), () => undefined, signal));
    expect(states[0]).toMatchObject({ stopped: { reason: 'maxChanges' } });
  });

  it('reads an account that a complete listing omits through its member role', async () => {
    const workshop = await open({ policy: ENROLL, members: 3 });
    const listed = workshop.members
      .slice(0, 2)
      .map(({ id }): ListedEnrollment => ({ accountId: id, observed: seen('Active') }));
    const found = await scanWith(workshop, {
      list: listing(workshop.cloud, 'computeOptimizer', async () => ({ items: listed, nextToken: null })),
    });
    expect(found.due.map((change) => change.accountId)).toEqual([accountId(2)]);
    const reads = workshop.cloud.calls.filter(({ operation }) => operation === 'GetEnrollmentStatus');
    expect(reads.flatMap(({ accountIds }) => accountIds).sort()).toEqual([MANAGEMENT_ID, accountId(2)].sort());
  });

  it('by a delegated administrator leaves the management account Unknown and outside coverage', async () => {
    const workshop = await open({ policy: ENROLL, members: 3, cloud: { caller: DELEGATE } });
    const found = await workshop.scan();
    expect(found.summary.computeOptimizer).toEqual({ Drifted: 3, Unknown: 1 });
    expect(found.coverage).toMatchObject({ evaluated: 3, unknown: 0 });
    expect(workshop.cloud.calls.some(({ accountIds }) => accountIds.includes(MANAGEMENT_ID))).toBe(false);
    expect(found.trip).toBeNull();
  });

  it('assumes Inactive Automation for an unlisted account only if Compute Optimizer is not Active', async () => {
    const workshop = await open({
      policy: policyOf('computeOptimizer: Active, automation: Active', FREELY),
      members: 2,
    });
    workshop.cloud.set(accountId(0), { computeOptimizer: { status: 'Active' } });
    const found = await scanWith(workshop, {
      list: listing(workshop.cloud, 'automation', async () => ({ items: [], nextToken: null })),
    });
    const automation = found.changes.filter(({ enrollment }) => enrollment === 'automation');
    expect(automation.map((change) => [change.accountId, change.verdict, change.reason])).toEqual([
      [accountId(0), 'Drifted', 'statusDiffers'],
      [accountId(1), 'Blocked', 'prerequisite'],
    ]);
    const reads = workshop.cloud.calls.filter(({ operation }) => operation === 'GetEnrollmentConfiguration');
    expect(reads.flatMap(({ accountIds }) => accountIds)).toEqual(expect.arrayContaining([accountId(0)]));
    expect(reads.flatMap(({ accountIds }) => accountIds)).not.toContain(accountId(1));
  });

  it('records that an account has left, and closes its open conditions', async () => {
    const workshop = await open({ policy: ENROLL, members: 2 });
    await workshop.scan();
    await workshop.messages();
    await workshop.clock.advance(HOUR);
    const readOrganization: Cloud['readOrganization'] = async (options) => {
      const snapshot = await workshop.cloud.readOrganization(options);
      return { ...snapshot, accounts: snapshot.accounts.filter(({ id }) => id !== accountId(1)) };
    };
    const items = [{ accountId: accountId(0), observed: seen('Active') }];
    await scanWith(workshop, {
      readOrganization,
      list: listing(workshop.cloud, 'computeOptimizer', async () => ({ items, nextToken: null })),
    });
    expect((await workshop.chain(accountId(1))).at(-1)?.type).toBe('AccountLeft');
    expect(await workshop.condition(accountId(1))).toMatchObject({ verdict: 'NotApplicable', driftSince: null });
  });

  it('that loses its lease stops before it queues anything', async () => {
    const workshop = await open({ policy: ENROLL, members: 2 });
    const lost = new AbortController();
    lost.abort(new Error('the lease was lost'));
    const scanning = scan(
      workshop.deps(),
      workshop.settings,
      workshop.retrying(),
      workshop.run(),
      () => undefined,
      lost.signal,
    );
    await expect(workshop.settle(scanning)).rejects.toThrow('the lease was lost');
    expect(await workshop.messages()).toEqual([]);
  });

  it('records the policy once, and again after it changes', async () => {
    const workshop = await open({ policy: ENROLL });
    await workshop.scan();
    await workshop.scan();
    const policyEntries = async () =>
      (await workshop.chain('organization')).filter(({ type }) => type === 'PolicyChanged').length;
    expect(await policyEntries()).toBe(1);
    const other = policyOf('computeOptimizer: Inactive', FREELY);
    const run = { ...workshop.run(), policy: other };
    const signal = new AbortController().signal;
    await workshop.settle(scan(workshop.deps(), workshop.settings, workshop.retrying(), run, () => undefined, signal));
    expect(await policyEntries()).toBe(2);
  });
});

describe('small parts', () => {
  it('mapParallel limits concurrency; after an error it starts nothing new and waits for running work', async () => {
    let running = 0;
    let most = 0;
    const begun: number[] = [];
    const work = async (n: number): Promise<void> => {
      begun.push(n);
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      if (n === 5) throw new Error('five');
    };
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    await expect(mapParallel(numbers, 3, work)).rejects.toThrow('five');
    expect(most).toBe(3);
    expect(running).toBe(0);
    expect(begun.length).toBeLessThan(10);
    expect(await mapParallel([], 3, work)).toEqual([]);
  });

  it('mapParallel keeps the order of the items, whichever ends first', async () => {
    const { promise: slow, resolve: end } = Promise.withResolvers<void>();
    const double = async (n: number): Promise<readonly number[]> => {
      if (n === 0) await slow;
      if (n === 4) end();
      return [n, n];
    };
    expect(await mapParallel([0, 1, 2, 3, 4], 2, double)).toEqual([0, 1, 2, 3, 4].map((n) => [n, n]));
  });

  it('a register of an unknown shape is an error and does not count as absent', async () => {
    const registers = memoryRegisters();
    const schema = z.object({ n: z.number() });
    expect(await readTyped(registers, { name: 'x', schema })).toBeNull();
    await registers.write('x', { n: 'one' }, null);
    await expect(readTyped(registers, { name: 'x', schema })).rejects.toThrow('register x has a shape');
  });

  it('no update of a register is lost if many run in parallel', async () => {
    const registers = memoryRegisters();
    const schema = z.object({ n: z.number() });
    const add = () => update(registers, { name: 'x', schema }, (current) => ({ n: (current?.n ?? 0) + 1 }));
    await Promise.all(Array.from({ length: 50 }, add));
    expect((await readTyped(registers, { name: 'x', schema }))?.value.n).toBe(50);
  });

  it('a due condition is queued at most once a minute', async () => {
    const workshop = await open({ policy: ENROLL });
    let failing = true;
    const cloud: Cloud = {
      ...workshop.cloud,
      prepareChange: (request) => {
        if (failing) throw cloudError('Denied', 'AccessDenied');
        return workshop.cloud.prepareChange(request);
      },
    };
    await workshop.scan();
    const work = await workshop.process({ cloud });
    await workshop.workOff(work);
    const { notBefore } = await workshop.condition(accountId(0));
    const wait = Date.parse(notBefore ?? '') - workshop.clock.now();
    expect(wait).toBeGreaterThan(0);
    failing = false;
    await workshop.later(work, wait - 1);
    expect(await workshop.condition(accountId(0))).toMatchObject({ verdict: 'Blocked', notBefore });
    // A policy's snapshot is at most two schedule periods old; a scan in between keeps it fresh.
    await workshop.scan();
    await workshop.later(work, 1);
    expect(await workshop.condition(accountId(0))).toMatchObject({ verdict: 'Compliant' });
    expect(await workshop.store.records.due(NOW + 30 * DAY, 10)).toEqual([]);
  });
});
