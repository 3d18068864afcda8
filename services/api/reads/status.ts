import * as z from 'zod';
import { busOf } from '../../../shared/app/notifications/outbox-state.ts';
import { fullSummary } from '../../../shared/app/queries/plan-document.ts';
import { status } from '../../../shared/app/queries/status.ts';
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
    ...{ method: 'get', path: '/api/whoami', operationId: 'whoami', answer: 'WhoAmI' },
    summary: 'The authenticated caller and its role',
    ...NONE,
    handle: async ({ principal: { actor, role }, system: { version } }) => ({
      ...{ actor, version },
      // The role `events` is not admitted here.
      role: role === 'operate' ? ('operate' as const) : ('read' as const),
    }),
  }),
  jsonRoute({
    ...{ method: 'get', path: '/api/status', operationId: 'status', answer: 'Status' },
    summary: 'Counts by status, scans, queue, rate limit, drift, and everything that keeps enforcement from acting',
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
    ...{ method: 'get', path: '/api/limiter', operationId: 'limiter', answer: 'Limiter' },
    summary: 'The rate limit that all workers share, and its ceiling',
    ...NONE,
    handle: async ({ system }) => {
      const { policy } = await system.policy();
      const { total, ...rates } = await bucketRates(system.stores.registers);
      const operations = Object.entries(rates).map(([operation, rate]) => ({ operation, rate }));
      operations.sort((a, b) => a.rate - b.rate);
      return { ceiling: callCeiling(policy.policy.limits), total: total ?? null, operations };
    },
  }),
  jsonRoute({
    ...{ method: 'get', path: '/api/queue', operationId: 'queue', answer: 'Queue' },
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
    ...{ method: 'get', path: '/api/dead-letters', operationId: 'deadLetters', answer: 'DeadLetters' },
    summary: 'Work that was given up, newest first',
    ...NONE,
    query: z.strictObject({ limit: limit(MAX_LIMIT, 50) }),
    handle: async ({ system, query }) => ({
      deadLetters: (await system.stores.deadLetters.list(query.limit)).map(letterView),
    }),
  }),
  jsonRoute({
    ...{ method: 'get', path: '/api/dead-letters/{id}', operationId: 'deadLetter', answer: 'DeadLetter' },
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

const letterView = (letter: DeadLetter) => ({ ...letter, at: toIso(letter.at) });

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
