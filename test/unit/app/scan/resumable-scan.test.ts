import { afterEach, describe, expect, it } from 'vitest';
import { memoryRegisters } from '../../../../shared/adapters/embedded/memory-registers.ts';
import { ScanProgress } from '../../../../shared/app/scan/checkpoint.ts';
import { replayingCloud } from '../../../../shared/app/scan/replaying-cloud.ts';
import { scanPart } from '../../../../shared/app/scan/resumable-scan.ts';
import { scan } from '../../../../shared/app/scan/scan.ts';
import {
  beginPart,
  endPart,
  noteOldestAnswer,
  requestScan,
  scanNow,
} from '../../../../shared/app/schedule/scan-schedule.ts';
import { OutOfTime } from '../../../../shared/app/support/out-of-time.ts';
import type { Cloud } from '../../../../shared/ports/cloud.ts';
import type { Registers } from '../../../../shared/ports/registers.ts';
import { CALLER, HOUR, MEMBER, NOW, policyOf } from '../../../support/domain-kit.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { cloudError, listing, memoryCloud } from '../../../support/memory-cloud.ts';
import { withoutRetries } from '../../../support/without-retries.ts';
import { accountId, Workshop } from '../../../support/workshop.ts';

/** The registers of a process that crashes after it has stored a response. */
function dyingAfterKeeping(registers: Registers): Registers {
  let dead = false;
  const alive = async <T>(work: () => Promise<T>): Promise<T> => (dead ? Promise.reject(new Error('dead')) : work());
  return {
    read: (name) => alive(() => registers.read(name)),
    list: (prefix) => alive(() => registers.list(prefix)),
    remove: (name, version) => alive(() => registers.remove(name, version)),
    write: (name, value, version) =>
      alive(async () => {
        const written = await registers.write(name, value, version);
        dead = name.startsWith('checkpoint/');
        return written;
      }),
  };
}

describe('a response stored for a later part of a scan', () => {
  const policy = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 100 } }');
  let shop: Workshop;
  afterEach(() => shop.close());

  /** A listing is read, then a worker enrolls and observes the account, then the listing is assessed. */
  async function judgedLate(begunAt: (times: { readonly listed: number; readonly after: number }) => number) {
    shop = await Workshop.open({ policy, members: 1 });
    shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Inactive', lastUpdated: NOW - HOUR } });
    const listed = shop.clock.now();
    const kept = await shop.cloud.list('computeOptimizer', null);
    await shop.clock.advance(60_000);
    await shop.scan();
    await shop.workOff(await shop.process());
    expect((await shop.types(accountId(0))).at(-1)).toBe('DriftResolved');
    await shop.clock.advance(60_000);
    const deps = shop.deps({ cloud: { ...shop.cloud, list: async () => kept } });
    const run = { ...shop.run(), begunAt: begunAt({ listed, after: shop.clock.now() }) };
    const going = scan(deps, shop.settings, shop.retrying(), run, () => undefined, new AbortController().signal);
    return shop.settle(going);
  }

  it('does not override a newer observation', async () => {
    const found = await judgedLate(({ listed }) => listed);
    expect(found.summary.computeOptimizer).toEqual({ Compliant: 2 });
    expect(found.due).toEqual([]);
    expect((await shop.types(accountId(0))).at(-1)).toBe('DriftResolved');
  });

  it('overrides an older observation, whatever its timestamp', async () => {
    const found = await judgedLate(({ after }) => after);
    expect(found.due.map((change) => change.accountId)).toEqual([accountId(0)]);
    expect((await shop.types(accountId(0))).at(-1)).toBe('DriftDetected');
  });

  it('that lacks the account overrides a record that a worker repeated after a failed read', async () => {
    const policy = policyOf(
      'automation: Active, organizationRules: AnyAllowed',
      'guardrails: { maxChanges: { percent: 100 } }',
    );
    shop = await Workshop.open({ policy, members: 1 });
    const since = NOW - 48 * HOUR;
    const active = { status: 'Active', lastUpdated: since } as const;
    shop.cloud.set(accountId(0), { computeOptimizer: active, automation: { ...active, ruleMode: 'NoneAllowed' } });
    await shop.scan();
    shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Inactive', lastUpdated: NOW } });
    await shop.clock.advance(60_000);
    const begunAt = shop.clock.now();
    await shop.clock.advance(1_000);
    const refused = async () => Promise.reject(cloudError('Denied', 'ForbiddenException', true));
    await shop.workOff(
      await shop.process({ cloud: { ...shop.cloud, list: listing(shop.cloud, 'automation', refused) } }),
    );
    expect(await shop.condition(accountId(0), 'automation')).toMatchObject({
      reason: 'prerequisite',
      status: 'Active',
    });
    await shop.scan({ ...shop.run(), begunAt });
    expect(await shop.condition(accountId(0), 'automation')).toMatchObject({
      reason: 'prerequisite',
      status: 'Inactive',
    });
  });

  it('keeps the start time of the first part in every part', async () => {
    const registers = memoryRegisters();
    const first = await ScanProgress.load(registers, 'run-1');
    expect(first.begunAt(NOW)).toBe(NOW);
    expect(first.size).toBe(0);
    await first.save();
    expect((await ScanProgress.load(registers, 'run-1')).begunAt(NOW + HOUR)).toBe(NOW);
  });

  it('determines the age of the organization snapshot, even if a later part completes it', async () => {
    const registers = memoryRegisters();
    const clock = manualClock(NOW);
    const base = memoryCloud({ clock, caller: CALLER, accounts: [MEMBER] });
    const readOrganization: Cloud['readOrganization'] = async (options) => {
      for (const page of ['first', 'second']) await options.once?.(page, async () => page);
      return base.readOrganization(options);
    };
    const options = { tags: false, retry: withoutRetries };
    const before = await ScanProgress.load(registers, 'run-1');
    before.begunAt(NOW);
    let questions = 2;
    const mayGoOn = (): boolean => {
      questions -= 1;
      return questions >= 0;
    };
    const part = replayingCloud({ ...base, readOrganization }, before, mayGoOn, clock.now);
    await expect(part.readOrganization(options)).rejects.toThrow(OutOfTime);
    await before.save();
    await clock.advance(HOUR);
    const after = await ScanProgress.load(registers, 'run-1');
    expect(after.has('organization/1/first')).toBe(true);
    const next = replayingCloud({ ...base, readOrganization }, after, () => true, clock.now);
    expect((await next.readOrganization(options)).takenAt).toBe(NOW);
  });

  it('is discarded after half an hour, however often the next part failed', async () => {
    shop = await Workshop.open({ policy });
    const deps = shop.deps();
    const asked = await requestScan(deps, policy);
    const runId = asked?.runId ?? expect.fail('no scan was due');
    await beginPart(deps, runId);
    await noteOldestAnswer(deps, runId, shop.clock.now());
    await endPart(deps, runId, 'continued');
    await beginPart(deps, runId);
    await shop.clock.advance(17 * 60_000);
    expect(await requestScan(deps, policy)).toEqual({ runId, again: true });
    await beginPart(deps, runId);
    await shop.clock.advance(17 * 60_000);
    const next = await requestScan(deps, policy);
    expect(next).toMatchObject({ again: false });
    expect(next?.runId).not.toBe(runId);
  });

  it.each(['continued', 'stopped'] as const)('keeps its age after a part that was %s', async (kind) => {
    shop = await Workshop.open({ policy });
    const deps = shop.deps();
    const runId = (await requestScan(deps, policy))?.runId ?? expect.fail('no scan was due');
    const begunAt = shop.clock.now();
    await beginPart(deps, runId);
    await noteOldestAnswer(deps, runId, begunAt);
    await endPart(deps, runId, 'continued');
    await beginPart(deps, runId);
    await shop.clock.advance(17 * 60_000);
    expect(await requestScan(deps, policy)).toEqual({ runId, again: true });
    await beginPart(deps, runId);
    // This part made some progress; the next one never reported.
    await noteOldestAnswer(deps, runId, begunAt);
    await endPart(deps, runId, kind);
    await beginPart(deps, runId);
    await shop.clock.advance(17 * 60_000);
    expect(await requestScan(deps, policy)).toMatchObject({ again: false });
  });

  it('has its age in the scan register', async () => {
    shop = await Workshop.open({ policy, members: 1 });
    const deps = shop.deps();
    const runId = (await requestScan(deps, policy))?.runId ?? expect.fail('no scan was due');
    const began = shop.clock.now();
    for (let part = 0; part < 2; part += 1) {
      expect(await interrupted(runId)).toMatchObject({ kind: 'continued' });
      await shop.clock.advance(60_000);
    }
    expect((await scanNow(deps.registers))?.value).toMatchObject({ begunAt: began, parts: 2 });
  });

  it('keeps its age if parts repeatedly crash while they store it', async () => {
    shop = await Workshop.open({ policy, members: 1 });
    const deps = shop.deps();
    const runId = (await requestScan(deps, policy))?.runId ?? expect.fail('no scan was due');
    for (const again of [true, false]) {
      await expect(interrupted(runId, 1, dyingAfterKeeping(deps.registers))).rejects.toThrow('dead');
      await shop.clock.advance(17 * 60_000);
      expect(await requestScan(deps, policy)).toMatchObject({ again });
    }
  });

  it('of an earlier version, with another age field, is continued', async () => {
    shop = await Workshop.open({ policy, members: 1 });
    const deps = shop.deps();
    const { registers } = deps;
    const began = shop.clock.now();
    const times = { dueAt: began, aliveAt: began, answeredAt: began, completedAt: null };
    const before = {
      ...times,
      runId: 'run-before',
      policyHash: policy.hash,
      state: 'requested',
      attempts: 0,
      parts: 1,
    };
    await registers.write('scan', before, null);
    const kept = await ScanProgress.load(registers, 'run-before');
    kept.begunAt(began);
    await kept.save();
    await shop.clock.advance(4 * 60_000);
    expect(await requestScan(deps, policy)).toEqual({ runId: 'run-before', again: true });
    expect(await interrupted('run-before')).toMatchObject({ kind: 'continued' });
    expect((await scanNow(registers))?.value).toMatchObject({ begunAt: began, parts: 2 });
  });

  /** A part of a run that is stopped after a number of calls. */
  function interrupted(runId: string, questions = 0, registers: Registers = shop.store.registers) {
    let left = questions;
    const remainingMs = (): number => {
      left -= 1;
      return left >= -1 ? HOUR : 0;
    };
    const deadline = { remainingMs, reserveMs: 60_000, stop: AbortSignal.abort() };
    const outlook = { deadline, requests: { send: async () => undefined }, onProgress: () => undefined };
    const { settings } = shop;
    const deps = shop.deps({ registers });
    // Not settled: only the deadline watcher sleeps, and advancing the clock to it would end the part before its first call.
    return scanPart({ deps, settings, retrying: shop.retrying(), policy, ...outlook }, runId);
  }
});
