import * as z from 'zod';
import { byKind } from '../../../domain/enrollment/kinds/index.ts';
import {
  accountId,
  complianceStatus,
  enrollment,
  list,
  statusCounts,
  statuses,
  summary,
  textOrNull,
  time,
  timeOrNull,
  verdict,
} from './common.ts';
import { configuration } from './configurations.ts';

export const health = z.object({ status: z.enum(['ok', 'unavailable']) });

export const whoami = z.object({
  actor: z.string().describe('Your name in the audit log'),
  role: z.enum(['read', 'operate']),
  version: z.string(),
  runtime: z.enum(['embedded', 'aws']),
  organization: z
    .object({ id: z.string(), name: textOrNull.describe('The name of its management account') })
    .nullable()
    .describe('null: no scan has read it yet'),
  policy: z
    .object({ file: textOrNull.describe('null: it does not come from a file'), hash: z.string() })
    .nullable()
    .describe('The policy in use; null: it cannot be read'),
});

export const rollout = z.object({
  phase: z.enum(['scanning', 'canary', 'waiting', 'blocked', 'open']),
  policyHash: z.string(),
  planHash: textOrNull,
  canaries: z.number(),
  since: time,
  opensAt: timeOrNull,
  message: z.string(),
});

export const window = z
  .object({ open: z.boolean(), opensAt: timeOrNull, closesAt: timeOrNull })
  .nullable()
  .describe('Change windows; null: the policy has none, or none was given');
export const halted = z
  .object({ at: time, by: z.string(), reason: textOrNull })
  .nullable()
  .describe('The kill switch; null: off');
export const suspension = z.object({
  selector: z.string(),
  reason: textOrNull,
  until: timeOrNull,
  at: time,
  by: z.string(),
  accounts: z
    .number()
    .nullable()
    .describe(
      'Active accounts of the last scan that it matches; null: no scan yet, or it needs tags that were not read',
    ),
});
export const approval = z.object({
  planHash: z.string(),
  actor: z.string(),
  reason: textOrNull,
  at: time,
  expiresAt: time,
});

export const openReason = z.object({
  enrollment,
  verdict,
  reason: textOrNull,
  status: complianceStatus,
  message: textOrNull.describe('One sentence for the reason'),
  accounts: z.number(),
  examples: list(accountId),
  notBefore: timeOrNull,
});

const driftOfKind = z.object({ enrollments: z.number(), oldestSince: timeOrNull });

/** `enrollments` is the sum of the counts from `toFix` to `unknown`. */
export const openDrift = z.object({
  enrollments: z.number(),
  accounts: z.number(),
  oldestSince: timeOrNull,
  due: z
    .number()
    .describe('Changes that the next run makes, follow-ups included; while remediation is halted, they are held'),
  toFix: z.number().describe('Status Drifted: the next run fixes them'),
  reportedOnly: z.number().describe('Status Drifted under mode: alert'),
  inProgress: z.number(),
  waiting: z.number(),
  needAttention: z.number(),
  unknown: z.number(),
  kinds: z.object(byKind(() => driftOfKind)).describe('The same drift by kind'),
});

export const attention = z.object({
  accounts: z.number(),
  oldest: list(
    z.object({
      accountId,
      name: z.string().describe('Empty: the account is not in the last snapshot'),
      enrollments: list(
        z.object({ enrollment, reason: textOrNull, message: textOrNull, since: time, notBefore: timeOrNull }),
      ),
    }),
  ).describe('At most 5'),
});
const kindCompliance = z.object({
  managed: z.number().describe('Enrollments that the policy enforces; unknown ones count'),
  compliant: z.number(),
  percent: z.number().nullable().describe('Rounded down to one decimal; null: nothing is managed'),
});
export const accountCounts = z.object({
  total: z.number(),
  active: z.number(),
  known: z.number().describe('Active accounts of which every enrollment is known'),
  managed: z.number().describe('Accounts with an enrollment that the policy enforces'),
  statuses: statusCounts.describe('Accounts by their worst status; Unknown: nothing is recorded yet'),
});
const trippedGuardrail = z.object({ at: time, reason: textOrNull, message: textOrNull, planHash: textOrNull });

/** The recorded state, without calls to AWS: `status --json`. */
export const statusSchema = z.object({
  organizationId: textOrNull.describe('The organization of the store; null: nothing was scanned yet'),
  summary,
  statuses: statuses.describe('Accounts by status'),
  accounts: accountCounts,
  compliance: z.object(byKind(() => kindCompliance)),
  lastScan: z.object({ runId: textOrNull, startedAt: timeOrNull, completedAt: timeOrNull }),
  scanning: z
    .object({
      runId: textOrNull,
      state: z.enum(['requested', 'running', 'interrupted']),
      holder: textOrNull,
      until: timeOrNull,
    })
    .nullable()
    .describe(
      'The scan that is requested, running or interrupted; `until`: when another process may continue it unless its lease is renewed',
    ),
  queue: z.object({ visible: z.number(), inFlight: z.number(), dead: z.number() }),
  limiter: z
    .record(z.string(), z.number())
    .describe('Current calls per second by service:Operation, and their `total`'),
  open: list(openReason).describe('Why accounts do not comply, most frequent first'),
  openDrift: openDrift.describe(
    'Drift that is neither resolved nor superseded, even if its fix is delayed; `oldestSince`: start of the oldest',
  ),
  attention: attention.describe('Accounts whose drift a person must resolve'),
  configurations: list(configuration).describe(
    'Organization enrollment configurations that apply to accounts, or that Rollcall stored; those that need attention first',
  ),
  trustedAccess: z.object({ enabled: z.boolean(), since: time }).nullable(),
  guardrail: trippedGuardrail.nullable().describe("What stopped the last scan's run, with the plan that approve takes"),
  rollout: rollout.nullable(),
  nextScan: timeOrNull.describe('When the next scheduled scan is due; null: none is scheduled'),
  nextWindow: timeOrNull,
  window,
  halted,
  suspensions: list(suspension),
  approvals: list(approval).describe('Approvals that are not used yet: the next run makes the changes of these plans'),
  outbox: z
    .object({
      overdue: z.number(),
      more: z.boolean(),
      oldestAt: time,
      refusal: z.object({ at: time, code: z.string(), message: z.string() }).nullable(),
    })
    .nullable()
    .describe('Entries that have waited too long for the event bus; null: none, or entries are not published'),
});

export const limiterAnswer = z.object({
  ceiling: z.number().nullable().describe('limits.callsPerSecond of the policy; null: auto'),
  total: z
    .number()
    .nullable()
    .describe('The current total, calls per second; null: limits.callsPerSecond is auto, or no call was made yet'),
  operations: list(
    z.object({
      operation: z.string(),
      rate: z.number().describe('The current limit, calls per second'),
      used: z.number().nullable().describe('Calls per second now; null: not measured'),
      throttled: z.number().nullable().describe('Throttled calls in the last hour; null: not measured'),
    }),
  ).describe('Slowest first'),
  used: z
    .object({
      total: z.number().describe('Calls per second of all operations now'),
      throttled: z.number().describe('Throttled calls in the last hour'),
      history: list(z.object({ at: time, used: z.number() })).describe('The last hour, by minute'),
    })
    .nullable()
    .describe('null: other processes make the calls, so this one does not measure them'),
});

export const queueAnswer = z.object({
  visible: z.number(),
  inFlight: z.number(),
  dead: z.number(),
  waiting: list(z.object({ accountId, at: time })).describe(
    'Accounts that are reconciled at a scheduled time, earliest first',
  ),
});

export const deadLetter = z.object({
  id: z.string(),
  at: time,
  message: z.looseObject({ kind: z.string() }).nullable().describe('null: the body cannot be read'),
  body: z.string(),
  reason: z.object({ code: z.string(), message: z.string(), entryId: textOrNull }),
});
export const deadLettersAnswer = z.object({ deadLetters: list(deadLetter) });
