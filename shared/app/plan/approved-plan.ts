import { configurationKey } from '../../domain/decision/configuration-key.ts';
import type { Change } from '../../domain/decision/plan.ts';
import type { Deps, RunContext } from '../context.ts';
import type { RunState, RunStore, StoredPlan } from '../coordination/run-store.ts';
import {
  type Approval,
  approvalsInForce,
  isOpen,
  openApprovals,
  startApproved,
  usedApprovals,
} from '../guardrails/approvals.ts';
import { allows } from './change-keys.ts';
import type { Plan } from './plan.ts';

type ApprovalDeps = Pick<Deps, 'registers' | 'clock'>;

/** A run and the plan that it carries out. */
export interface BoundRun {
  readonly run: RunContext;
  readonly plan: Plan;
}

/**
 * If `maxChanges` would stop the run, binds the run to a plan that an operator has approved. It may then exceed `maxChanges`, but makes only the
 * changes of that plan.
 * @param opened hash of the plan whose approval opened the rollout gate in this scan; the run is bound to it even if no guardrail trips; `null`: none
 * @param replan makes the plan again with only the changes whose keys are given
 */
export async function bindApprovedPlan(
  deps: ApprovalDeps,
  runs: RunStore,
  run: RunContext,
  plan: Plan,
  opened: string | null,
  replan: (keys: ReadonlySet<string>) => Promise<Plan>,
): Promise<BoundRun> {
  const now = deps.clock.now();
  const inForce = await approvalsInForce(deps.registers, run.policy.hash, now);
  const open = inForce.filter(isOpen);
  const bound =
    run.planHash === null
      ? ((await bindAgain(runs, run, inForce, replan)) ?? (await bind(deps, runs, run, plan, { open, opened }, replan)))
      : null;
  // As long as an approval has no started run, each tick requests a scan. So approvals that this scan did not need are marked with its run too.
  for (const { planHash, startedRun } of open) {
    if (startedRun === null) await startApproved(deps.registers, planHash, run.runId, now);
  }
  return bound ?? { run, plan };
}

/** Binds a resumed run to the plan whose approval one of its workers had already used when it was interrupted. */
async function bindAgain(
  runs: RunStore,
  run: RunContext,
  inForce: readonly Approval[],
  replan: (keys: ReadonlySet<string>) => Promise<Plan>,
): Promise<BoundRun | null> {
  const approval = inForce.find(({ usedBy }) => usedBy === run.runId);
  if (approval === undefined) return null;
  const keys = await runs.planKeys(approval.planHash);
  return keys === null ? null : boundTo(approval, run, await replan(keys));
}

function boundTo(approval: Approval, run: RunContext, plan: Plan): BoundRun {
  const { planHash, expiresAt } = approval;
  return { run: { ...run, planHash, approvedUntil: expiresAt }, plan: { ...plan, approval } };
}

async function bind(
  { registers, clock }: ApprovalDeps,
  runs: RunStore,
  run: RunContext,
  plan: Plan,
  { open, opened }: { readonly open: readonly Approval[]; readonly opened: string | null },
  replan: (keys: ReadonlySet<string>) => Promise<Plan>,
): Promise<BoundRun | null> {
  for (const approval of open) {
    const { planHash } = approval;
    const keys = await runs.planKeys(planHash);
    if (keys === null || !isUseful(plan, keys, planHash === opened)) continue;
    const approved = await replan(keys);
    const windowOpen = run.policy.windows.isOpen(clock.now());
    // The approval that opened the rollout gate always binds the run, because the gate is open only for the changes of that plan.
    if (planHash !== opened && !helps({ plan, approved, keys, windowOpen })) continue;
    if (approved.trip !== null) return { run, plan: approved };
    if (!(await startApproved(registers, planHash, run.runId, clock.now()))) continue;
    return boundTo(approval, run, approved);
  }
  return null;
}

/** Counts the changes that an approval would permit: only `asked` if no guardrail stops the run, because it then makes the others without one. */
export function totalsToApprove({ trip, due, followUps, asked }: Plan): NonNullable<StoredPlan['totals']> {
  const own = trip === null ? [] : due;
  const later = trip === null ? [] : followUps;
  const { size: accounts } = new Set([...own, ...later, ...asked].map(({ accountId }) => accountId));
  const idOf = ({ accountId, enrollment }: Change): string => `${accountId} ${enrollment}`;
  const all = new Set([...own, ...later, ...asked].map(idOf));
  return { now: all.size - later.length, followUps: later.length, accounts };
}

interface Helping {
  /** The plan without the approval. */
  readonly plan: Plan;
  /** The plan of a run that is bound to the approved one. */
  readonly approved: Plan;
  /** The keys of the approved plan. */
  readonly keys: ReadonlySet<string>;
  readonly windowOpen: boolean;
}

/**
 * Whether binding the run to an approved plan lets it make more changes: changes beyond `maxChanges`, now or when the change window opens, or calls for
 * configurations of others. Only a run whose scan takes place while the window is open makes those calls.
 */
function helps({ plan, approved, keys, windowOpen }: Helping): boolean {
  const planned = approved.configurations?.calls ?? [];
  const isPermitted = planned.some(({ owner, needsApproval }) => owner === 'other' && !needsApproval);
  // A call waits only if all accounts that it changes must wait, for example for a cool-down to end.
  const isDue = windowOpen && approved.calls.some(({ scope }) => scope === 'configuration');
  if (isPermitted && isDue) return true;
  return plan.trip?.reason === 'maxChanges' && actionable(approved).some((change) => allows(keys, change));
}

/** Whether the plan asks for a call for a configuration of somebody else. The call itself may change no account: a later run may need its effect. */
export function asksForConfigurations({ configurations }: Plan): boolean {
  return configurations?.calls.some(({ needsApproval }) => needsApproval) ?? false;
}

/**
 * The approval that lets the next run make changes of this plan, and the plan that the run would carry out; `null`: none exists or none is needed.
 * @param replan makes the plan again with only the changes whose keys are given
 */
export async function approvalFor(
  { registers, clock }: ApprovalDeps,
  runs: RunStore,
  plan: Plan,
  replan: (keys: ReadonlySet<string>) => Promise<Plan>,
): Promise<{ readonly approval: Approval; readonly approved: Plan } | null> {
  if (plan.trip?.reason !== 'maxChanges' && !asksForConfigurations(plan)) return null;
  for (const approval of await openApprovals(registers, plan.policyHash, clock.now())) {
    const keys = await runs.planKeys(approval.planHash);
    if (keys === null || !isUseful(plan, keys, false)) continue;
    const approved = await replan(keys);
    // People are also shown an approval that helps only once the change window opens.
    if (helps({ plan, approved, keys, windowOpen: true })) return { approval, approved };
  }
  return null;
}

/**
 * Whether an approval with these keys helps this plan: to exceed `maxChanges`, or to change a configuration of somebody else.
 * @param opened whether this approval opened the rollout gate
 */
function isUseful(plan: Plan, keys: ReadonlySet<string>, opened: boolean): boolean {
  const calls = plan.configurations?.calls ?? [];
  if (calls.some((call) => call.needsApproval && keys.has(configurationKey(call)))) return true;
  const isNeeded = plan.trip?.reason === 'maxChanges' || opened;
  return isNeeded && actionable(plan).some((change) => allows(keys, change));
}

/** The changes that the run would make now or when the change window opens. */
function actionable({ changes, due }: Plan): readonly Change[] {
  return [...due, ...changes.filter(({ reason }) => reason === 'window')];
}

/** The approved runs that may still make changes, with the keys (`changeKey`) of their plans. Runs stopped by a guardrail are left out. */
export async function approvedRuns(
  { registers, clock, ledger }: Pick<Deps, 'registers' | 'clock' | 'ledger'>,
  runs: RunStore,
  policyHash: string,
): Promise<readonly { readonly run: RunState; readonly keys: ReadonlySet<string> }[]> {
  const found = [];
  for (const { planHash, usedBy } of await usedApprovals(registers, policyHash, clock.now())) {
    const run = usedBy === null ? null : await runs.get(usedBy);
    if (run === null || run.stopped !== null) continue;
    found.push({ run, keys: (await runs.planKeys(planHash)) ?? new Set<string>() });
  }
  if (found.length === 0) return [];
  // A halt refuses changes, and their messages are then gone. So a run from before the end of a halt may be unable to make all of its changes.
  const [resumed] = (await ledger.query({ type: 'EnforcementResumed' }, { limit: 1 })).entries;
  return resumed === undefined ? found : found.filter(({ run }) => run.startedAt > Date.parse(resumed.at));
}
