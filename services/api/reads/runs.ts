import * as z from 'zod';
import { enrollment } from '../../../shared/app/queries/answers/common.ts';
import { CHANGE_OUTCOMES } from '../../../shared/app/queries/answers/runs.ts';
import { listRunChanges } from '../../../shared/app/queries/run-change-list.ts';
import { listRuns, showRun } from '../../../shared/app/queries/runs.ts';
import { ApiProblem } from '../problem.ts';
import { cursor, limit, MAX_LIMIT, several, word } from '../query.ts';
import { jsonRoute, NONE } from '../route.ts';

export const runRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/runs',
    operationId: 'runs',
    answer: 'Runs',
    summary: 'Runs, newest first',
    ...NONE,
    // A small page, because each run costs a few queries to the audit log.
    query: z.strictObject({ limit: limit(100, 20), cursor }),
    handle: async ({ system, query }) =>
      listRuns(system.stores, system.clock, { limit: query.limit, cursor: query.cursor ?? null }, system.runs),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/runs/{id}',
    operationId: 'run',
    answer: 'RunDetail',
    summary: 'One run with its plan, and the progress and outcome of its changes',
    heavy: true,
    // A few short reads, which must not wait for reports.
    lane: 'light',
    ...NONE,
    params: z.strictObject({ id: z.string().min(1).max(200) }),
    handle: async ({ system, params }) => {
      const run = await showRun(system.stores, system.clock, params.id, system.runs);
      if (run === null) throw new ApiProblem(404, 'RunUnknown', 'The audit log has no such run.');
      return run;
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/runs/{id}/changes',
    operationId: 'runChanges',
    answer: 'RunChanges',
    summary: 'All changes of a run with their outcomes, those that need attention first: filtered and paged',
    heavy: true,
    lane: 'light',
    ...NONE,
    params: z.strictObject({ id: z.string().min(1).max(200) }),
    query: z.strictObject({
      outcome: several(z.enum(CHANGE_OUTCOMES)).describe('Any of these'),
      enrollment: enrollment.optional(),
      planned: z
        .enum(['true', 'false'])
        .optional()
        .describe(
          'true: planned changes; false: those made after an event, or when a change window opened; default: both',
        ),
      text: word.optional().describe('Part of id, name or OU'),
      limit: limit(MAX_LIMIT, 200),
      cursor: z
        .string()
        .regex(/^\d{1,9}$/, 'expected the `next` of the previous page')
        .optional(),
    }),
    handle: async ({ system, params, query }) => {
      const planned = query.planned === undefined ? undefined : query.planned === 'true';
      const asked = { ...query, planned, cursor: query.cursor ?? null };
      const changes = await listRunChanges(system.stores, system.clock, params.id, asked, system.runs);
      if (changes === null) throw new ApiProblem(404, 'RunUnknown', 'The audit log has no such run.');
      return changes;
    },
  }),
];
