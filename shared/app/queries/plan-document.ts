import type { Change, PlannedCall } from '../../domain/decision/plan.ts';
import { callsOf, type PlanTotals } from '../../domain/decision/plan-totals.ts';
import { byKind, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import { type Status, type StatusCounts, statusOfVerdict } from '../../domain/enrollment/status.ts';
import { VERDICTS, type Verdict } from '../../domain/enrollment/verdict.ts';
import { toIso } from '../../domain/time.ts';
import type { OrgWide } from '../plan/organization-call.ts';
import type { Plan } from '../plan/plan.ts';
import type { Summary } from '../survey/assessment-table.ts';

/** The count of every verdict, zeros included, so that readers do not have to handle missing keys. */
export type FullSummary = Readonly<Record<EnrollmentId, Readonly<Record<Verdict, number>>>>;

export function fullSummary(summary: Summary): FullSummary {
  return byKind((id) => ({ ...NO_VERDICTS, ...summary[id] }));
}

const NO_VERDICTS: Readonly<Record<Verdict, number>> = {
  ...{ NotApplicable: 0, Unmanaged: 0, Suspended: 0, Exempt: 0, Unknown: 0 },
  ...{ Blocked: 0, Converging: 0, Stalled: 0, Drifted: 0, Compliant: 0 },
};
const NO_STATUSES: Readonly<Record<Status, number>> = {
  ...{ 'Needs attention': 0, Drifted: 0, 'In progress': 0, Waiting: 0, Unknown: 0 },
  ...{ Suspended: 0, Exempt: 0, Compliant: 0, Unmanaged: 0, 'Not applicable': 0 },
};

/** The same for statuses, the words that people see. */
export type FullStatuses = Readonly<Record<EnrollmentId, Readonly<Record<Status, number>>>>;

export function fullStatuses(counts: StatusCounts): FullStatuses {
  return byKind((id) => ({ ...NO_STATUSES, ...counts[id] }));
}

/** The statuses behind a plan's summary: only Drifted and Blocked have more than one, and all of these are among the changes. */
export function statusesIn({ summary, changes }: Pick<Plan, 'summary' | 'changes'>): FullStatuses {
  const counts = byKind((): Partial<Record<Status, number>> => ({}));
  const add = (id: EnrollmentId, status: Status, n: number): void => {
    counts[id][status] = (counts[id][status] ?? 0) + n;
  };
  byKind((id) => {
    for (const verdict of VERDICTS) {
      const status = statusOfVerdict(verdict);
      if (status !== null) add(id, status, summary[id][verdict] ?? 0);
    }
  });
  for (const { enrollment, verdict, status } of changes)
    if (statusOfVerdict(verdict) === null) add(enrollment, status, 1);
  return fullStatuses(counts);
}

/** The shape of `plan --json` and of a saved plan. */
export interface PlanDocument {
  readonly runId: string;
  readonly organizationId: string;
  readonly policyHash: string;
  readonly planHash: string;
  readonly coverage: Plan['coverage'];
  readonly summary: FullSummary;
  readonly statuses: FullStatuses;
  readonly guardrail: {
    readonly tripped: boolean;
    readonly reason: string | null;
    readonly message: string | null;
  };
  /** The approval that lets the next run make this plan's changes; `null`: none exists or none is needed. */
  readonly approval: { readonly planHash: string; readonly actor: string; readonly expiresAt: string } | null;
  /** Changes that wait for the canaries; `null`: none. */
  readonly rollout: { readonly held: number; readonly opensAt: string | null; readonly message: string } | null;
  readonly organizationWide: OrgWide;
  /** Whether the organization trusts Compute Optimizer; `null`: AWS did not say. */
  readonly trustedAccess: boolean | null;
  readonly totals: PlanTotals;
  /** The mutating calls of `totals`, by operation. */
  readonly calls: readonly PlannedCall[];
  /** Sentences about listings that ended early or contradict each other. */
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
    statuses: statusesIn(plan),
    guardrail: { tripped: trip !== null, reason: trip?.reason ?? null, message: trip?.message ?? null },
    approval: approvedBy(plan),
    rollout: heldBy(plan),
    organizationWide: orgWide,
    trustedAccess: plan.trustedAccess,
    totals: plan.totals,
    calls: callsOf(plan.due, plan.followUps),
    broken,
    changes,
  };
}

function approvedBy({ approval }: Plan): PlanDocument['approval'] {
  if (approval === null) return null;
  const { planHash, actor, expiresAt } = approval;
  return { planHash, actor, expiresAt: toIso(expiresAt) };
}

function heldBy({ changes, gate }: Plan): PlanDocument['rollout'] {
  const held = changes.filter(({ reason }) => reason === 'rollout').length;
  if (held === 0 || gate === null) return null;
  const { message, notBefore } = gate;
  return { held, opensAt: notBefore === null ? null : toIso(notBefore), message };
}
