import * as z from 'zod';
import { byKind } from '../../../domain/enrollment/kinds/index.ts';
import { FIELDS } from '../../../domain/policy/types.ts';
import {
  accountId,
  complianceStatus,
  count,
  enrollment,
  facet,
  ledgerEntry,
  list,
  ruleMode,
  ruleModeSource,
  status,
  statusWords,
  target,
  textOrNull,
  time,
  timeOrNull,
  verdict,
} from './common.ts';
import { halted, rollout, window } from './status.ts';

const state = z.enum(['ACTIVE', 'SUSPENDED', 'PENDING_ACTIVATION', 'PENDING_CLOSURE', 'CLOSED', 'UNKNOWN']);

/** One enrollment of an account in the list. */
export const enrollmentCell = z.object({
  verdict,
  reason: textOrNull,
  ...statusWords,
  status: status.nullable(),
  ruleMode: ruleMode.nullable(),
  desired: target.nullable(),
  desiredRuleMode: ruleMode.nullable(),
  rule: textOrNull,
  since: time,
  notBefore: timeOrNull,
  attempts: z.number(),
  driftSince: timeOrNull.describe('When its open drift was first observed; null: no open drift'),
  changedBy: textOrNull.describe('Who caused its open drift; null: no open drift, or CloudTrail named nobody'),
  reversions: count.describe('How often someone else has reverted it within 24 hours'),
});

export const accountRow = z.object({
  accountId,
  name: z.string().describe('Empty: the account is not in the last snapshot'),
  ou: z.string(),
  state: state.nullable(),
  management: z.boolean(),
  accountStatus: complianceStatus.describe('The worst status of its enrollments; Unknown: nothing is recorded yet'),
  leading: enrollment.nullable().describe('The enrollment that its status comes from; null: nothing is recorded yet'),
  since: timeOrNull.describe('Start of the open drift of that enrollment, or of its status'),
  ...byKind(() => enrollmentCell.nullable()),
});

const counted = list(z.object({ value: z.string(), count: z.number() }));

export const accountsAnswer = z.object({
  accounts: list(accountRow),
  next: textOrNull.describe('Cursor of the next page'),
  total: z.number().describe('Accounts that match the filters'),
  all: z.number().describe('Number of all accounts'),
  counts: z
    .record(complianceStatus, count)
    .describe('For each status, the number of accounts that match all filters except accountStatus'),
  facets: z
    .object({
      statuses: counted,
      verdicts: counted,
      ous: counted,
      rules: counted,
      reasons: counted,
      actors: counted,
    })
    .nullable()
    .describe(
      'The values that can be filtered by, each with its number of accounts in the whole organization; only with facets=true',
    ),
});

const accountFacts = z.object({
  id: accountId,
  name: z.string(),
  ou: z.string(),
  unitIds: list(z.string()).optional().describe('The ids of the root and the OUs on its path'),
  state,
  management: z.boolean(),
  tags: z.record(z.string(), z.string()).nullable().describe('null: not read'),
});

const condition = facet.extend({
  ruleModeSource: ruleModeSource
    .extend({ targetPath: textOrNull.describe('The path of that OU or root, if it is known') })
    .optional()
    .describe('The organization enrollment configuration that determines the rule mode, if one does'),
  ...statusWords,
  rule: textOrNull,
  policyHash: textOrNull,
  runId: textOrNull,
  since: time,
  changedAt: time,
  driftSince: timeOrNull,
  claim: z
    .object({
      entryId: z.string(),
      startedAt: time,
      expiresAt: time,
      operation: z.string(),
      clientToken: textOrNull,
      optOut: z.boolean(),
    })
    .nullable(),
  optedOutAt: timeOrNull,
  changedBy: z
    .object({ actor: z.string(), operation: z.string(), at: time })
    .optional()
    .describe('The call behind the open drift, if CloudTrail reported it'),
  setBacks: list(z.object({ at: time, by: textOrNull })).optional(),
  contested: z.object({ since: time, message: z.string() }).optional(),
});

const field = z.enum(FIELDS);
const decided = <T extends z.ZodType>(value: T) => z.object({ value, rule: z.string() });
const desired = z.enum(['Active', 'Inactive', 'unmanaged']);

export const explanation = z.object({
  account: accountFacts,
  desired: z.object({
    ...byKind(() => decided(desired)),
    organizationRules: decided(z.enum(['AnyAllowed', 'NoneAllowed', 'unmanaged'])),
    mode: decided(z.enum(['enforce', 'alert', 'off'])),
    contradiction: z.object({ code: z.string(), message: z.string(), enrollments: list(enrollment) }).nullable(),
  }),
  rules: list(
    z.object({
      id: z.string(),
      matched: z.boolean(),
      conditions: list(z.object({ condition: z.string(), holds: z.boolean(), why: z.string() })),
      decided: list(field),
      overruled: list(z.object({ field, by: z.string() })),
    }),
  ),
  canary: z.boolean(),
  ruleModeSource: textOrNull.describe(
    'The organization enrollment configuration that determines the rule mode, in words, as last recorded; null: none does, or it is not known',
  ),
});

export const accountAnswer = z.object({
  accountId,
  account: accountFacts.nullable().describe('From the last snapshot of the organization; null: not in it'),
  snapshotAt: timeOrNull.describe('When that snapshot was taken'),
  present: z.boolean().describe('A member as of the last complete scan'),
  enrollments: z.object(byKind(() => condition.nullable())),
  rollout: rollout.nullable().describe("The gate of a policy's first run, while it is closed"),
  halted,
  suspension: z
    .object({ message: z.string(), until: timeOrNull })
    .nullable()
    .describe("The operator's suspension that applies to it now"),
  window,
  explanation: explanation.nullable(),
  notExplained: textOrNull.describe('Why there is no explanation'),
  timeline: list(ledgerEntry).describe('Its audit log entries, newest first'),
  next: textOrNull.describe('Cursor of older entries'),
});
