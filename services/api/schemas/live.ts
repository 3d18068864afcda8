import * as z from 'zod';
import { textOrNull, timeOrNull } from '../../../shared/app/queries/answers/common.ts';
import { byKind } from '../../../shared/domain/enrollment/kinds/index.ts';

/**
 * Where the present run is, `event: progress` of `/api/events`. The process that answers knows only of its own runs; in the aws runtime,
 * where functions work, there is none, and entries tell.
 */
export const progress = z.object({
  phase: z.enum(['idle', 'waiting', 'organization', 'listing', 'probing', 'working']),
  runId: textOrNull,
  startedAt: timeOrNull.describe('When the run began'),
  at: timeOrNull.describe('When something last happened'),
  organization: z.number().describe('Accounts of the organization that were read'),
  listed: z.object(byKind(() => z.number())),
  probed: z.object({ done: z.number(), total: z.number() }),
  recorded: z.number().describe('Entries that the scan wrote'),
  queued: z.object({
    messages: z.number(),
    changes: z.number().describe('Number of planned changes, follow-ups included'),
    followUps: z.number().describe('Number of `changes` that become possible when their prerequisite is met'),
  }),
  changes: z
    .object({
      total: z.number(),
      confirmed: z.number(),
      failed: z.number(),
      blocked: z.number(),
      notNeeded: z.number(),
      inProgress: z.number(),
    })
    .describe('Progress of these changes, as this process sees it; each counts once, by its last outcome'),
  worked: z
    .record(z.string(), z.number())
    .describe('Keys by how they ended: resolved, converging, blocked, retrying, dead, nothingToDo, superseded'),
});

/** `event: gap`: more has happened than is sent after a break; read anew what is shown. */
export const gap = z.object({ since: timeOrNull });
