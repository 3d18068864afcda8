import * as z from 'zod';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import { react } from '../../../shared/app/events/event-handler.ts';
import { apply } from '../../../shared/app/runtime/apply.ts';
import { optedOut, organizationCall } from '../../support/cloud-trail-events.ts';
import { answer, COMPUTE_OPTIMIZER_ONLY, elapsed, inDirectory, policyOf, taskInput, withApp } from '../workbench.ts';

/*
 * The time from a CloudTrail event to its keys on the queue, ms: for enrollment calls, and for moved accounts, which are first read from
 * Organizations. One event at a time, as in a quiet organization.
 */
const { events } = z.object({ events: z.number() }).parse(taskInput());

const policy = policyOf(COMPUTE_OPTIMIZER_ONLY, { callsPerSecond: 1_000, concurrency: 16 });

await inDirectory((directory) =>
  withApp(directory, policy, async ({ deps, settings, retrying, caller }, run) => {
    const options = { waitMs: 0, stop: new AbortController().signal, onProgress: () => undefined };
    const { plan } = await apply(deps, settings, retrying, run, options);
    const { accounts = [] } = (await deps.snapshots.load()) ?? {};
    const members = accounts.filter(({ state, management }) => state === 'ACTIVE' && !management).map(({ id }) => id);
    const parts = {
      ...deps,
      readAccount: (id: string, ids: { organizationId: string; managementAccountId: string }) =>
        deps.cloud.readAccount(id, { ...ids, tags: false, retry: retrying }),
    };
    const measure = async (eventOf: (id: string) => unknown, ids: readonly string[]): Promise<number[]> => {
      const times: number[] = [];
      for (const id of ids) {
        const event = eventOf(id);
        const since = performance.now();
        const { queued } = await react(parts, async () => policy.hash, event);
        times.push(elapsed(since));
        if (queued.length !== 1) throw new Error(`account ${id} was not queued`);
      }
      return times;
    };
    const now = (): number => systemClock.now();
    const called = await measure((id) => optedOut(id, now()), members.slice(0, events));
    const moved = await measure(
      (id) => organizationCall('MoveAccount', { accountId: id }, { account: caller.managementAccountId, at: now() }),
      members.slice(events, 2 * events),
    );
    if (plan.coverage.evaluated === 0) throw new Error('nothing was scanned');
    answer({ called, moved });
  }),
);
