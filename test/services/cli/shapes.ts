import * as z from 'zod';
import { auditAnswer } from '../../../services/api/schemas/audit.ts';
import { doctorSchema } from '../../../shared/app/doctor/doctor-answer.ts';
import { accountAnswer, explanation } from '../../../shared/app/queries/answers/accounts.ts';
import { applySchema } from '../../../shared/app/queries/answers/apply.ts';
import { planSchema } from '../../../shared/app/queries/answers/plan.ts';
import { statusSchema } from '../../../shared/app/queries/answers/status.ts';
import { enrollment, exactly, hash, id, time } from './shape-parts.ts';

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

/** The documents whose JSON Schemas are committed in test/golden/schemas. */
export const DOCUMENTS = {
  plan: planSchema.extend({ warnings: z.array(finding) }),
  apply: applySchema,
  status: statusSchema,
  account: accountAnswer,
  audit: auditAnswer,
  doctor: doctorSchema,
};
export const planShape = exactly(DOCUMENTS.plan);
export const savedPlanShape = exactly(planSchema);
export const applyShape = exactly(DOCUMENTS.apply);
export const statusShape = exactly(DOCUMENTS.status);
export const accountShape = exactly(DOCUMENTS.account);

export const approveShape = z.strictObject({
  planHash: hash,
  policyHash: hash,
  changes: z.int(),
  accounts: z.int(),
  configurations: z.int(),
  actor: z.string().min(1),
  reason: z.string().nullable(),
  at: time,
  expiresAt: time,
  entryId: id,
});

export const demoShape = exactly(
  applySchema
    .pick({ runId: true, planHash: true, totals: true, planned: true, changes: true, calls: true, durationMs: true })
    .extend(applySchema.pick({ summaryBefore: true, summary: true, open: true, interrupted: true }).shape)
    .extend({ dataDir: z.string() }),
);

export const explainShape = z.strictObject({
  ...explanation.shape,
  exemptions: z.array(z.strictObject({ enrollment, exemption: z.looseObject({ until: z.string() }).nullable() })),
  expiredExemptions: z.array(z.looseObject({ until: z.string() })),
  source: z.enum(['snapshot', 'aws', 'attributes']),
  snapshotAt: time.nullable(),
  ruleModeSource: z.string().nullable(),
  warnings: z.array(finding),
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
  active: z.int(),
  rules: z.int(),
  unread: z.int(),
  broken: z.array(z.string()),
  policy: z.string(),
});

export const errorShape = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), findings: z.array(finding).optional() }),
});

export const doctorShape = exactly(DOCUMENTS.doctor);
