import { isFollowing } from '../../domain/decision/changed-accounts.ts';
import { configurationKey } from '../../domain/decision/configuration-key.ts';
import type { Coverage, RecentChanges, Trip } from '../../domain/decision/guardrails.ts';
import {
  type Change,
  dueChanges,
  isChange,
  type PlannedCall,
  planHash,
  sortChanges,
  toChange,
} from '../../domain/decision/plan.ts';
import {
  callsOf,
  enablingAccounts,
  followUpsOf,
  type PlanTotals,
  totalCalls,
  totalsOf,
} from '../../domain/decision/plan-totals.ts';
import { ENROLLMENT_IDS, type EnrollmentId, ORGANIZATION_WIDE } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { reasonText } from '../../domain/enrollment/reason-codes.ts';
import { shownOf } from '../../domain/enrollment/status.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { Approval } from '../guardrails/approvals.ts';
import type { OwnConfigurations } from '../guardrails/own-configurations.ts';
import type { Gate } from '../guardrails/rollout-gate.ts';
import type { Summary } from '../survey/assessment-table.ts';
import type { Survey } from '../survey/survey.ts';
import { allows, keysOf, willMake } from './change-keys.ts';
import { callsInstead, configurationCallsOf, withConfigurations } from './configuration-changes.ts';
import { type OrgWide, organizationWide, useOrganizationCalls } from './organization-call.ts';
import { checkGuardrails } from './plan-guardrails.ts';
import {
  configurationsOf,
  type DecidedConfigurations,
  nothing,
  type PlannedConfigurations,
} from './planned-configurations.ts';

/** What a run would do: printed by `plan`, carried out by `apply`. */
export interface Plan {
  readonly organizationId: string;
  readonly policyHash: string;
  readonly planHash: string;
  readonly coverage: Coverage;
  /** ACTIVE accounts for which the policy manages anything. */
  readonly accountsInScope: number;
  readonly summary: Summary;
  /** Every mismatch, whether the run changes it or not. */
  readonly changes: readonly Change[];
  /** The changes that the run would make now. */
  readonly due: readonly Change[];
  /** Changes that become possible when their prerequisite is met, with the action that will make them. */
  readonly followUps: readonly Change[];
  readonly totals: PlanTotals;
  readonly trip: Trip | null;
  /** The operator's approval that the run uses. */
  readonly approval: Approval | null;
  /** Dry run only: the changes that the next run makes with `approval`, if a guardrail would stop it otherwise. */
  readonly underApproval?: PlanTotals;
  /** The rollout gate that holds back some of the changes. */
  readonly gate: Gate | null;
  /** The calls for organization enrollment configurations; `null`: the policy does not manage them. */
  readonly configurations: PlannedConfigurations | null;
  /** The changes that the calls for configurations of others would make with an approval. */
  readonly asked: readonly Change[];
  /** The mutating calls for the due changes and the follow-ups. */
  readonly calls: readonly PlannedCall[];
  /** For each kind that has an organization-wide call. */
  readonly orgWide: Readonly<Partial<Record<EnrollmentId, OrgWide>>>;
  readonly trustedAccess: boolean | null;
  readonly broken: readonly string[];
  /** Accounts that could not be read because AWS refused the member role, by account id. */
  readonly deniedRoles: readonly Pick<Change, 'accountId' | 'accountName'>[];
  readonly snapshot: Survey['snapshot'];
}

export interface PlanLimits {
  /** The changes that a saved plan allows, by {@link changeKey}; `null`: any. */
  readonly onlyThese: ReadonlySet<string> | null;
  /** Whether an operator has approved these changes. A saved plan alone does not permit to change configurations of others. */
  readonly approved: boolean;
  /** Changes that another, approved run is making, by {@link changeKey}. */
  readonly inProgress: ReadonlySet<string>;
  readonly ownConfigurations: OwnConfigurations;
}

export interface ConfigurationLimits extends Omit<PlanLimits, 'inProgress'> {
  /** Targets for which AWS has refused a call of this run. No other call is made there or below. */
  readonly refused?: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Everything that a run bound to this plan may do, including the calls that need an approval. Excludes calls for configurations of others that
 * this plan already makes under an approval, because that approval permits each of them only once.
 */
export function keysOfPlan({ changes, asked, configurations, approval }: Plan): string[] {
  const calls = (configurations?.calls ?? []).filter(
    ({ owner, needsApproval }) => owner !== 'other' || needsApproval || approval === null,
  );
  return [...keysOf([...changes, ...asked]), ...calls.map(configurationKey)];
}

interface FollowUpInput {
  readonly changes: readonly Change[];
  readonly recent: RecentChanges;
  readonly limits: PlanLimits;
  readonly now: EpochMs;
  readonly isAllowed: (change: Change) => boolean;
}

/** @param enabling the changes that this plan makes now or when a window opens. */
function followUpFinder({ changes, recent, limits, now, isAllowed }: FollowUpInput, enabling: readonly Change[]) {
  const enabledHere = new Set(enablingAccounts(enabling));
  // A follow-up belongs to the earlier run that enabled its prerequisite, if the approval of that run covers it.
  const belongsToEarlierRun = (change: Change): boolean =>
    limits.onlyThese === null && !enabledHere.has(change.accountId) && willMake(limits.inProgress, change);
  const of = (made: readonly Change[]): readonly Change[] =>
    followUpsOf(changes, made, now).filter((change) => isAllowed(change) && !belongsToEarlierRun(change));
  return {
    of,
    belongsToEarlierRun,
    // Caps count each account once. A follow-up of an earlier run was counted or approved with that run.
    toCount: of(enabling).filter(
      ({ accountId, enrollment }) => enabledHere.has(accountId) || !isFollowing(recent.get(accountId), enrollment),
    ),
  };
}

/** @param mayChangeAll whether the run may make every change of a kind. Otherwise it cannot use a call that changes all accounts. */
function organizationCalls(
  policy: CompiledPolicy,
  survey: Survey,
  mayChangeAll: (enrollment: EnrollmentId) => boolean,
): Plan['orgWide'] {
  const calls: Partial<Record<EnrollmentId, OrgWide>> = {};
  for (const id of ORGANIZATION_WIDE) {
    const call = organizationWide(policy, survey, id);
    calls[id] = { ...call, used: call.used && mayChangeAll(id) };
  }
  return calls;
}

/**
 * Assigns changes to calls for organization enrollment configurations. A run that may make only certain changes makes these calls all or not at
 * all, because they depend on each other.
 */
export function useConfigurations(
  policy: CompiledPolicy,
  survey: Survey,
  { onlyThese, approved, ownConfigurations: own, refused = NONE }: ConfigurationLimits,
  changes: readonly Change[],
  now: EpochMs,
): { readonly changes: readonly Change[]; readonly decided: DecidedConfigurations | null } {
  const decided = configurationsOf(policy, survey, { own, approved: (approved ? onlyThese : null) ?? NONE, refused });
  if (decided === null) return { changes, decided };
  const assigned = withConfigurations(changes, decided, survey, { now, windowOpen: policy.windows.isOpen(now) });
  if (onlyThese === null) return { changes: assigned, decided };
  const made = decided.shown.calls.filter(({ needsApproval }) => !needsApproval);
  const isInPlan =
    made.every((call) => onlyThese.has(configurationKey(call))) &&
    assigned.every((change) => change.scope !== 'configuration' || allows(onlyThese, change));
  return isInPlan ? { changes: assigned, decided } : { changes, decided: nothing('the plan has other calls') };
}

/** Every mismatch that the survey found. */
export function changesIn({ assessed }: Pick<Survey, 'assessed'>): readonly Change[] {
  return assessed.flatMap(({ account, assessments }) => {
    const shown = shownOf((enrollment) => assessments[enrollment]);
    return ENROLLMENT_IDS.flatMap((enrollment) =>
      isChange(assessments[enrollment]) ? [toChange(assessments[enrollment], account, shown[enrollment]?.status)] : [],
    );
  });
}

/** When a change window opens, no new plan is made. So the changes that wait for it count against the caps of this run. */
function waitingForWindow(changes: readonly Change[]): readonly Change[] {
  return changes
    .filter(({ reason }) => reason === 'window')
    .map((change) => ({ ...change, action: change.heldAction }));
}

interface ConfigurationUse {
  /** The changes as they would be without calls for configurations. */
  readonly without: readonly Change[];
  readonly due: readonly Change[];
  readonly followUps: readonly Change[];
  readonly survey: Survey;
  readonly timing: { readonly now: EpochMs; readonly windowOpen: boolean };
}

/** The calls for configurations. `asked`: the changes that calls still without an approval would make if they had one. */
function useOfConfigurations(
  decided: DecidedConfigurations | null,
  { without, due, followUps, survey, timing }: ConfigurationUse,
): Pick<Plan, 'configurations' | 'asked'> & { readonly configurationCalls: readonly PlannedCall[] } {
  if (decided === null) return { configurations: null, asked: [], configurationCalls: [] };
  const configurationCalls = configurationCallsOf(due, decided);
  const saved = callsInstead(without, [...due, ...followUps]) - totalCalls(configurationCalls);
  const asked = withConfigurations(without, { calls: decided.asked }, survey, timing);
  return {
    configurations: { ...decided.shown, callsSaved: Math.max(0, saved) },
    asked: asked.filter(({ scope }) => scope === 'configuration'),
    configurationCalls,
  };
}

/** A change that this plan leaves to an earlier run. Neither its hash nor a saved plan contains the change as one of its own. */
function madeByApprovedRun(change: Change): Change {
  const reason = 'approvedRun';
  return { ...change, status: 'In progress', action: 'none', heldAction: 'none', reason, message: reasonText(reason) };
}

interface PlanInput {
  readonly policy: CompiledPolicy;
  readonly survey: Survey;
  readonly recent: RecentChanges;
  readonly limits: PlanLimits;
  readonly now: EpochMs;
}

/** Every mismatch with the call that changes it: for the organization, for a configuration, or for accounts. */
function assignedChanges(
  { policy, survey, recent, limits, now }: PlanInput,
  isAllowed: (change: Change) => boolean,
): Pick<ConfigurationUse, 'without'> &
  Pick<Plan, 'orgWide' | 'changes'> & { readonly decided: DecidedConfigurations | null } {
  const found = changesIn(survey);
  const orgWide = organizationCalls(policy, survey, (id) =>
    found.every((change) => change.enrollment !== id || isAllowed(change)),
  );
  const sweeping = ORGANIZATION_WIDE.filter((id) => orgWide[id]?.used);
  const without = useOrganizationCalls(found, sweeping);
  const { changes, decided } = useConfigurations(policy, survey, limits, without, now);
  // If the account was changed recently, the approved run may have no message left for it, so this run plans the change.
  const isInProgress = (change: Change): boolean =>
    willMake(limits.inProgress, change) && !recent.has(change.accountId) && limits.onlyThese === null;
  const marked = sortChanges(changes).map((change) => (isInProgress(change) ? madeByApprovedRun(change) : change));
  return { orgWide, without, decided, changes: marked };
}

/** Turns the assessments of all accounts into a plan: the changes, their calls, and whether a guardrail would stop them. */
export function makePlan(
  policy: CompiledPolicy,
  survey: Survey,
  recent: RecentChanges,
  limits: PlanLimits,
  now: EpochMs,
): Plan {
  const allowed = limits.onlyThese;
  const isAllowed = (change: Change): boolean => allowed === null || allows(allowed, change);
  const { orgWide, without, decided, changes } = assignedChanges({ policy, survey, recent, limits, now }, isAllowed);
  const ready = dueChanges(changes, now).filter(isAllowed);
  const waiting = waitingForWindow(changes.filter(isAllowed));
  const following = followUpFinder({ changes, recent, limits, now, isAllowed }, [...ready, ...waiting]);
  const { due, trip } = checkGuardrails(ready, [...waiting, ...following.toCount], {
    guardrails: policy.policy.guardrails,
    accountsInScope: survey.accountsInScope,
    coverage: survey.coverage,
    coverageByKind: survey.coverageByKind,
    recent,
    maxChangesLifted: allowed !== null,
  });
  const followUps = following.of(due);
  const listed = changes.map((change) =>
    change.reason === 'prerequisite' && following.belongsToEarlierRun(change) ? madeByApprovedRun(change) : change,
  );
  const timing = { now, windowOpen: policy.windows.isOpen(now) };
  const used = useOfConfigurations(decided, { without, due, followUps, survey, timing });
  const { configurations, asked, configurationCalls } = used;
  return {
    organizationId: survey.caller.organizationId,
    policyHash: policy.hash,
    planHash: planHash(policy.hash, listed, configurations?.calls, asked),
    coverage: survey.coverage,
    accountsInScope: survey.accountsInScope,
    summary: survey.summary,
    changes: listed,
    due,
    followUps,
    configurations,
    asked,
    calls: callsOf(due, followUps, configurationCalls),
    totals: totalsOf(due, followUps, configurationCalls),
    trip,
    approval: null,
    gate: null,
    orgWide,
    trustedAccess: survey.trustedAccess,
    broken: survey.broken,
    deniedRoles: survey.deniedRoles.map(({ id, name }) => ({ accountId: id, accountName: name })),
    snapshot: survey.snapshot,
  };
}
