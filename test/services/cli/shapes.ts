import { expect } from 'vitest';
import * as z from 'zod';
import { applySchema } from '../../../shared/app/queries/answers/apply.ts';
import { planSchema } from '../../../shared/app/queries/answers/plan.ts';
import { CHECKS } from '../../../shared/domain/doctor-checks.ts';
import { STATUSES } from '../../../shared/domain/enrollment/status.ts';
import { VERDICTS } from '../../../shared/domain/enrollment/verdict.ts';
import { entryShape } from './audit-shapes.ts';
import { accountId, enrollment, halted, hash, id, time } from './shape-parts.ts';

const counts = z.strictObject(Object.fromEntries(VERDICTS.map((verdict) => [verdict, z.int().min(0)])));
const summary = z.strictObject({ computeOptimizer: counts, automation: counts });
const statusCounts = z.strictObject(Object.fromEntries(STATUSES.map((status) => [status, z.int().min(0)])));
const statuses = z.strictObject({ computeOptimizer: statusCounts, automation: statusCounts });
const finding = z.strictObject({
  severity: z.enum(['error', 'warning']),
  file: z.string(),
  line: z.int().min(1),
  column: z.int().min(1),
  path: z.string(),
  found: z.string(),
  expected: z.string(),
  message: z.string(),
  hint: z.string(),
});

const rollout = z
  .strictObject({
    phase: z.enum(['scanning', 'canary', 'waiting', 'blocked']),
    policyHash: hash,
    planHash: hash.nullable(),
    canaries: z.int(),
    since: time,
    opensAt: time.nullable(),
    message: z.string(),
  })
  .nullable();

const window = z.strictObject({ open: z.boolean(), opensAt: time.nullable(), closesAt: time.nullable() }).nullable();
const totals = z.strictObject({ now: z.int(), followUps: z.int(), optOuts: z.int(), calls: z.int() });

/** The schema of the product, and no other member anywhere in the document. */
const exactly = <T extends z.ZodType>(schema: T) => ({
  parse(json: unknown): z.output<T> {
    const parsed = schema.parse(json);
    expect(parsed).toEqual(json);
    return parsed;
  },
});

/** The documents whose JSON Schemas are committed in test/golden/schemas. */
export const DOCUMENTS = { plan: planSchema.extend({ warnings: z.array(finding) }), apply: applySchema };
export const planShape = exactly(DOCUMENTS.plan);
export const savedPlanShape = exactly(planSchema);
export const applyShape = exactly(DOCUMENTS.apply);

const open = z.strictObject({
  accountId,
  accountName: z.string(),
  ou: z.string(),
  enrollment,
  verdict: z.enum(VERDICTS),
  status: z.enum(STATUSES),
  reason: z.string().nullable(),
  message: z.string().nullable(),
  notBefore: time.nullable(),
});
const calls = z.record(
  z.string().regex(/^[a-z-]+:[A-Za-z]+$/),
  z.strictObject({ count: z.int().min(1), throttled: z.int().min(0) }),
);
const changes = z.strictObject({
  attempted: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  blocked: z.int(),
  converging: z.int(),
});

export const approveShape = z.strictObject({
  planHash: hash,
  policyHash: hash,
  changes: z.int(),
  actor: z.string().min(1),
  reason: z.string().nullable(),
  at: time,
  expiresAt: time,
  entryId: id,
});

export const demoShape = z.strictObject({
  dataDir: z.string(),
  runId: id,
  planHash: hash,
  totals,
  planned: z.strictObject({
    ...{ total: z.int(), confirmed: z.int(), inProgress: z.int() },
    ...{ failed: z.int(), blocked: z.int(), notStarted: z.int() },
  }),
  changes,
  calls,
  durationMs: z.number(),
  summaryBefore: summary,
  summary,
  open: z.array(open),
  interrupted: z.boolean(),
});

export const statusShape = z.strictObject({
  guardrail: z
    .strictObject({
      at: time,
      reason: z.string().nullable(),
      message: z.string().nullable(),
      planHash: hash.nullable(),
    })
    .nullable(),
  rollout,
  summary,
  statuses,
  lastScan: z.strictObject({ runId: id.nullable(), startedAt: time.nullable(), completedAt: time.nullable() }),
  scanning: z
    .strictObject({
      runId: id.nullable(),
      state: z.enum(['requested', 'running', 'interrupted']),
      holder: z.string().nullable(),
      until: time.nullable(),
    })
    .nullable(),
  outbox: z
    .strictObject({
      overdue: z.int().min(1),
      more: z.boolean(),
      oldestAt: time,
      refusal: z.strictObject({ at: time, code: z.string(), message: z.string() }).nullable(),
    })
    .nullable(),
  queue: z.strictObject({ visible: z.int(), inFlight: z.int(), dead: z.int() }),
  limiter: z.record(z.string(), z.number()),
  open: z.array(
    z.strictObject({
      enrollment,
      verdict: z.enum(VERDICTS),
      status: z.enum(STATUSES),
      reason: z.string().nullable(),
      message: z.string().nullable(),
      accounts: z.int().min(1),
      examples: z.array(accountId),
      notBefore: time.nullable(),
    }),
  ),
  openDrift: z.strictObject({ enrollments: z.int(), oldestSince: time.nullable() }),
  trustedAccess: z.strictObject({ enabled: z.boolean(), since: z.string() }).nullable(),
  nextWindow: time.nullable(),
  window,
  halted,
  approvals: z.array(
    z.strictObject({ planHash: hash, actor: z.string(), reason: z.string().nullable(), at: time, expiresAt: time }),
  ),
  suspensions: z.array(
    z.strictObject({
      selector: z.string(),
      reason: z.string().nullable(),
      until: time.nullable(),
      at: time,
      by: z.string(),
    }),
  ),
});

const facts = z.strictObject({
  id: accountId,
  name: z.string(),
  ou: z.string(),
  state: z.string(),
  management: z.boolean(),
  tags: z.record(z.string(), z.string()).nullable(),
});
const decided = z.strictObject({ value: z.string(), rule: z.string() });
const explanation = {
  account: facts,
  desired: z.strictObject({
    computeOptimizer: decided,
    automation: decided,
    organizationRules: decided,
    mode: decided,
    contradiction: z
      .strictObject({ code: z.string(), message: z.string(), enrollments: z.array(enrollment) })
      .nullable(),
  }),
  rules: z.array(
    z.strictObject({
      id: z.string(),
      matched: z.boolean(),
      conditions: z.array(z.strictObject({ condition: z.string(), holds: z.boolean(), why: z.string() })),
      decided: z.array(z.string()),
      overruled: z.array(z.strictObject({ field: z.string(), by: z.string() })),
    }),
  ),
  canary: z.boolean(),
};
export const explainShape = z.strictObject({
  ...explanation,
  exemptions: z.array(z.strictObject({ enrollment, exemption: z.looseObject({ until: z.string() }).nullable() })),
  expiredExemptions: z.array(z.looseObject({ until: z.string() })),
  source: z.enum(['snapshot', 'aws', 'attributes']),
  snapshotAt: time.nullable(),
  warnings: z.array(finding),
});
const condition = z.looseObject({ verdict: z.enum(VERDICTS), since: time, attempts: z.int() }).nullable();
export const accountShape = z.strictObject({
  rollout,
  halted,
  suspension: z.strictObject({ message: z.string(), until: time.nullable() }).nullable(),
  window,
  accountId,
  account: facts.nullable(),
  snapshotAt: time.nullable(),
  present: z.boolean(),
  enrollments: z.strictObject({ computeOptimizer: condition, automation: condition }),
  explanation: z.strictObject(explanation).nullable(),
  notExplained: z.string().nullable(),
  timeline: z.array(entryShape),
  next: z.string().nullable(),
});

export const validateShape = z.strictObject({
  valid: z.literal(true),
  file: z.string(),
  policyHash: hash,
  rules: z.int(),
  findings: z.array(finding),
  snapshotAt: time.nullable(),
});
export const policyTestShape = z.strictObject({
  ok: z.boolean(),
  policy: z.string(),
  expectations: z.string(),
  policyHash: hash,
  passed: z.int(),
  failed: z.int(),
  results: z.array(
    z.strictObject({
      name: z.string(),
      passed: z.boolean(),
      line: z.int(),
      column: z.int(),
      mismatches: z.array(
        z.strictObject({
          field: z.string(),
          expected: z.string(),
          found: z.string(),
          line: z.int(),
          column: z.int(),
        }),
      ),
    }),
  ),
  untestedRules: z.array(z.string()),
});
export const initShape = z.strictObject({
  file: z.string().nullable(),
  organizationId: z.string(),
  accounts: z.int(),
  unread: z.int(),
  broken: z.array(z.string()),
  policy: z.string(),
});

export const errorShape = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), findings: z.array(finding).optional() }),
});

export const doctorShape = z.strictObject({
  ok: z.boolean(),
  store: z.enum(['embedded', 'aws']),
  summary: z.strictObject({ pass: z.int(), warn: z.int(), fail: z.int(), skipped: z.int() }),
  checks: z.array(
    z.strictObject({
      check: z.enum(CHECKS),
      status: z.enum(['pass', 'warn', 'fail', 'skipped']),
      reason: z.string().nullable(),
      message: z.string().min(1),
      mend: z.array(z.string()),
      durationMs: z.number(),
    }),
  ),
});
