import { afterEach, describe, expect, it } from 'vitest';
import { LEASE_MS } from '../../../../shared/app/context.ts';
import { acquireLease, holdLease } from '../../../../shared/app/coordination/lease.ts';
import {
  beginPart,
  endPart,
  type GivenUpScan,
  requestScan,
  SCAN_LEASE,
} from '../../../../shared/app/schedule/scan-schedule.ts';
import { scanUnderWay } from '../../../../shared/app/schedule/scan-under-way.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

const policy = policyOf('computeOptimizer: Active');
const MINUTE = 60_000;

let shop: Workshop;
afterEach(() => shop.close());

/** A part of a scan in another process. `die` simulates a kill: nothing is released. */
async function running() {
  shop = await Workshop.open({ policy });
  const { registers } = shop.deps();
  const { clock } = shop;
  const runId = (await requestScan(shop.deps(), shop.policy))?.runId ?? expect.fail('no scan was due');
  const answer = await acquireLease(registers, clock, SCAN_LEASE, 'first', LEASE_MS);
  if (!('lease' in answer)) expect.fail('the lease is free');
  const { lease } = answer;
  let dead = false;
  const renew = async (): Promise<boolean> => dead || lease.renew();
  const mortal = { renew, release: async () => (dead ? undefined : lease.release()) };
  const end = new AbortController();
  const part = holdLease(clock, { lease: mortal, name: SCAN_LEASE, ttlMs: LEASE_MS }, async () => {
    await beginPart(shop.deps(), runId);
    await clock.sleep(20 * MINUTE, end.signal);
  });
  await clock.advance(1_000);
  const die = async (): Promise<void> => {
    dead = true;
    end.abort();
    await part;
  };
  const finish = async (): Promise<void> => {
    await endPart(shop.deps(), runId, 'done');
    end.abort();
    await part;
  };
  return { runId, die, finish };
}

describe('a scan in another process', () => {
  it('is not taken over while its lease is renewed', async () => {
    const { runId, finish } = await running();
    for (let minute = 0; minute < 14; minute += 1) {
      await shop.clock.advance(MINUTE);
      expect(await requestScan(shop.deps(), shop.policy)).toBeNull();
      const until = new Date(shop.clock.now()).toISOString();
      const scan = await scanUnderWay(shop.deps());
      expect(scan).toMatchObject({ runId, state: 'running', holder: 'first' });
      expect(Date.parse(scan?.until ?? '')).toBeGreaterThan(Date.parse(until));
    }
    await finish();
    expect(await scanUnderWay(shop.deps())).toBeNull();
  });

  it('that is killed repeatedly is given up, which is reported once with the time of the next scan', async () => {
    shop = await Workshop.open({ policy });
    const begun = shop.clock.now();
    const givenUp: GivenUpScan[] = [];
    const deps = { ...shop.deps(), onScanGivenUp: (scan: GivenUpScan) => void givenUp.push(scan) };
    const requests = [await requestScan(deps, policy)];
    for (let request = requests[0]; request != null; requests.push(request)) {
      await beginPart(deps, request.runId);
      await shop.clock.advance(MINUTE);
      expect(givenUp).toEqual([]);
      request = await requestScan(deps, policy);
    }
    const runId = requests[0]?.runId;
    expect(requests.flatMap((request) => request?.runId ?? [])).toEqual(Array(6).fill(runId));
    expect(givenUp).toEqual([{ runId, nextAt: new Date(begun + 60 * MINUTE).toISOString() }]);
    await shop.clock.advance(MINUTE);
    expect(await requestScan(deps, policy)).toBeNull();
    expect(givenUp).toHaveLength(1);
  });

  it('is continued a minute after its process was killed; until then the status shows when', async () => {
    const { runId, die } = await running();
    await shop.clock.advance(MINUTE);
    const killedAt = shop.clock.now();
    await die();
    const scan = await scanUnderWay(shop.deps());
    expect(scan).toMatchObject({ runId, state: 'running', holder: 'first' });
    const until = Date.parse(scan?.until ?? '');
    expect(until - killedAt).toBeGreaterThan(0);
    expect(until - killedAt).toBeLessThanOrEqual(LEASE_MS);
    await shop.clock.advance(until - killedAt - 1);
    expect(await requestScan(shop.deps(), shop.policy)).toBeNull();
    await shop.clock.advance(1);
    expect(await scanUnderWay(shop.deps())).toEqual({ runId, state: 'interrupted', holder: null, until: null });
    expect(await requestScan(shop.deps(), shop.policy)).toEqual({ runId, again: true });
  });

  it('that no process has begun is requested again; until then the status shows when', async () => {
    shop = await Workshop.open({ policy });
    const runId = (await requestScan(shop.deps(), shop.policy))?.runId ?? expect.fail('no scan was due');
    const scan = await scanUnderWay(shop.deps());
    expect(scan).toMatchObject({ runId, state: 'requested', holder: null });
    await shop.clock.advance(Date.parse(scan?.until ?? '') - shop.clock.now());
    expect(await scanUnderWay(shop.deps())).toMatchObject({ state: 'requested', until: null });
    expect(await requestScan(shop.deps(), shop.policy)).toEqual({ runId, again: true });
  });

  it('that belongs to an apply has no scheduled run', async () => {
    shop = await Workshop.open({ policy });
    const { registers, clock } = shop.deps();
    await acquireLease(registers, clock, SCAN_LEASE, 'apply', LEASE_MS);
    expect(await scanUnderWay(shop.deps())).toMatchObject({ runId: null, state: 'running', holder: 'apply' });
  });
});
