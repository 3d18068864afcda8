import * as z from 'zod';
import { sha256Hex } from '../../domain/canonical-hash.ts';
import { configurationKey } from '../../domain/decision/configuration-key.ts';
import {
  CONFIGURATION_OWNERS,
  type ConfigurationChange,
  planHash,
  type SavedChange,
} from '../../domain/decision/plan.ts';
import { totalChanges } from '../../domain/decision/plan-totals.ts';
import { ENROLLMENT_IDS, OPERATIONS } from '../../domain/enrollment/kinds/index.ts';
import { SCOPES } from '../../domain/enrollment/model.ts';
import { VERDICTS } from '../../domain/enrollment/verdict.ts';
import { safeParseUntrusted } from '../../domain/safe-parse.ts';
import { keysOf } from './change-keys.ts';

const status = z.enum(['Active', 'Inactive', 'Pending', 'Failed']);
const ruleMode = z.enum(['AnyAllowed', 'NoneAllowed']);
const action = z.enum([...OPERATIONS, 'none']);
const changeSchema: z.ZodType<SavedChange> = z.object({
  accountId: z.string().regex(/^\d{12}$/),
  accountName: z.string(),
  ou: z.string(),
  enrollment: z.enum(ENROLLMENT_IDS),
  observed: status.nullable(),
  observedRuleMode: ruleMode.nullable(),
  desired: status.nullable(),
  desiredRuleMode: ruleMode.nullable(),
  verdict: z.enum(VERDICTS),
  action,
  // Plans saved before this field existed have no delayed changes.
  heldAction: action.default('none'),
  scope: z.enum(SCOPES),
  optOut: z.boolean(),
  rule: z.string(),
  reason: z.string().nullable(),
  message: z.string().nullable(),
  notBefore: z.iso.datetime().nullable(),
});
const configurationSchema: z.ZodType<ConfigurationChange & { readonly needsApproval: boolean }> = z.object({
  operation: action,
  targetId: z.string(),
  ruleMode: ruleMode.nullable(),
  owner: z.enum(CONFIGURATION_OWNERS).default('none'),
  replaces: ruleMode.nullable().default(null),
  needsApproval: z.boolean().default(false),
});
/** The part of a saved plan that a run is bound to. The rest is for people. */
const savedPlanSchema = z.object({
  organizationId: z.string(),
  policyHash: z.string(),
  planHash: z.string(),
  runId: z.string().optional(),
  // Plans of earlier versions do not say it.
  createdAt: z.iso.datetime().optional(),
  totals: z.object({ now: z.int().min(0), followUps: z.int().min(0) }).optional(),
  changes: z.array(changeSchema).max(1_000_000),
  configurations: z
    .object({
      calls: z.array(configurationSchema).max(1_000_000),
      // Plans of earlier versions do not have them.
      asked: z.array(changeSchema).max(1_000_000).default([]),
    })
    .optional(),
});

/** A saved plan whose hash matches its changes. */
export interface SavedPlan {
  /** Identifies the file. Two plans with the same changes have the same `planHash`, but each may be applied. */
  readonly id: string;
  readonly organizationId: string;
  readonly policyHash: string;
  readonly planHash: string;
  /** ISO 8601; `null`: an earlier version made the plan. */
  readonly createdAt: string | null;
  /** The number of changes that it was to make; `null`: an earlier version made the plan. */
  readonly total: number | null;
  /** The changes it allows, by `changeKey`. */
  readonly keys: readonly string[];
}

export type SavedPlanResult =
  | { readonly ok: true; readonly plan: SavedPlan }
  | { readonly ok: false; readonly problem: string };

/** Reads a saved plan and verifies its shape and its hash, so that edited changes are rejected. */
export function readSavedPlan(value: unknown): SavedPlanResult {
  const parsed = safeParseUntrusted(savedPlanSchema, value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined ? '' : ` (${issue.path.join('.') || 'the document'}: ${issue.message})`;
    return { ok: false, problem: `it is not a plan written by plan --out${where}` };
  }
  const {
    organizationId,
    policyHash,
    planHash: savedHash,
    runId,
    createdAt = null,
    totals,
    changes,
    configurations,
  } = parsed.data;
  const calls = configurations?.calls ?? [];
  // A saved plan is no approval.
  const permitted = calls.filter(({ needsApproval }) => !needsApproval);
  if (planHash(policyHash, changes, calls, configurations?.asked) !== savedHash) {
    return { ok: false, problem: 'its changes do not match its planHash, so it was edited after it was saved' };
  }
  return {
    ok: true,
    plan: {
      id: sha256Hex([savedHash, runId ?? createdAt ?? ''].join(' ')).slice(0, 32),
      organizationId,
      policyHash,
      planHash: savedHash,
      createdAt,
      total: totals === undefined ? null : totalChanges(totals),
      keys: [...keysOf(changes), ...permitted.map(configurationKey)],
    },
  };
}
