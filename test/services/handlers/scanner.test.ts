import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { LambdaContext } from '../../../shared/compose/lazy-runtime.ts';
import { functionsOf } from './functions.ts';
import { type Deployment, deploy, lambdaContext } from './support.ts';

/** Counts the reads of a scan, by operation. */
function readsOf(world: Deployment): Record<string, number> {
  const reads: Record<string, number> = {};
  for (const { operation, count } of world.sandbox.sandbox.calls()) {
    if (/^(List|Get|Describe)/.test(operation)) reads[operation] = (reads[operation] ?? 0) + count;
  }
  return reads;
}

/** The context of a function whose time is over after this many checks. Each call to AWS checks once. */
function shortTime(calls: number, reserveMs: number): LambdaContext {
  let left = calls;
  return {
    awsRequestId: 'request-short',
    getRemainingTimeInMillis() {
      left -= 1;
      return left < 0 ? 0 : reserveMs + 600_000;
    },
  };
}

const RESERVE_MS = 1_000;
const TAGGED = { more: 'rules:\n  - { id: none, match: { tags: { nobody: has } }, mode: alert }' };

describe('a scan that takes longer than one invocation', () => {
  it('continues where it stopped, and repeats no call and no entry', async () => {
    const sandbox = { accounts: 120, drift: 0.2 };
    const whole = await deploy({ sandbox, policy: TAGGED });
    const straight = functionsOf(whole);
    await straight.tick();
    expect(await straight.scan()).toMatchObject([{ result: 'done' }]);
    await straight.tick();
    const drifted = whole.events('Drift Detected').length;
    expect(drifted).toBeGreaterThan(0);

    const world = await deploy({ sandbox, policy: TAGGED });
    const { tick, scan } = functionsOf(world, { reserveMs: RESERVE_MS });
    const { scanRequested } = await tick();
    const results = [];
    for (
      let part = await scan(shortTime(6, RESERVE_MS));
      part.length > 0;
      part = await scan(shortTime(6, RESERVE_MS))
    ) {
      results.push(...part);
    }
    expect(results.length).toBeGreaterThan(3);
    expect(results.slice(0, -1).every(({ result }) => result === 'continued')).toBe(true);
    expect(results.at(-1)).toEqual({ runId: scanRequested, result: 'done' });
    const once = readsOf(whole);
    const { DescribeOrganization: described, ...reads } = readsOf(world);
    // Each invocation reads the caller and the organization again; all other reads are made once over all parts.
    expect(described).toBeGreaterThan(once['DescribeOrganization'] ?? 0);
    expect({ ...reads, ListDelegatedAdministrators: 0 }).toEqual({
      ...once,
      DescribeOrganization: undefined,
      ListDelegatedAdministrators: 0,
    });
    await tick();
    for (const type of ['Scan Started', 'Scan Completed']) {
      expect([type, world.events(type).length]).toEqual([type, 1]);
    }
    const runtime = await world.compose('look')();
    expect(await runtime.stores.registers.list('checkpoint/')).toEqual([]);
    expect(world.events('Drift Detected').length).toBe(drifted);
  });

  it('also continues if it stopped while recording', async () => {
    const world = await deploy({ sandbox: { accounts: 24, drift: 0.3 } });
    const { tick, scan } = functionsOf(world, { reserveMs: RESERVE_MS });
    await tick();
    // The time ends after some ticks of the clock, before or after recording has started.
    const results = [];
    const end = (): LambdaContext => lambdaContext(world.clock, RESERVE_MS + 600 * 3 ** results.length);
    for (let part = await scan(end()); part.length > 0; part = await scan(end())) results.push(...part);
    expect(results.at(-1)).toMatchObject({ result: 'done' });
    await tick();
    expect(world.events('Scan Completed').length).toBe(1);
    expect(world.events('Account Joined').length).toBe(world.sandbox.sandbox.accounts().length);
  });

  it('is requested again by the tick if its request or its scanner was lost, and given up after several attempts', async () => {
    const world = await deploy({ sandbox: { accounts: 8, drift: 0.5 } });
    const { tick } = functionsOf(world);
    const { scanRequested } = await tick();
    const asked: (string | null)[] = [];
    for (let minutes = 0; minutes < 30; minutes += 3) {
      world.clock.advance(180_000);
      asked.push((await tick()).scanRequested);
    }
    const again = asked.filter((runId) => runId !== null);
    expect(again).toEqual(Array(5).fill(scanRequested));
    // Half an hour later, the next scheduled scan starts as another run.
    world.clock.advance(31 * 60_000);
    expect((await tick()).scanRequested).not.toBe(scanRequested);
    expect(world.measured.get('ScanAge')).toBeGreaterThan(0);
  });

  it('is requested again after it failed, and then completes', async () => {
    const world = await deploy({ sandbox: { accounts: 8, drift: 0.5 } });
    const { tick, scan } = functionsOf(world, { settings: { retryBudgetMs: 100 } });
    const { scanRequested } = await tick();
    world.sandbox.sandbox.setFaults([{ service: 'compute-optimizer', kind: 'internal' }]);
    await expect(scan()).rejects.toThrow(/GetEnrollmentStatusesForOrganization/);
    world.sandbox.sandbox.setFaults([]);
    world.clock.advance(240_000);
    expect(await tick()).toMatchObject({ scanRequested });
    expect(await scan()).toEqual([{ runId: scanRequested, result: 'done' }]);
  });

  it('does nothing for a request that is repeated, late, or arrives while another process scans', async () => {
    const world = await deploy({ sandbox: { accounts: 8, drift: 0.5 } });
    const { tick, scan, scanner } = functionsOf(world);
    await tick();
    const [request] = world.events('Scan Requested');
    const runtime = await world.compose('other')();
    const held = { owner: 'rollcall apply', expiresAt: world.clock.now() + 600_000 };
    const version = await runtime.stores.registers.write('lease/scan', held, null);
    expect(await scan()).toMatchObject([{ result: 'busy' }]);
    await runtime.stores.registers.remove('lease/scan', version ?? '');
    expect(await scanner(request, lambdaContext(world.clock))).toMatchObject({ result: 'done' });
    const calls = world.sandbox.sandbox.calls().length;
    expect(await scanner(request, lambdaContext(world.clock))).toMatchObject({ result: 'stale' });
    expect(world.sandbox.sandbox.calls().length).toBe(calls);
  });

  it('reads accounts missing from the listings through the role that may only read', async () => {
    const world = await deploy({ sandbox: { accounts: 8, drift: 0.5 } });
    const { sandbox } = world.sandbox;
    const assumed = new Set<string>();
    const original = sandbox.handle.bind(sandbox);
    sandbox.handle = (request) => {
      const { RoleArn } = z.looseObject({ RoleArn: z.string().optional() }).parse(request.input);
      if (RoleArn !== undefined) assumed.add(RoleArn.replace(/^.*\//, ''));
      const answer = original(request);
      if (request.operation !== 'GetEnrollmentStatusesForOrganization' || answer.kind !== 'ok') return answer;
      return { ...answer, output: { accountEnrollmentStatuses: [] } };
    };
    const { tick, scan } = functionsOf(world);
    await tick();
    expect(await scan()).toMatchObject([{ result: 'done' }]);
    expect([...assumed]).toEqual(['RollcallMemberReader']);
    await tick();
    expect(world.events('Drift Detected').length).toBeGreaterThan(0);
  });

  it('rejects an event that is not a scan request', async () => {
    const world = await deploy({ sandbox: { accounts: 8, drift: 0.5 } });
    const { scanner } = functionsOf(world);
    const forged = { source: 'aws.organizations', 'detail-type': 'Scan Requested', detail: { runId: 'X' } };
    await expect(scanner(forged, lambdaContext(world.clock))).rejects.toThrow(/rollcall.internal/);
    await expect(scanner({}, lambdaContext(world.clock))).rejects.toThrow(/detail/);
  });
});

describe('an event that is not a scan request', () => {
  const good = { 'detail-type': 'Scan Requested', source: 'rollcall.internal', detail: { runId: 'r' } };

  it.each([
    [null, 'the event: expected object, received null'],
    [{}, 'detail-type: '],
    [{ ...good, source: 'rollcall' }, 'source: '],
    [{ ...good, detail: {} }, 'detail.runId: expected string, received undefined'],
    [{ ...good, detail: '{"runId":"r"}' }, 'detail: expected object, received string'],
  ])('%j is refused, with what was found and what was expected', async (event, fault) => {
    const world = await deploy({ sandbox: { accounts: 4 } });
    const { scanner } = functionsOf(world);
    const ended = scanner(event, lambdaContext(world.clock));
    await expect(ended).rejects.toMatchObject({ name: 'EventError' });
    await expect(ended).rejects.toThrow(fault);
    await expect(ended).rejects.toThrow("not invoked with Rollcall's own event `Scan Requested`");
  });
});
