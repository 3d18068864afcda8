import * as z from 'zod';
import { listRuns, showRun } from '../../../shared/app/queries/runs.ts';
import { ApiProblem } from '../problem.ts';
import { cursor, limit } from '../query.ts';
import { jsonRoute, NONE } from '../route.ts';

export const runRoutes = [
  jsonRoute({
    ...{ method: 'get', path: '/api/runs', operationId: 'runs', answer: 'Runs' },
    summary: 'Runs, newest first',
    ...NONE,
    // A small page, because each run costs a few queries to the audit log.
    query: z.strictObject({ limit: limit(100, 20), cursor }),
    handle: async ({ system, query }) => listRuns(system.stores, { limit: query.limit, cursor: query.cursor ?? null }),
  }),
  jsonRoute({
    ...{ method: 'get', path: '/api/runs/{id}', operationId: 'run', answer: 'RunDetail' },
    summary: 'One run with its plan, and the progress and outcome of its changes',
    heavy: true,
    // A few short reads, which must not wait for reports.
    lane: 'light',
    ...NONE,
    params: z.strictObject({ id: z.string().min(1).max(200) }),
    handle: async ({ system, params }) => {
      const run = await showRun(system.stores, params.id);
      if (run === null) throw new ApiProblem(404, 'RunUnknown', 'The ledger has no such run.');
      return run;
    },
  }),
];
