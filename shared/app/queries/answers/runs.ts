import * as z from 'zod';
import { runTriggerSchema } from '../../../domain/ledger/run-trigger.ts';
import { accountId, count, enrollment, list, summary, textOrNull, time, timeOrNull } from './common.ts';

/** How a change of a run has ended, in the order in which changes are listed. */
export const CHANGE_OUTCOMES = [
  'Needs attention',
  'In progress',
  'Waiting',
  'Not started',
  'Superseded',
  'Succeeded',
] as const;
export type ChangeOutcome = (typeof CHANGE_OUTCOMES)[number];
const changeOutcome = z
  .enum(CHANGE_OUTCOMES)
  .describe(
    'Superseded: a later run has taken it over, or a person or the owner of the account has made it unnecessary',
  );
const outcomeCounts = z.record(changeOutcome, count);

/** How a run has ended. */
const RUN_OUTCOMES = [
  'In progress',
  'Completed',
  'Waiting',
  'Needs attention',
  'Stopped by guardrail',
  'Stopped by halt',
  'Interrupted',
  'Nothing planned',
] as const;
export type RunOutcomeWord = (typeof RUN_OUTCOMES)[number];

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
  due: z
    .number()
    .nullable()
    .describe('Changes that were due when the run was planned, without follow-ups; see `totals`'),
  totals: z
    .object({ now: z.number(), followUps: z.number(), optOuts: z.number(), calls: z.number() })
    .nullable()
    .describe('The planned changes; now and followUps together are their number. null: not known'),
  changes: z
    .object({
      total: z.number(),
      confirmed: z.number().describe('AWS reports the desired state'),
      inProgress: z.number().describe('Started, and not observed as done yet'),
      failed: z.number(),
      blocked: z.number().describe('Delayed or refused before the call to AWS'),
      notStarted: z.number(),
      unplanned: z.number().describe('Not part of the total: made after an event, or when a change window opened'),
      driftedAgain: z
        .number()
        .describe(
          'Changes that the run completed and whose accounts drifted again later. They also count as confirmed',
        ),
    })
    .describe(
      'Its planned changes by the last step that the run recorded; changes that are confirmed later count as confirmed. confirmed, inProgress, failed, blocked and notStarted add up to the total. `outcomes` says how the changes ended',
    ),
  outcome: z
    .enum(RUN_OUTCOMES)
    .describe(
      'The run in one word. Waiting: its remaining changes are made when their delay ends. Interrupted: it left changes to a later run. Nothing planned: its scan planned no changes; some may have been added since (`changes.unplanned`)',
    ),
  outcomes: outcomeCounts.describe('Its planned changes by outcome; the counts add up to `changes.total`'),
  trigger: runTriggerSchema.nullable().describe('What started it; null: a version that did not record it'),
  drift: z.number().nullable().describe('Open drift that its scan found'),
  endedAt: timeOrNull.describe(
    'Time of the last entry about its scan or a planned change; later entries of unplanned changes do not count. null: it is in progress',
  ),
  failed: z.number().nullable().describe('Calls that failed, retries included. null: no longer stored'),
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
  message: textOrNull.describe('One sentence for the reason'),
});

/** The changes of one enrollment kind. */
const kindOutcomes = z.object({ enrollment, total: count, outcomes: outcomeCounts });

const runChange = plannedChange.extend({
  result: changeOutcome,
  planned: z.boolean().describe('false: made after an event, or when a change window opened'),
  at: timeOrNull.describe('Time of its last entry in this run'),
});

/** One page of the changes of a run. */
export const runChangesAnswer = z.object({
  total: count.describe('Changes that match the filters'),
  counts: outcomeCounts.describe('Changes by outcome, with the other filters applied'),
  changes: list(runChange).describe('Those that need attention first'),
  next: textOrNull,
});

export const runAnswer = z.object({
  run,
  kinds: list(kindOutcomes).describe('Its planned changes by enrollment kind'),
  accounts: count.describe('Accounts with a planned change'),
  plan: z.object({
    source: z
      .enum(['stored', 'ledger'])
      .describe(
        'stored: the planned changes; ledger: the changes that the run has started, because its plan is no longer stored',
      ),
    planHash: textOrNull,
    changes: list(plannedChange),
    total: z.number().describe('Changes of the run; the first 1,000 are in `changes`'),
    configurations: count.describe(
      'Organization enrollment configurations set by somebody else that an approval lets a run change',
    ),
    approvable: z
      .boolean()
      .describe(
        'Whether the plan can be approved: maxChanges or a canary stopped it, or it changes configurations set by somebody else; and it has no approval that is open or was used after it was last stored',
      ),
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
  entriesCut: z.boolean().describe('Always false: all entries are counted'),
});
