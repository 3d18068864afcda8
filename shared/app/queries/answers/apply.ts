import * as z from 'zod';
import {
  accountId,
  complianceStatus,
  count,
  enrollment,
  hash,
  instant,
  instantOrNull,
  list,
  statuses,
  summary,
  textOrNull,
  ulid,
  verdict,
} from './common.ts';
import { coverage, guardrail, totals } from './plan.ts';
import { rollout } from './status.ts';

/** How a run ended, apart from its plan. */
export const runOutcome = z.object({
  runId: ulid,
  changes: z
    .object({
      attempted: count,
      succeeded: count,
      failed: count,
      blocked: count,
      converging: count,
    })
    .describe('How every mismatch that the scan found ended'),
  planned: z
    .object({
      total: count,
      confirmed: count.describe('AWS reports the desired state'),
      byOtherRuns: count.describe('AWS reports the desired state; another run made the change'),
      inProgress: count.describe('AWS has accepted the change; waiting for confirmation'),
      failed: count,
      blocked: count.describe('Waiting, or needs attention'),
      notStarted: count,
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
      notBefore: instantOrNull,
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
  policyHash: hash,
  planHash: hash,
  approval: z.object({ planHash: hash, actor: z.string() }).nullable(),
  totals,
  calls: z
    .record(z.string(), z.object({ count: count, throttled: count }))
    .describe('Calls of this run by service:Operation'),
  durationMs: z.number().min(0),
  coverage,
  summary,
  summaryBefore: summary,
  statuses,
  statusesBefore: statuses,
  guardrail,
  unreachable: z
    .object({ since: instant, message: z.string() })
    .nullable()
    .describe('The AWS outage that ended the run'),
  claimed: list(z.object({ accountId, enrollment, operation: z.string(), until: instant })).describe(
    'Started changes without a recorded outcome',
  ),
  deadLetters: count.describe('Dead letters of this run and of earlier ones that have not been redriven'),
  broken: list(z.string()),
});
