import { DEFAULT_SETTINGS } from '../../shared/app/context.ts';
import { plan } from '../../shared/app/scan/scan.ts';
import type { Simulation } from './environment.ts';

/** Invariant 6: a plan writes and changes nothing. */
export function dryRun(simulation: Simulation): void {
  const { policy } = simulation;
  simulation.invoke('plan', async (process) => {
    const deps = process.deps(policy);
    const forbid = (what: string) => async (): Promise<never> => {
      simulation.checker.report(6, `a dry run called ${what}`);
      throw new Error('a dry run writes nothing');
    };
    const ledger = { ...readable(deps.ledger), append: forbid('append'), markPublished: forbid('markPublished') };
    const records = { ...readable(deps.records), advance: forbid('advance'), snooze: forbid('snooze') };
    const snapshots = {
      ...readable(deps.snapshots),
      save: forbid('save'),
      refresh: forbid('refresh'),
      remove: forbid('remove'),
    };
    const queue = { ...readable(deps.queue), send: forbid('send'), receive: forbid('receive') };
    const cloud = { ...readable(deps.cloud), change: forbid('change') };
    const run = { runId: simulation.newId(), policy, planHash: null };
    const dry = { ...deps, ledger, records, snapshots, queue, cloud };
    await plan(dry, DEFAULT_SETTINGS, process.retrying(DEFAULT_SETTINGS), run, () => undefined);
  });
}

/** Copies the members of a proxied port into a plain object. */
function readable<Port extends object>(port: Port): Port {
  return new Proxy(port, {
    ownKeys: (target) => Reflect.ownKeys(target),
    getOwnPropertyDescriptor: (target, key) => ({
      ...Reflect.getOwnPropertyDescriptor(target, key),
      value: Reflect.get(target, key),
      configurable: true,
      enumerable: true,
    }),
  });
}
