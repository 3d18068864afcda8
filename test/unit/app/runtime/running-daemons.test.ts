import { expect, onTestFinished, test } from 'vitest';
import { asRunningDaemon, runningDaemons } from '../../../../shared/app/runtime/running-daemons.ts';
import type { Registers } from '../../../../shared/ports/registers.ts';
import { NOW, policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

const SHOWN_MS = 120_000;
const ME = { id: 'process-1', startedAt: NOW };

async function place() {
  const shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active') });
  onTestFinished(() => shop.close());
  return { shop, deps: { ...shop.deps(), actor: 'arn:aws:iam::123456789012:user/ops team' } };
}

type Parts = Awaited<ReturnType<typeof place>>['deps'];

/** A daemon that serves until `stop` is called, with a store that may fail. */
async function serving(deps: Parts, identity = ME, over: Partial<Registers> = {}) {
  const [stopped, begun] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()];
  let written = Promise.withResolvers<void>();
  const write: Registers['write'] = async (...args) => {
    const answer = await (over.write ?? deps.registers.write)(...args);
    written.resolve();
    return answer;
  };
  const registers = { ...deps.registers, ...over, write };
  const ended = asRunningDaemon({ ...deps, registers }, identity, () => {
    begun.resolve();
    return stopped.promise;
  });
  await begun.promise;
  /** Resolves when the daemon has written its record again. */
  const renewed = (): Promise<void> => {
    written = Promise.withResolvers<void>();
    return written.promise;
  };
  const stop = (): Promise<string> => {
    stopped.resolve('served');
    return ended;
  };
  return { renewed, stop };
}

test('a daemon is shown with its actor and its start while it serves', async () => {
  const { shop, deps } = await place();
  const first = await serving(deps);
  const second = await serving(deps, { id: 'process-2', startedAt: NOW + 1 });
  const { actor } = deps;
  expect(await runningDaemons(deps)).toEqual([
    { kind: 'daemon', actor, since: NOW, until: NOW + SHOWN_MS },
    { kind: 'daemon', actor, since: NOW + 1, until: NOW + SHOWN_MS },
  ]);
  // It extends the time long before it ends.
  const renewals = Promise.all([first.renewed(), second.renewed()]);
  await shop.clock.advance(SHOWN_MS / 3);
  await renewals;
  const until = NOW + SHOWN_MS / 3 + SHOWN_MS;
  expect(await runningDaemons(deps)).toMatchObject([{ until }, { until }]);
  expect(await first.stop()).toBe('served');
  expect(await runningDaemons(deps)).toMatchObject([{ since: NOW + 1 }]);
  await second.stop();
  expect(await runningDaemons(deps)).toEqual([]);
});

test('a daemon that was killed disappears, and the next one removes its record', async () => {
  const { shop, deps } = await place();
  const killed = await serving(deps, ME, { remove: () => Promise.reject(new Error('killed')) });
  await killed.stop();
  expect(await runningDaemons(deps)).toHaveLength(1);
  await shop.clock.advance(SHOWN_MS);
  expect(await runningDaemons(deps)).toEqual([]);
  await deps.registers.write('lease/serve/unreadable', { owner: 7 }, null);
  const next = await serving(deps, { id: 'process-2', startedAt: NOW + SHOWN_MS });
  expect(await runningDaemons(deps)).toMatchObject([{ since: NOW + SHOWN_MS }]);
  expect((await deps.registers.list('lease/serve/')).map(({ name }) => name)).toEqual(['lease/serve/process-2']);
  await next.stop();
});

test('an error of the store does not stop the daemon, which is shown once the store answers', async () => {
  const { shop, deps } = await place();
  let isDown = true;
  const read: Registers['read'] = (name) =>
    isDown ? Promise.reject(new Error('throttled')) : deps.registers.read(name);
  const daemon = await serving(deps, ME, { read });
  expect(await runningDaemons(deps)).toEqual([]);
  isDown = false;
  const renewed = daemon.renewed();
  await shop.clock.advance(SHOWN_MS / 3);
  await renewed;
  expect(await runningDaemons(deps)).toHaveLength(1);
  expect(await daemon.stop()).toBe('served');
});
