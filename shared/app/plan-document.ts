import { z } from 'zod';
import { type Change, type PlannedCall, planHash, plannedCalls } from '../domain/plan.ts';
import type { Enrollment } from '../domain/types.ts';
import { VERDICTS, type Verdict } from '../domain/verdict.ts';
import { MAX_BATCH } from '../ports/cloud.ts';
import type { Summary } from './desk.ts';
import { changeKey, type Plan } from './make-plan.ts';
import type { OrgWide } from './org-wide.ts';

/** Every verdict with its count, zeros included, so that readers need not know which may be missing. */
export type FullSummary = Readonly<Record<Enrollment, Readonly<Record<Verdict, number>>>>;

export function fullSummary(summary: Summary): FullSummary {
  const fill = (counts: Partial<Record<Verdict, number>>): Record<Verdict, number> => ({
    NotApplicable: 0,
    Unmanaged: 0,
    Suspended: 0,
    Exempt: 0,
    Unknown: 0,
    Blocked: 0,
    Converging: 0,
    Stalled: 0,
    Drifted: 0,
    Compliant: 0,
    ...counts,
  });
  return { computeOptimizer: fill(summary.computeOptimizer), automation: fill(summary.automation) };
}

/** The shape of `plan --json` and of a saved plan. */
export interface PlanDocument {
  readonly runId: string;
  readonly organizationId: string;
  readonly policyHash: string;
  readonly planHash: string;
  readonly coverage: Plan['coverage'];
  readonly summary: FullSummary;
  readonly guardrail: {
    readonly tripped: boolean;
    readonly reason: string | null;
    readonly message: string | null;
  };
  readonly organizationWide: OrgWide;
  /** The mutating calls that the changes due now take. */
  readonly calls: readonly PlannedCall[];
  /** Sentences about listings that broke off. */
  readonly broken: readonly string[];
  readonly changes: readonly Change[];
}

export function planDocument(plan: Plan, runId: string): PlanDocument {
  const { organizationId, policyHash, coverage, orgWide, broken, changes, trip } = plan;
  return {
    runId,
    organizationId,
    policyHash,
    planHash: plan.planHash,
    coverage,
    summary: fullSummary(plan.summary),
    guardrail: { tripped: trip !== null, reason: trip?.reason ?? null, message: trip?.message ?? null },
    organizationWide: orgWide,
    calls: plannedCalls(plan.due, MAX_BATCH),
    broken,
    changes,
  };
}

const status = z.enum(['Active', 'Inactive', 'Pending', 'Failed']);
const ruleMode = z.enum(['AnyAllowed', 'NoneAllowed']);
const changeSchema: z.ZodType<Change> = z.object({
  accountId: z.string().regex(/^\d{12}$/),
  accountName: z.string(),
  ou: z.string(),
  enrollment: z.enum(['computeOptimizer', 'automation']),
  observed: status.nullable(),
  observedRuleMode: ruleMode.nullable(),
  desired: status.nullable(),
  desiredRuleMode: ruleMode.nullable(),
  verdict: z.enum(VERDICTS),
  action: z.enum([
    'UpdateEnrollmentStatus',
    'UpdateEnrollmentConfiguration',
    'AssociateAccounts',
    'DisassociateAccounts',
    'none',
  ]),
  scope: z.enum(['member', 'own', 'batch', 'organization']),
  optOut: z.boolean(),
  rule: z.string(),
  reason: z.string().nullable(),
  message: z.string().nullable(),
  notBefore: z.iso.datetime().nullable(),
});
/** What is needed of a saved plan to be bound to it; the rest is for people. */
const savedPlanSchema = z.object({
  organizationId: z.string(),
  policyHash: z.string(),
  planHash: z.string(),
  changes: z.array(changeSchema).max(1_000_000),
});

/** A saved plan that is what it says: its changes give its hash. */
export interface SavedPlan {
  readonly organizationId: string;
  readonly policyHash: string;
  readonly planHash: string;
  /** The changes it allows, by `changeKey`. */
  readonly keys: readonly string[];
}

export type SavedPlanResult =
  | { readonly ok: true; readonly plan: SavedPlan }
  | { readonly ok: false; readonly problem: string };

/** Reads a saved plan: its shape, and that nobody has edited what would be done. */
export function readSavedPlan(value: unknown): SavedPlanResult {
  const parsed = savedPlanSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined ? '' : ` (${issue.path.join('.') || 'the document'}: ${issue.message})`;
    return { ok: false, problem: `it is not a plan as plan --out writes it${where}` };
  }
  const { organizationId, policyHash, planHash: said, changes } = parsed.data;
  if (planHash(policyHash, changes) !== said) {
    return { ok: false, problem: 'its changes do not give its planHash, so it was edited after it was made' };
  }
  const keys = changes.filter(({ action }) => action !== 'none').map(changeKey);
  return { ok: true, plan: { organizationId, policyHash, planHash: said, keys } };
}
