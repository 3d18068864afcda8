import type * as z from 'zod';
import { byKind, type EnrollmentId, ORGANIZATION_WIDE } from '../../domain/enrollment/kinds/index.ts';
import { type Status, type StatusCounts, statusOfVerdict } from '../../domain/enrollment/status.ts';
import { VERDICTS, type Verdict } from '../../domain/enrollment/verdict.ts';
import { toIso } from '../../domain/time.ts';
import type { Plan } from '../plan/plan.ts';
import type { Summary } from '../survey/assessment-table.ts';
import type { statuses, summary } from './answers/common.ts';
import type { planSchema } from './answers/plan.ts';

/** The count of every verdict, zeros included, so that readers do not have to handle missing keys. */
export type FullSummary = z.infer<typeof summary>;

export function fullSummary(counts: Summary): FullSummary {
  return byKind((id) => ({ ...NO_VERDICTS, ...counts[id] }));
}

const NO_VERDICTS: Readonly<Record<Verdict, number>> = {
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
};
const NO_STATUSES: Readonly<Record<Status, number>> = {
  'Needs attention': 0,
  Drifted: 0,
  'In progress': 0,
  Waiting: 0,
  Unknown: 0,
  Suspended: 0,
  Exempt: 0,
  Compliant: 0,
  Unmanaged: 0,
  'Not applicable': 0,
};

/** The count of every status, zeros included. Statuses are the words that people see. */
export type FullStatuses = z.infer<typeof statuses>;

/** Every status with its count. */
export function fullCounts(counts: Readonly<Partial<Record<Status, number>>>): Record<Status, number> {
  return { ...NO_STATUSES, ...counts };
}

export function fullStatuses(counts: StatusCounts): FullStatuses {
  return byKind((id) => fullCounts(counts[id]));
}

/** The counts of a plan by status. A verdict such as Blocked can mean one of several statuses, so its accounts are counted from the changes. */
export function statusesIn({ summary: verdicts, changes }: Pick<Plan, 'summary' | 'changes'>): FullStatuses {
  const counts = byKind((): Partial<Record<Status, number>> => ({}));
  const add = (id: EnrollmentId, status: Status, n: number): void => {
    counts[id][status] = (counts[id][status] ?? 0) + n;
  };
  byKind((id) => {
    for (const verdict of VERDICTS) {
      const status = statusOfVerdict(verdict);
      if (status !== null) add(id, status, verdicts[id][verdict] ?? 0);
    }
  });
  for (const { enrollment, verdict, status } of changes)
    if (statusOfVerdict(verdict) === null) add(enrollment, status, 1);
  return fullStatuses(counts);
}

/** `plan --json` without its warnings, and a saved plan. */
export type PlanDocument = z.infer<typeof planSchema>;

/** @param now when the plan was made, epoch ms */
export function planDocument(plan: Plan, runId: string, now: number): PlanDocument {
  const { organizationId, policyHash, coverage, orgWide, broken, changes } = plan;
  return {
    runId,
    createdAt: toIso(now),
    organizationId,
    policyHash,
    planHash: plan.planHash,
    coverage,
    summary: fullSummary(plan.summary),
    statuses: statusesIn(plan),
    guardrail: guardrailOf(plan),
    approval: approvedBy(plan),
    rollout: heldBy(plan),
    ...organizationWideOf(orgWide),
    trustedAccess: plan.trustedAccess,
    totals: plan.totals,
    calls: [...plan.calls],
    ...(plan.configurations !== null && { configurations: { ...plan.configurations, asked: [...plan.asked] } }),
    broken,
    changes,
  };
}

/** The first kind's call has its own field, because scripts of version 0.1.0 read it. Calls of other kinds are listed if they would change accounts. */
function organizationWideOf(
  orgWide: Plan['orgWide'],
): Pick<PlanDocument, 'organizationWide' | 'otherOrganizationWide'> {
  const [first, ...others] = ORGANIZATION_WIDE.flatMap((enrollment) => {
    const call = orgWide[enrollment];
    return call === undefined ? [] : [{ enrollment, ...call }];
  });
  if (first === undefined) throw new Error('unreachable: a kind has an organization-wide call');
  const { enrollment: _, ...organizationWide } = first;
  const concerned = others.filter(({ accounts }) => accounts > 0);
  return { organizationWide, ...(concerned.length > 0 && { otherOrganizationWide: concerned }) };
}

export function guardrailOf({ trip }: Pick<Plan, 'trip'>): PlanDocument['guardrail'] {
  return { tripped: trip !== null, reason: trip?.reason ?? null, message: trip?.message ?? null };
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
