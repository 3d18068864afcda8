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

export const policyAnswer = z.object({
  hash: z.string(),
  inForce: z.boolean().describe('Whether the last scan used it'),
  snapshotAt: timeOrNull.describe('Time of the snapshot that accounts are counted in'),
  organization: z.object({
    memberRole: z.string(),
    organizationEnrollment: z.enum(['never', 'auto']),
    automationConfigurations: z.enum(['observe', 'manage']),
  }),
  defaults: settings.extend({ accounts: accounts.describe('Accounts for which the defaults decide a field') }),
  rules: list(
    z.object({
      id: z.string(),
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
    }),
  ),
  guardrails: z.object({ maxChanges: cap, maxOptOuts: cap, minCoverage: z.number(), failureTolerance: z.number() }),
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
