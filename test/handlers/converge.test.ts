import { describe, expect, it } from 'vitest';
import { makeHandler as makeScanner } from '../../services/scanner/handler.ts';
import { makeHandler as makeTick } from '../../services/tick/handler.ts';
import { makeHandler as makeWorker } from '../../services/worker/handler.ts';
import { type Deployment, deploy, lambdaContext } from './support.ts';

const MINUTE_MS = 60_000;

/** The deployment's functions, called by what calls them in AWS: the scheduler, a rule of the bus, the event source mapping. */
function functionsOf(world: Deployment, reserveMs?: number) {
  const tick = makeTick(world.compose('tick'));
  const scanner = makeScanner(world.compose('scanner'), reserveMs);
  const worker = makeWorker(world.compose('worker'));
  let seen = 0;
  return {
    tick: () => tick({ source: 'rollcall.scheduler' }, lambdaContext(world.clock, MINUTE_MS)),
    /** Delivers the requests to scan that were put on the bus since the last time. */
    async scan(budgetMs?: number) {
      const all = world.events('Scan Requested');
      const fresh = all.slice(seen);
      seen = all.length;
      const results = [];
      for (const event of fresh) results.push(await scanner(event, lambdaContext(world.clock, budgetMs)));
      return results;
    },
    scanEvent: scanner,
    /** Delivers one batch; what succeeded is deleted, as Lambda does. */
    async work() {
      const event = await world.sqsEvent();
      if (event.Records.length === 0) return null;
      const response = await worker(event, lambdaContext(world.clock));
      const kept = new Set(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      await world.remove(event.Records.filter(({ messageId }) => !kept.has(messageId)));
      return { records: event.Records, failed: [...kept] };
    },
    worker,
  };
}

describe('tick, scanner and worker', () => {
  it('bring an organization to its policy, with one id from the scan to the event', async () => {
    const world = await deploy({ sandbox: { accounts: 30, drift: 0.5, scenario: 'small' } });
    const { tick, scan, work } = functionsOf(world);
    const first = await tick();
    expect(first.scanRequested).toMatch(/^[0-9A-Z]{26}$/);
    expect(await tick()).toMatchObject({ scanRequested: null });
    expect(await scan()).toEqual([{ runId: first.scanRequested, result: 'done' }]);
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    const open = world.sandbox.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    expect(open.filter(({ computeOptimizer }) => computeOptimizer.status !== 'Active')).toEqual([]);
    const { published } = await tick();
    expect(published).toBeGreaterThan(30);
    const resolved = world.events('Drift Resolved');
    expect(resolved.length).toBeGreaterThan(0);
    for (const { detail } of resolved) expect(detail).toMatchObject({ runId: first.scanRequested });
    const worked = world.lines.filter(({ message }) => message === 'key worked on');
    expect(new Set(worked.map(({ fields }) => fields['runId']))).toEqual(new Set([first.scanRequested]));
    for (const name of ['AccountsScanned', 'DriftFound', 'ChangesMade', 'QueueLatency', 'EntriesPublished'] as const) {
      expect([name, (world.measured.get(name) ?? 0) > 0]).toEqual([name, true]);
    }
    expect(world.measured.get('DriftFound')).toBe(resolved.length);
  });
});
