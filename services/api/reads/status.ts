import * as z from 'zod';
import { organizationOf } from '../../../shared/app/coordination/organization-binding.ts';
import { busOf } from '../../../shared/app/notifications/outbox-state.ts';
import { markers, overview } from '../../../shared/app/queries/overview.ts';
import { fullSummary } from '../../../shared/app/queries/plan-document.ts';
import { status } from '../../../shared/app/queries/status.ts';
import type { CallUse } from '../../../shared/app/rate-limiter/call-meter.ts';
import { bucketRates } from '../../../shared/app/rate-limiter/rate-limiter.ts';
import { callCeiling } from '../../../shared/domain/policy/index.ts';
import { toIso } from '../../../shared/domain/time.ts';
import type { DeadLetter } from '../../../shared/ports/queue.ts';
import { ApiProblem, PolicyUnavailableError } from '../problem.ts';
import { limit, MAX_LIMIT } from '../query.ts';
import { jsonRoute, NONE } from '../route.ts';
import type { ApiSystem, PolicyInUse } from '../system.ts';

/** The current state: the caller, the organization's totals, rate limit, queue, dead letters. */
export const statusRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/whoami',
    operationId: 'whoami',
    answer: 'WhoAmI',
    summary: 'The authenticated caller and its role',
    ...NONE,
    handle: async ({ principal: { actor, role }, system }) => {
      const { version, runtime } = system;
      const inUse = await policyIfAny(system);
      return {
        actor,
        version,
        runtime,
        // The role `events` is not admitted here.
        role: role === 'operate' ? ('operate' as const) : ('read' as const),
        organization: await organizationIfKnown(system),
        policy: inUse === null ? null : { file: inUse.file, hash: inUse.policy.hash },
      };
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/status',
    operationId: 'status',
    answer: 'Status',
    summary: 'Counts by status, scans, queue, rate limit, drift, and everything that stops or delays changes',
    shared: true,
    ...NONE,
    handle: async ({ system }) => {
      const inUse = await policyIfAny(system);
      const { stores, clock, deployedBus } = system;
      const policy = inUse?.policy ?? null;
      const found = await status(stores, { policy, now: clock.now(), bus: busOf(policy, deployedBus) });
      return { ...found, summary: fullSummary(found.summary) };
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/overview',
    operationId: 'overview',
    answer: 'Overview',
    summary:
      'What changed in 24 hours, what needs attention, what waits and until when, where accounts drift, and whose changes caused it',
    heavy: true,
    // Only the state of a day ago needs entries. It is cached for minutes and is read through `longReads`.
    lane: 'lists',
    shared: true,
    ...NONE,
    handle: async ({ system }) => {
      const { stores, reads, clock, dayAgo, knownDrifts } = system;
      const policy = (await policyIfAny(system))?.policy ?? null;
      const longReads = reads?.heavy ?? stores;
      return overview({ stores, longReads, policy, dayAgo, knownDrifts, now: clock.now() });
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/markers',
    operationId: 'markers',
    answer: 'Markers',
    summary: 'Events that charts mark: policy changes, halts, guardrails, approvals',
    ...NONE,
    query: z.strictObject({ since: z.iso.datetime() }),
    handle: async ({ system: { stores }, query }) => markers(stores, query.since),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/limiter',
    operationId: 'limiter',
    answer: 'Limiter',
    summary: 'The rate limit that all workers share, and its ceiling',
    ...NONE,
    handle: async ({ system }) => {
      const { policy } = await system.policy();
      const { total, ...rates } = await bucketRates(system.stores.registers);
      const uses = system.calls?.operations() ?? null;
      const operations = Object.entries(rates).map(([operation, rate]) => {
        const { used, throttled } = uses?.get(operation) ?? { used: 0, throttled: 0 };
        return { operation, rate, used: uses && used, throttled: uses && throttled };
      });
      operations.sort((a, b) => a.rate - b.rate);
      const ceiling = callCeiling(policy.policy.limits);
      return { ceiling, total: total ?? null, operations, used: usedNow(system) };
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/queue',
    operationId: 'queue',
    answer: 'Queue',
    summary: 'The work queue, and the accounts that wait for a scheduled time',
    ...NONE,
    query: z.strictObject({ limit: limit(MAX_LIMIT, 20) }),
    handle: async ({ system: { stores }, query }) => {
      const [depth, due] = await Promise.all([
        stores.queue.depth(),
        stores.records.due(Number.MAX_SAFE_INTEGER, query.limit),
      ]);
      const waiting = due.map(({ record, wakeAt }) => ({ accountId: record.accountId, at: toIso(wakeAt) }));
      return { ...depth, waiting };
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/dead-letters',
    operationId: 'deadLetters',
    answer: 'DeadLetters',
    summary: 'Work that was given up, newest first',
    ...NONE,
    query: z.strictObject({ limit: limit(MAX_LIMIT, 50) }),
    handle: async ({ system, query }) => ({
      deadLetters: (await system.stores.deadLetters.list(query.limit)).map(letterView),
    }),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/dead-letters/{id}',
    operationId: 'deadLetter',
    answer: 'DeadLetter',
    summary: 'One dead letter',
    ...NONE,
    params: z.strictObject({ id: z.string().min(1).max(200) }),
    handle: async ({ system, params: { id } }) => {
      const letter = await system.stores.deadLetters.show(id);
      if (letter === null) throw new ApiProblem(404, 'DeadLetterUnknown', 'The dead letter does not exist.');
      return letterView(letter);
    },
  }),
];

function usedNow({ calls }: ApiSystem) {
  if (calls === undefined) return null;
  const uses = [...calls.operations().values()];
  const sum = (of: (use: CallUse) => number): number => uses.reduce((all, use) => all + of(use), 0);
  const total = Math.round(sum(({ used }) => used) * 10) / 10;
  return { total, throttled: sum(({ throttled }) => throttled), history: calls.history() };
}

const letterView = (letter: DeadLetter) => ({ ...letter, at: toIso(letter.at) });

async function organizationIfKnown({ stores }: ApiSystem) {
  const id = await organizationOf(stores);
  if (id === null) return null;
  const meta = await stores.snapshots.meta();
  const management = meta === null ? null : await stores.snapshots.get(meta.managementAccountId);
  return { id, name: management?.name ?? null };
}

/** The policy in use; `null` if it cannot be read or is invalid. */
export async function policyIfAny(system: ApiSystem): Promise<PolicyInUse | null> {
  try {
    return await system.policy();
  } catch (error) {
    if (!(error instanceof PolicyUnavailableError)) throw error;
    system.logger.warn('answered without a policy', { error });
    return null;
  }
}
