import * as z from 'zod';
import { textOrNull, timeOrNull } from '../../../shared/app/queries/answers/common.ts';
import { byKind } from '../../../shared/domain/enrollment/kinds/index.ts';

/** Progress of the run of this process: `event: progress` of `/api/events`. In the aws runtime other functions do the work, so the phase stays `idle`. */
export const progress = z.object({
  phase: z.enum(['idle', 'waiting', 'organization', 'listing', 'probing', 'working']),
  runId: textOrNull,
  startedAt: timeOrNull.describe('When the run began'),
  at: timeOrNull.describe('When the progress last changed'),
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

/** `event: gap`: the reader missed too many entries to send them again, so it must reload what it shows. */
export const gap = z.object({ since: timeOrNull });
