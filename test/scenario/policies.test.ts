import { describe, expect, it } from 'vitest';
import { serve } from '../../shared/app/runtime/daemon.ts';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import { startWorld, type World } from '../support/world.ts';

const changesOf = (world: World) =>
  world.look(async ({ ledger }) =>
    (await ledger.read(ORGANIZATION_CHAIN, 0, 1_000)).filter(({ type }) => type === 'PolicyChanged'),
  );

describe('a daemon whose policy another process has replaced', () => {
  it('requests no more scans and logs why; the policies do not alternate', async () => {
    const world = await startWorld({ sandbox: { accounts: 12, drift: 0.5 } });
    const app = await world.app();
    const { policy } = world.context(app);
    const stop = new AbortController();
    const reported: string[] = [];
    let scans = 0;
    const { promise: scanned, resolve } = Promise.withResolvers<void>();
    const { promise: refused, resolve: refuse } = Promise.withResolvers<void>();
    const served = serve(app.deps, app.settings, app.retrying, policy, {
      stop: stop.signal,
      onProgress: () => undefined,
      onScanStarted: () => {
        scans += 1;
      },
      onScan: () => resolve(),
      onError: (what, error) => {
        reported.push(`${what}: ${String(error)}`);
        if (what === 'scan') refuse();
      },
    });
    await scanned;
    await world.run({ policy: { mode: 'alert' } });
    world.clock.advance(3 * 3_600_000);
    await refused;
    stop.abort();
    await served;
    expect(scans).toBe(1);
    expect(reported.filter((line) => !line.includes('Start it again with the policy that is in force'))).toEqual([]);
    expect((await changesOf(world)).length).toBe(2);
  });
});
