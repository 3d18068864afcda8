import * as z from 'zod';
import { OPERATIONS } from '../../../domain/enrollment/kinds/index.ts';
import { SCOPES } from '../../../domain/enrollment/model.ts';
import {
  accountId,
  complianceStatus,
  count,
  enrollment,
  hash,
  instant,
  instantOrNull,
  list,
  ruleMode,
  status,
  statuses,
  summary,
  textOrNull,
  ulid,
  verdict,
} from './common.ts';

const action = z.enum([...OPERATIONS, 'none']);
const scope = z.enum(SCOPES);

export const coverage = z.object({
  listed: count,
  evaluated: count,
  unknown: count,
  notApplicable: count,
});

export const guardrail = z.object({ tripped: z.boolean(), reason: textOrNull, message: textOrNull });

export const totals = z.object({
  now: count.describe('Changes that are due now'),
  followUps: count.describe('Changes that become possible when their prerequisite is met'),
  optOuts: count.describe('Changes among both that opt an account out'),
  calls: count.describe('Mutating AWS calls for both together, without retries'),
});

const change = z.object({
  accountId,
  accountName: z.string(),
  ou: z.string(),
  enrollment,
  observed: status.nullable(),
  observedRuleMode: ruleMode.nullable(),
  desired: status.nullable(),
  desiredRuleMode: ruleMode.nullable(),
  verdict,
  status: complianceStatus,
  action,
  heldAction: action.describe('A delayed change: the call that follows once the delay is over; otherwise none'),
  scope,
  optOut: z.boolean().describe('Counts against maxOptOuts as well'),
  rule: z.string(),
  reason: textOrNull,
  message: textOrNull,
  notBefore: instantOrNull,
});

const organizationWide = z.object({
  used: z.boolean().describe('The plan uses the organization-wide call'),
  possible: z.boolean().describe('The policy could allow it with `organizationEnrollment: auto`'),
  accounts: count.describe('Accounts not yet Active that it would change'),
  note: z.string().describe('Why it is not possible, or what it implies'),
});

/** `plan --json` without its warnings, and a saved plan. */
export const planSchema = z.object({
  runId: ulid,
  createdAt: instant.exactOptional().describe('When the plan was made; earlier versions did not say'),
  organizationId: z.string(),
  policyHash: hash,
  planHash: hash,
  coverage,
  summary,
  statuses,
  guardrail,
  approval: z
    .object({ planHash: hash, actor: z.string(), expiresAt: instant })
    .nullable()
    .describe("The approval that lets the next run make this plan's changes; null: none exists or none is needed"),
  rollout: z
    .object({ held: count, opensAt: instantOrNull, message: z.string() })
    .nullable()
    .describe('Changes that wait for the canaries; null: none'),
  organizationWide,
  otherOrganizationWide: list(organizationWide.extend({ enrollment }))
    .exactOptional()
    .describe('The organization-wide calls of other kinds; absent: none would change an account'),
  trustedAccess: z
    .boolean()
    .nullable()
    .describe('Whether the organization trusts Compute Optimizer; null: AWS did not say'),
  totals,
  calls: list(z.object({ enrollment, operation: action, scope, accounts: count, calls: count })).describe(
    'The mutating calls of `totals`, by kind and operation',
  ),
  configurations: z
    .object({
      calls: list(
        z.object({
          operation: action,
          targetId: z.string(),
          target: z.string().describe("The path of the root or OU, or the account's id"),
          ruleMode: ruleMode
            .nullable()
            .describe('The rule mode that the call stores; null: it deletes the configuration'),
          accounts: count.describe('Accounts that the call changes now'),
          optOuts: count.describe('Accounts among them that it opts out'),
          joiners: ruleMode
            .nullable()
            .describe('The rule mode of accounts that join below it later; null: none applies'),
          owner: z.enum(['rollcall', 'other', 'none']).describe('Who set the configuration that the call changes'),
          replaces: ruleMode
            .nullable()
            .describe('The rule mode that the call replaces or deletes; null: the target has no configuration'),
          needsApproval: z
            .boolean()
            .describe('Somebody else set the configuration, so only an approved plan changes it'),
        }),
      ),
      notCovered: list(z.object({ ou: z.string(), why: z.string() })).describe('OUs that no configuration covers'),
      kept: list(z.object({ targetId: z.string(), target: z.string(), ruleMode, why: z.string() })).describe(
        'Configurations that stay because they apply to accounts that are unmanaged, in mode alert or not active',
      ),
      callsSaved: count.describe('How many more calls the same changes would need without configurations'),
      asked: list(change).describe('The changes that the calls with `needsApproval` would make'),
    })
    .optional()
    .describe('Organization enrollment configurations; absent: the policy does not manage them'),
  broken: list(z.string()).describe('Listings that ended early or contradict each other'),
  changes: list(change).describe('Mismatches between observed and desired state, remediated or not'),
});
