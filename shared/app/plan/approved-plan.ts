import type { Change } from '../../domain/decision/plan.ts';
import type { Deps, RunContext } from '../context.ts';
import type { RunStore } from '../coordination/run-store.ts';
import { type Approval, openApprovals, startApproved, usedApprovals } from '../guardrails/approvals.ts';
import { allows, type Plan } from './plan.ts';

type LiftDeps = Pick<Deps, 'registers' | 'clock'>;

/** A run, and its plan as it is to be carried out. */
export interface Lifted {
  readonly run: RunContext;
  readonly plan: Plan;
}

/**
 * Where `maxChanges` would stop the run and an operator has approved what it would do: the run is bound to the approved plan. Changes that
 * have come since are left, and trip the next scan anew; those that have healed are not missed.
 * @param opened the approved plan that has just opened the gate of a rollout: the run is bound to it, tripped or not.
 * @param replan the plan, with only these changes allowed.
 */
export async function bindApprovedPlan(
  deps: LiftDeps,
  runs: RunStore,
  run: RunContext,
  plan: Plan,
  opened: string | null,
  replan: (keys: ReadonlySet<string>) => Promise<Plan>,
): Promise<Lifted> {
  const now = deps.clock.now();
  const open = await openApprovals(deps.registers, run.policy.hash, now);
  const wanted = plan.trip?.reason === 'maxChanges' ? open : open.filter(({ planHash }) => planHash === opened);
  const bound = run.planHash === null ? await bind(deps, runs, run, plan, wanted, replan) : null;
  // Those that this scan did not need were looked at all the same: no further scan is asked for on their account.
  for (const { planHash, startedRun } of open) {
    if (startedRun === null) await startApproved(deps.registers, planHash, run.runId, now);
  }
  return bound ?? { run, plan };
}

async function bind(
  { registers, clock }: LiftDeps,
  runs: RunStore,
  run: RunContext,
  plan: Plan,
  open: readonly Approval[],
  replan: (keys: ReadonlySet<string>) => Promise<Plan>,
): Promise<Lifted | null> {
  for (const approval of open) {
    const { planHash, expiresAt } = approval;
    const keys = await runs.planKeys(planHash);
    if (keys === null || !wouldAct(plan).some((change) => allows(keys, change))) continue;
    const lifted = await replan(keys);
    if (lifted.trip !== null) return { run, plan: lifted };
    if (!(await startApproved(registers, planHash, run.runId, clock.now()))) continue;
    return { run: { ...run, planHash, approvedUntil: expiresAt }, plan: { ...lifted, approval } };
  }
  return null;
}

/** The approval by which the next run would get past what stops this plan; only looks. `null`: there is none, or none is needed. */
export async function approvalFor(
  { registers, clock }: LiftDeps,
  runs: RunStore,
  plan: Plan,
): Promise<Approval | null> {
  if (plan.trip?.reason !== 'maxChanges') return null;
  for (const approval of await openApprovals(registers, plan.policyHash, clock.now())) {
    const keys = await runs.planKeys(approval.planHash);
    if (keys !== null && wouldAct(plan).some((change) => allows(keys, change))) return approval;
  }
  return null;
}

/** What the run would do now, and when the enforcement window opens. */
function wouldAct({ changes, due }: Plan): readonly Change[] {
  return [...due, ...changes.filter(({ reason }) => reason === 'window')];
}

/** What approved runs are making right now, by `changeKey`. One that a guardrail has stopped makes nothing any more. */
export async function underWay(
  { registers, clock }: LiftDeps,
  runs: RunStore,
  policyHash: string,
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for (const { planHash, usedBy } of await usedApprovals(registers, policyHash, clock.now())) {
    const run = usedBy === null ? null : await runs.get(usedBy);
    if (run === null || run.stopped !== null) continue;
    for (const key of (await runs.planKeys(planHash)) ?? []) keys.add(key);
  }
  return keys;
}
