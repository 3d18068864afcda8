import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import { type ReactDeps, react } from '../../../shared/app/events/event-handler.ts';
import { halt } from '../../../shared/app/guardrails/controls.ts';
import { serve } from '../../../shared/app/runtime/daemon.ts';
import type { Runtime } from '../../../shared/compose/runtime.ts';
import { optedOut } from '../../support/cloud-trail-events.ts';
import { sandboxInfo, sandboxOver } from '../sandbox.ts';
import { answer, COMPUTE_OPTIMIZER_ONLY, elapsed, inDirectory, policyOf, taskInput, withApp } from '../workbench.ts';

/*
 * The daemon adopts an organization over the embedded store. Meanwhile somebody opts single accounts out, and their events arrive. Answers with the
 * time from each event until the account is Active in AWS, and from a halt until the last change.
 */
const input = z.object({
  events: z.number(),
  /** The time over which the events are spread, ms. */
  spreadMs: z.number(),
  limits: z.object({ callsPerSecond: z.number(), concurrency: z.number() }),
  sandbox: sandboxInfo,
});
const { events, spreadMs, limits, sandbox: info } = input.parse(taskInput());

const POLL_MS = 100;
/** The halt is in effect after this time without another change, ms. */
const QUIET_MS = 5_000;

const sandbox = sandboxOver(info, async () => undefined);
const policy = policyOf(`schedule: 24h\n${COMPUTE_OPTIMIZER_ONLY}`, limits);

const isActive = async (accountId: string): Promise<boolean> =>
  (await sandbox.accounts(accountId)).every(({ computeOptimizer }) => computeOptimizer.status === 'Active');

/** The time from the event of an opt-out until the account is Active again, ms. */
async function fixed(parts: ReactDeps, accountId: string): Promise<number> {
  await sandbox.drift([accountId], 'computeOptimizer');
  const since = performance.now();
  const { queued } = await react(parts, async () => policy.hash, optedOut(accountId, systemClock.now()));
  if (queued.length !== 1) throw new Error(`account ${accountId} was not queued`);
  while (!(await isActive(accountId))) await sleep(POLL_MS);
  return elapsed(since);
}

/** The time from a halt until the last change that AWS receives, ms. */
async function halted({ deps }: Runtime): Promise<number> {
  const since = performance.now();
  await halt(deps, 'bench');
  let { count } = await sandbox.mutatingCalls();
  let last = 0;
  while (elapsed(since) - last < QUIET_MS) {
    await sleep(POLL_MS);
    const now = (await sandbox.mutatingCalls()).count;
    if (now > count) last = elapsed(since);
    count = now;
  }
  return last;
}

/** `left`: how many messages were visible after the last event. */
async function announce({ deps, retrying }: Runtime): Promise<{ readonly times: number[]; readonly left: number }> {
  const parts: ReactDeps = {
    ...deps,
    readAccount: (id, ids) => deps.cloud.readAccount(id, { ...ids, tags: false, retry: retrying }),
  };
  const members = (await sandbox.accounts()).filter(({ state, management }) => state === 'ACTIVE' && !management);
  const steady = members.filter(({ computeOptimizer }) => computeOptimizer.status === 'Active').slice(0, events);
  const times: Promise<number>[] = [];
  for (const { accountId } of steady) {
    times.push(fixed(parts, accountId));
    await sleep(spreadMs / events);
  }
  const { visible: left } = await deps.queue.depth();
  return { times: await Promise.all(times), left };
}

await inDirectory((directory) =>
  withApp(directory, policy, async (app) => {
    const stop = new AbortController();
    const scanned = Promise.withResolvers<number>();
    const served = serve(app.deps, app.settings, app.retrying, policy, {
      stop: stop.signal,
      onProgress: () => undefined,
      onScanStarted: () => undefined,
      onScan: (_, plan) => scanned.resolve(plan.due.length),
      onError: (_, error) => scanned.reject(error),
    });
    const due = await scanned.promise;
    const begun = performance.now();
    const before = await sandbox.mutatingCalls();
    const { times, left } = await announce(app);
    const changed = (await sandbox.mutatingCalls()).count - before.count;
    const seconds = elapsed(begun) / 1000;
    const { visible } = await app.deps.queue.depth();
    const haltMs = visible === 0 ? null : await halted(app);
    stop.abort();
    await served;
    answer({ times, due, changed, seconds, left, haltMs });
  }),
);
