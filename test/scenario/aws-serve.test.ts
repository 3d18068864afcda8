import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../shared/adapters/system/clock.ts';
import { verifyLedger } from '../../shared/app/queries/audit/verify.ts';
import { scanUnderWay } from '../../shared/app/schedule/scan-under-way.ts';
import { type AwsWorld, type Spawned, startAwsWorld } from '../support/aws-world.ts';
import { readRecords } from '../support/world.ts';
import { foldAll, ledgerFaults, readChains } from '../support/world-checks.ts';
import { policyText } from '../support/world-policy.ts';

const POLICY = policyText({ callsPerSecond: 1000, concurrency: 8 });
const WITH_HUB = policyText({ costOptimizationHub: 'Active', callsPerSecond: 1000, concurrency: 8 });

function placed(policy = POLICY): string {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-aws-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'rollcall.yaml'), policy);
  return directory;
}

const openIn = ({ running }: AwsWorld): number =>
  running.sandbox
    .accounts()
    .filter(({ state, computeOptimizer }) => state === 'ACTIVE' && computeOptimizer.status !== 'Active').length;

/** Resolves when no account is left to be enrolled. */
const enrolled = (world: AwsWorld): Promise<void> =>
  world.activity.until(() => (openIn(world) === 0 ? null : `${openIn(world)} accounts are not Active`));

const listed = ({ running }: AwsWorld): number =>
  running.sandbox.calls().reduce((sum, { operation, count }) => sum + (operation === 'ListAccounts' ? count : 0), 0);

/** Resolves when this many pages of accounts have been requested. */
const pages = (world: AwsWorld, count: number): Promise<void> =>
  world.activity.until(() => (listed(world) >= count ? null : `${listed(world)} of ${count} pages are listed`));

async function expectSound(world: AwsWorld): Promise<void> {
  const stores = await world.look();
  const chains = await readChains(stores);
  expect(ledgerFaults(chains)).toEqual([]);
  expect(await readRecords(stores)).toEqual(foldAll(chains));
  expect((await verifyLedger(stores.ledger, stores.records)).fault).toBeNull();
  expect(world.mutating.filter(({ intended }) => !intended)).toEqual([]);
}

/** The time a process took to end after SIGTERM, ms. */
async function stopped({ process, ended }: Spawned): Promise<{ readonly ms: number; readonly code: number | null }> {
  const at = performance.now();
  process.kill('SIGTERM');
  const { code, stderr } = await ended;
  expect(stderr).not.toMatch(/^\s+at /m);
  return { ms: performance.now() - at, code };
}

// Real processes in real time: on a machine that is busy with other tests they take their time.
describe('rollcall serve --store aws', { timeout: 180_000 }, () => {
  it('on SIGTERM during work, ends with 0 in bounded time, releases everything and publishes its entries', async () => {
    const world = await startAwsWorld({ accounts: 24, drift: 0.8, latencyMs: 60 });
    const cwd = placed();
    const first = world.cli(['serve', '--store', 'aws'], cwd);
    await first.ready;
    await world.activity.until(() => (world.mutating.length >= 6 ? null : 'six changes'));
    const { ms, code } = await stopped(first);
    const before = world.mutating.length;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(25_000);
    expect(openIn(world)).toBeGreaterThan(0);
    const stores = await world.look();
    // No claim remains, and no message is still invisible.
    for (const record of (await readRecords(stores)).values())
      expect(record.conditions.computeOptimizer?.claim ?? null).toBeNull();
    expect(await stores.queue.depth()).toMatchObject({ inFlight: 0, dead: 0 });
    expect((await first.ended).stderr).toContain('stopped');
    const second = world.cli(['serve', '--store', 'aws'], cwd);
    await enrolled(world);
    expect(world.mutating.length).toBeGreaterThan(before);
    await world.activity.until(() => (world.stores.bodies('work').length === 0 ? null : 'an empty queue'));
    // It publishes once more what it has written.
    expect(await stopped(second)).toMatchObject({ code: 0 });
    expect(await stores.ledger.unpublished(100)).toEqual([]);
    expect(world.running.sandbox.events().map(({ DetailType }) => DetailType)).toContain('Remediation Succeeded');
    expect(await stores.queue.depth()).toMatchObject({ inFlight: 0 });
    await expectSound(world);
  });

  it('on SIGTERM during a scan, leaves the rest to the next process, which repeats no call', async () => {
    const world = await startAwsWorld({ accounts: 80, drift: 0.1, latencyMs: 100 });
    const cwd = placed();
    const first = world.cli(['serve', '--store', 'aws'], cwd);
    await pages(world, 2);
    expect(await stopped(first)).toMatchObject({ code: 0 });
    const before = listed(world);
    expect(before).toBeLessThan(4);
    const second = world.cli(['serve', '--store', 'aws'], cwd);
    await enrolled(world);
    // 80 accounts are 4 pages. The first process may have requested its last page without receiving it.
    expect(listed(world)).toBeLessThanOrEqual(6);
    second.process.kill('SIGKILL');
    const chains = await readChains(await world.look());
    const said = (type: string) => (chains.get('organization') ?? []).filter((entry) => entry.type === type).length;
    expect([said('ScanStarted'), said('ScanCompleted')]).toEqual([1, 1]);
  });

  it('killed during a scan, is followed by the next process once the lease has expired', async () => {
    const world = await startAwsWorld({ accounts: 80, drift: 0.1, latencyMs: 100 });
    const first = world.worker({ policyText: POLICY });
    await pages(world, 2);
    first.process.kill('SIGKILL');
    await first.ended;
    const killedAt = performance.now();
    const stores = await world.look();
    const runId = (await scanUnderWay({ registers: stores.registers, clock: systemClock }))?.runId;
    expect(runId).not.toBeNull();
    const before = listed(world);
    const second = world.worker({ policyText: POLICY });
    await pages(world, before + 1);
    // The worker's lease lasts 6 seconds; the rest is its start, and a busy machine.
    expect(performance.now() - killedAt).toBeLessThan(45_000);
    await enrolled(world);
    await stopped(second);
    const chains = await readChains(stores);
    const scans = (chains.get('organization') ?? []).filter(({ type }) => type.startsWith('Scan'));
    expect(scans.map((entry) => [entry.type, entry.runId])).toEqual([
      ['ScanStarted', runId],
      ['ScanCompleted', runId],
    ]);
  });

  it('enrolls in Cost Optimization Hub by its own intents, although both kinds have an operation of the same name', async () => {
    const world = await startAwsWorld({ accounts: 20, drift: 0.5 });
    const served = world.cli(['serve', '--store', 'aws'], placed(WITH_HUB));
    await enrolled(world);
    const open = world.running.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    await world.activity.until(() => {
      const now = world.running.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
      const left = now.filter(({ costOptimizationHub }) => costOptimizationHub.status !== 'Active').length;
      return left === 0 ? null : `${left} accounts are not in Cost Optimization Hub`;
    });
    await world.activity.until(() => (world.stores.bodies('work').length === 0 ? null : 'an empty queue'));
    expect(await stopped(served)).toMatchObject({ code: 0 });
    const made = (kind: string) => world.mutating.filter(({ enrollment }) => enrollment === kind);
    expect(
      made('costOptimizationHub')
        .map(({ accountId }) => accountId)
        .sort(),
    ).toEqual(open.map(({ accountId }) => accountId).sort());
    expect(made('computeOptimizer').length).toBeGreaterThan(0);
    await expectSound(world);
  });

  it('loses nothing to a worker whose clock is two minutes ahead', async () => {
    const world = await startAwsWorld({ accounts: 20, drift: 0.8, latencyMs: 20 });
    const workers = [world.worker({ policyText: POLICY }), world.worker({ policyText: POLICY, aheadMs: 120_000 })];
    await enrolled(world);
    const stores = await world.look();
    await world.activity.until(async () => {
      const messages = world.stores.bodies('work').length;
      if (messages > 0) return `${messages} messages`;
      const claimed = [...(await readRecords(stores)).values()].filter(({ conditions: { computeOptimizer } }) => {
        return computeOptimizer !== null && computeOptimizer.claim !== null;
      });
      return claimed.length === 0 ? null : `${claimed.length} claims`;
    });
    for (const worker of workers) expect(await stopped(worker)).toMatchObject({ code: 0 });
    await expectSound(world);
  });
});
