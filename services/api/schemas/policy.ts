import * as z from 'zod';
import {
  accountId,
  enrollment,
  list,
  textOrNull,
  time,
  timeOrNull,
} from '../../../shared/app/queries/answers/common.ts';
import { byKind } from '../../../shared/domain/enrollment/kinds/index.ts';
import { FIELDS } from '../../../shared/domain/policy/types.ts';

export type MatchShape = {
  readonly accounts?: readonly string[] | undefined;
  readonly name?: readonly string[] | undefined;
  readonly ou?: readonly string[] | undefined;
  readonly tags?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly not?: MatchShape | undefined;
};
export const match: z.ZodType<MatchShape> = z.object({
  accounts: list(z.string()).optional(),
  name: list(z.string()).optional(),
  ou: list(z.string()).optional(),
  tags: z.record(z.string(), list(z.string())).optional(),
  get not() {
    return match.optional();
  },
});

const desired = z.enum(['Active', 'Inactive', 'unmanaged']);
const settings = z.object({
  ...byKind(() => desired),
  organizationRules: z.enum(['AnyAllowed', 'NoneAllowed', 'unmanaged']),
  mode: z.enum(['enforce', 'alert', 'off']),
});
const cap = z.object({ percent: z.number(), atLeast: z.number() });
/** A number of accounts; `null`: unknown, because the store has no usable snapshot of the organization. */
const accounts = z.number().nullable();

const finding = z.object({
  severity: z.enum(['error', 'warning']),
  line: z.number(),
  column: z.number(),
  path: z.string(),
  found: z.string(),
  expected: z.string(),
  message: z.string(),
  hint: z.string(),
});

const version = z.object({
  entryId: z.string().describe('The entry of the audit log'),
  at: time,
  actor: z.string(),
  runId: textOrNull,
  hash: z.string(),
  file: textOrNull,
  hasText: z.boolean().describe('Whether the entry contains the text of the file'),
});

export const versionsAnswer = z.object({
  versions: list(version).describe('The policies that were in force, newest first'),
  more: z.boolean().describe('There are older versions'),
});

const line = z.object({
  from: z.number().nullable().describe('Its number before; null: the line was added'),
  to: z.number().nullable().describe('Its number now; null: the line was removed'),
  text: z.string(),
});

export const changeAnswer = z.object({
  from: version.nullable().describe('The version before; null: it is not recorded'),
  to: version,
  hunks: list(list(line))
    .nullable()
    .describe('The changed lines with the lines around them; null: a text is not known'),
  effect: z
    .object({
      countedAt: time.describe('Time of the snapshot that accounts are counted in'),
      settings: list(
        z.object({ field: z.enum(FIELDS), from: z.string(), to: z.string(), accounts: z.number() }),
      ).describe('Accounts for which a field has another value, most accounts first'),
      exemptions: list(z.object({ enrollment, began: z.number(), ended: z.number() })),
      guardrails: list(z.object({ guardrail: z.string(), from: z.string(), to: z.string() })),
    })
    .nullable()
    .describe('What the change means for the accounts; null: it cannot be computed'),
});

const lineOrNull = z.number().nullable().describe('Its line in the file');

export const policyAnswer = z.object({
  hash: z.string(),
  inForce: z.boolean().describe('Whether the last scan used it'),
  version: version.nullable().describe('Since when it is in force, and who put it in force; null: no scan has used it'),
  source: z.object({ file: z.string(), lines: list(z.string()) }).describe('The text of the file without secrets'),
  snapshotAt: timeOrNull.describe('Time of the snapshot that accounts are counted in'),
  organization: z.object({
    memberRole: z.string(),
    organizationEnrollment: z.enum(['never', 'auto']),
    automationConfigurations: z.enum(['observe', 'manage']),
  }),
  defaults: settings.extend({
    line: lineOrNull,
    accounts: accounts.describe('Accounts for which the defaults decide a field'),
  }),
  rules: list(
    z.object({
      id: z.string(),
      line: lineOrNull,
      match,
      sets: settings.partial(),
      matched: accounts.describe('Accounts that it selects'),
      deciding: accounts.describe('Accounts for which it decides a field'),
    }),
  ),
  exemptions: list(
    z.object({
      accounts: list(accountId),
      enrollment: z.enum([...enrollment.options, 'both']),
      until: z.string(),
      reason: z.string(),
      owner: z.string(),
      endsAt: time,
      inForce: z.boolean(),
      line: lineOrNull,
    }),
  ),
  guardrails: z.object({ maxChanges: cap, maxOptOuts: cap, minCoverage: z.number(), failureTolerance: z.number() }),
  usage: z
    .object({
      changedAccounts: z.number().describe('Accounts that count against the change cap'),
      approvedAccounts: z.number().describe('Further accounts, changed only under an approval'),
      optOuts: z.number(),
      changeCap: accounts.describe('Accounts that may be changed in 24 hours; null: no scan is known'),
      optOutCap: accounts,
      coverage: z.number().nullable().describe('Percentage of the accounts whose status the last scan knew'),
    })
    .describe('How much of the guardrails the last 24 hours have used'),
  rollout: z.object({ match, waitMs: z.number(), canaries: accounts }).nullable(),
  windows: list(
    z.object({ kind: z.enum(['allow', 'deny']), cron: z.string(), durationMs: z.number(), timezone: z.string() }),
  ),
  limits: z.object({ callsPerSecond: z.union([z.number(), z.literal('auto')]), concurrency: z.number() }),
  schedule: z.object({
    everyMs: z.number().optional(),
    cron: z.string().optional(),
    timezone: z.string().optional(),
  }),
  retentionMs: z.number().nullable(),
  pendingDeadlineMs: z.number(),
  notify: z
    .object({
      eventBus: textOrNull,
      webhook: z.object({ host: textOrNull, events: list(z.string()), signed: z.boolean() }).nullable(),
    })
    .nullable(),
  warnings: list(finding),
});
