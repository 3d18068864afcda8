import * as z from 'zod';
import { accountId, enrollment, list, summary, textOrNull, time, timeOrNull } from './common.ts';

export const run = z.object({
  runId: z.string(),
  startedAt: time,
  completedAt: timeOrNull.describe('When its scan was complete'),
  actor: z.string(),
  policyHash: textOrNull,
  planHash: textOrNull,
  summary: summary.nullable().describe('The verdicts that its scan found'),
  coverage: z
    .object({ listed: z.number(), evaluated: z.number(), unknown: z.number(), notApplicable: z.number() })
    .nullable(),
  due: z.number().nullable().describe('Changes that it set out to make'),
  failed: z.number().nullable().describe('null: its state is kept no longer'),
  stopped: z.object({ reason: z.string(), message: z.string() }).nullable().describe('Why it makes no further changes'),
});

export const runsAnswer = z.object({ runs: list(run), next: textOrNull });

export const plannedChange = z.object({
  accountId,
  name: textOrNull,
  ou: textOrNull,
  enrollment,
  desired: textOrNull,
  desiredRuleMode: textOrNull,
  action: z.string(),
  outcome: z
    .enum(['planned', 'started', 'succeeded', 'failed', 'blocked'])
    .describe('planned: nothing has been done about it in this run'),
  reason: textOrNull,
});

export const runAnswer = z.object({
  run,
  plan: z.object({
    source: z.enum(['stored', 'ledger']).describe('stored: a plan that was held up; ledger: what the run has begun'),
    planHash: textOrNull,
    changes: list(plannedChange),
    total: z.number(),
    approvable: z.boolean().describe('maxChanges or a canary holds it up, and no one has approved it'),
    approval: z
      .object({
        actor: z.string(),
        reason: textOrNull,
        at: time,
        expiresAt: time,
        usedBy: textOrNull,
        usedAt: timeOrNull,
      })
      .nullable(),
  }),
  entries: z.record(z.string(), z.number()).describe('Entries of the run by type'),
  entriesCut: z.boolean().describe('There are more entries than were counted'),
});
