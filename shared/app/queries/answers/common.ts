import * as z from 'zod';
import { byKind, ENROLLMENT_IDS } from '../../../domain/enrollment/kinds/index.ts';
import { STATUSES } from '../../../domain/enrollment/status.ts';
import { VERDICTS } from '../../../domain/enrollment/verdict.ts';
import { ENTRY_TYPES } from '../../../domain/ledger/entry-types.ts';
import { runTriggerSchema } from '../../../domain/ledger/run-trigger.ts';

/* What several answers have in common. Times are ISO 8601, UTC. Fields may be added; readers ignore what they do not know. */

export const accountId = z.string().regex(/^\d{12}$/, 'expected the id of an account, 12 digits');
export const enrollment = z.enum(ENROLLMENT_IDS);
export const verdict = z.enum(VERDICTS);
/** The status words in text for people. */
export const complianceStatus = z.enum(STATUSES);
export const status = z.enum(['Active', 'Inactive', 'Pending', 'Failed']);
export const target = z.enum(['Active', 'Inactive']);
export const ruleMode = z.enum(['AnyAllowed', 'NoneAllowed']);
export const entryType = z.enum(ENTRY_TYPES);
export const time = z.string().describe('ISO 8601, UTC');
export const timeOrNull = time.nullable();
export const textOrNull = z.string().nullable();
export const count = z.int().min(0);
export const hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 hash in hexadecimal digits');
export const ulid = z.string().regex(/^[0-9A-Z]{26}$/, 'expected a ULID');
export const instant = z.iso.datetime();
export const instantOrNull = instant.nullable();

/** A readonly list. */
export const list = <T extends z.ZodType>(item: T) => z.array(item).readonly();

/** Every verdict with its count. */
const verdictCounts = z.record(verdict, count);
export const summary = z.object(byKind(() => verdictCounts));

export const statusCounts = z.record(complianceStatus, count);
export const statuses = z.object(byKind(() => statusCounts));

/** Added to a verdict where `status` is already the enrollment status that AWS reports. */
export const statusWordsSchema = z.object({
  complianceStatus: complianceStatus.describe('The status; `verdict` is its internal name'),
  message: textOrNull.describe('One sentence for the reason'),
});
export const statusWords = statusWordsSchema.shape;

/** The organization enrollment configuration that determines the rule mode. */
export const ruleModeSource = z.object({
  type: z
    .enum(['applied', 'inherited', 'configuration'])
    .describe('applied: set on the account; inherited: on a parent OU or the root; configuration: either of them'),
  targetId: textOrNull.describe('The account, OU or root that it is set on'),
});

export const facet = z.object({
  verdict,
  reason: textOrNull,
  status: status.nullable(),
  ruleMode: ruleMode.nullable(),
  ruleModeSource: ruleModeSource
    .optional()
    .describe('The organization enrollment configuration that determines the rule mode, if one does'),
  lastUpdated: timeOrNull,
  desired: target.nullable(),
  desiredRuleMode: ruleMode.nullable(),
  notBefore: timeOrNull,
  deadline: timeOrNull,
  attempts: z.number(),
});

const changedBy = z
  .object({ actor: z.string(), operation: z.string(), requestId: textOrNull, at: time })
  .describe('The caller that changed it, if CloudTrail reported the call');

/** Details of a ledger entry that depend on its type. */
const detail = z.object({
  message: z.string().optional(),
  facets: z.object(byKind(() => facet.optional())).optional(),
  rules: z
    .object(byKind(() => textOrNull.optional()))
    .optional()
    .describe('The rules that decide each part of the desired state'),
  claimExpiresAt: z.string().optional(),
  intentId: z.string().optional(),
  unsent: z.literal(true).optional(),
  optOut: z.boolean().optional(),
  scope: z.string().optional(),
  batch: list(accountId).optional(),
  target: target.nullable().optional(),
  error: z.object({ kind: z.string(), code: z.string(), message: z.string() }).optional(),
  account: z.object({ name: z.string(), ou: z.string(), state: z.string() }).optional(),
  selector: z.string().optional(),
  until: timeOrNull.optional(),
  exemption: z.string().optional(),
  planHash: z.string().optional(),
  configuration: z
    .object({ targetId: z.string(), target: z.string(), ruleMode: textOrNull })
    .optional()
    .describe(
      'The target of an organization enrollment configuration, and its rule mode; ruleMode null: it is deleted',
    ),
  trigger: runTriggerSchema.optional().describe('ScanStarted: what started the run'),
  policy: z
    .object({ file: z.string(), text: z.string() })
    .optional()
    .describe('PolicyChanged: the file of the policy that is now in force, without secrets'),
  changedBy: changedBy.optional(),
  summary: z.record(z.string(), z.unknown()).optional(),
  checkpoint: z
    .object({
      through: z.object({ seq: z.number(), hash: z.string() }),
      throughAt: time,
      state: z.unknown(),
      current: z.unknown(),
    })
    .optional()
    .describe('ChainPruned: the checkpoint that replaces the removed entries'),
  digest: z
    .object({ day: z.string(), root: z.string(), list: z.string(), chains: z.number(), entries: z.number() })
    .optional()
    .describe('DigestPublished: a hash over the ends of all chains'),
  treeHead: z
    .object({
      note: z.string().describe('The checkpoint as a signed note (C2SP tlog-checkpoint)'),
      previous: textOrNull.describe('The note of the checkpoint before'),
      proof: list(z.string()).describe('The consistency proof from the checkpoint before, in Base64'),
      witnesses: list(z.string()).describe('Names of the witnesses that have signed it'),
    })
    .optional()
    .describe('CheckpointPublished: a signed checkpoint of the transparency log'),
  restore: z
    .object({
      file: z.string(),
      replaced: z.object({ chain: z.string(), seq: z.number(), hash: z.string() }).nullable(),
      lost: z
        .object({ entries: z.number(), runs: z.number(), from: z.string().nullable(), to: z.string().nullable() })
        .nullable(),
    })
    .optional()
    .describe(
      'StoreRestored: the backup, the end of the organization chain that it replaced, and the entries missing from it',
    ),
});

/** A ledger entry. `detail` holds the fields that depend on its type. */
export const ledgerEntry = z.object({
  id: z.string(),
  chain: z.string().describe('The account id, or "organization"'),
  seq: z.number(),
  at: time,
  type: entryType,
  accountId: accountId.nullable(),
  enrollment: enrollment.nullable(),
  runId: textOrNull,
  actor: z.string(),
  before: facet.nullable(),
  after: facet.nullable(),
  reason: textOrNull,
  rule: textOrNull,
  policyHash: textOrNull,
  api: z.object({ operation: z.string(), requestId: textOrNull, clientToken: textOrNull }).nullable(),
  detail: detail.nullable(),
  prevHash: z.string(),
  hash: z.string(),
});

/** A problem [RFC 9457] with a stable `code`; for an invalid request, `errors` lists each fault and where it is. */
export const problem = z.object({
  type: z.string().describe('urn:rollcall:problem:CODE'),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  errors: list(z.object({ where: z.string(), message: z.string() })).optional(),
});
