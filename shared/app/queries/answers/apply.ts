import * as z from 'zod';
import {
  accountId,
  complianceStatus,
  enrollment,
  list,
  statuses,
  summary,
  textOrNull,
  time,
  timeOrNull,
  verdict,
} from './common.ts';
import { coverage, guardrail, totals } from './plan.ts';
import { rollout } from './status.ts';

/** How a run ended, apart from its plan. */
export const runOutcome = z.object({
  runId: z.string(),
  changes: z
    .object({
      attempted: z.number(),
      succeeded: z.number(),
      failed: z.number(),
      blocked: z.number(),
      converging: z.number(),
    })
    .describe('How every mismatch that the scan found ended'),
  planned: z
    .object({
      total: z.number(),
      confirmed: z.number().describe('AWS reports the desired state'),
      inProgress: z.number().describe('AWS has accepted the change; waiting for confirmation'),
      failed: z.number(),
      blocked: z.number().describe('Waiting, or needs attention'),
      notStarted: z.number(),
    })
    .describe("How the changes of the plan ended, follow-ups included: adds up to the plan's total"),
  open: list(
    z.object({
      accountId,
      accountName: z.string(),
      ou: z.string(),
      enrollment,
      verdict,
      reason: textOrNull,
      status: complianceStatus,
      message: textOrNull,
      notBefore: timeOrNull,
    }),
  ).describe('Changes that were not made, with the known reasons'),
  stopped: z.object({ reason: z.string(), message: z.string() }).nullable(),
  interrupted: z.boolean(),
  rollout: rollout
    .nullable()
    .describe('The gate behind which the other changes wait for the canaries; null: no gate is closed'),
});

/** `apply --json`. */
export const applySchema = runOutcome.extend({
  organizationId: z.string(),
  policyHash: z.string(),
  planHash: z.string(),
  approval: z.object({ planHash: z.string(), actor: z.string() }).nullable(),
  totals,
  calls: z
    .record(z.string(), z.object({ count: z.number(), throttled: z.number() }))
    .describe('Calls of this run by service:Operation'),
  durationMs: z.number(),
  coverage,
  summary,
  summaryBefore: summary,
  statuses,
  statusesBefore: statuses,
  guardrail,
  unreachable: z.object({ since: time, message: z.string() }).nullable().describe('The AWS outage that ended the run'),
  claimed: list(z.object({ accountId, enrollment, operation: z.string(), until: time })).describe(
    'Started changes without a recorded outcome',
  ),
  deadLetters: z.number().describe('Dead letters of this run and of earlier ones that have not been redriven'),
  broken: list(z.string()),
});
