import { objectionTo } from '../../domain/decision/organization-call.ts';
import type { Change } from '../../domain/decision/plan.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { Survey } from '../survey/survey.ts';

/** A handful of members that drift are put right one by one: the organization-wide call touches every member. */
const AT_LEAST = 10;

/** What the one organization-wide call would mean now. The shape of `plan --json`'s `organizationWide`. */
export interface OrgWide {
  /** The plan uses it. */
  readonly used: boolean;
  /** It would be allowed if the policy said `organizationEnrollment: auto`. */
  readonly possible: boolean;
  /** Accounts not yet Active that it would change. */
  readonly accounts: number;
  /** One sentence: why not, or what it implies. */
  readonly note: string;
}

const IMPLIES =
  'it enrolls every member at once, turns trusted access on, and AWS then opts in every account that joins later';

const RESTORES = 'trusted access is off, and this call turns it on again';

/**
 * Whether UpdateEnrollmentStatus with member accounts may do this plan's Compute Optimizer work: nothing speaks against it
 * (`shared/domain/decision/organization-call.ts`), and it is worth it. Closed accounts don't count: AWS leaves them alone.
 */
export function organizationWide(policy: CompiledPolicy, survey: Survey): OrgWide {
  const drifted = survey.assessed.filter(({ assessments: { computeOptimizer } }) => {
    return computeOptimizer.verdict === 'Drifted' && computeOptimizer.action === 'UpdateEnrollmentStatus';
  });
  const no = (note: string): OrgWide => ({ used: false, possible: false, accounts: drifted.length, note });
  const { caller, contested, summary, trustedAccess } = survey;
  if (!survey.complete) return no('a listing is incomplete; the call would change accounts whose status is unknown');
  const { couldDeviate } = policy;
  const objection = objectionTo({ caller, couldDeviate, contested, verdicts: summary.computeOptimizer });
  if (objection !== null) return no(objection);
  if (survey.controls.halt !== null) return no('enforcement is halted');
  if (survey.controls.inForce(survey.at).length > 0)
    return no('an operator has suspended accounts; the call touches all');
  const members = survey.snapshot.accounts.filter(
    (account) => account.state === 'ACTIVE' && !account.management,
  ).length;
  // Without trusted access the members would not stay: only the one call brings it back.
  if (drifted.length < AT_LEAST && drifted.length < members && trustedAccess !== false) {
    return no(`fewer than ${AT_LEAST} accounts differ; they are changed one by one`);
  }
  const used = policy.policy.organization.organizationEnrollment === 'auto';
  const implies = trustedAccess === false ? `${RESTORES}; ${IMPLIES}` : IMPLIES;
  const note = used ? implies : `organizationEnrollment: auto would allow one call instead: ${implies}`;
  return { used, possible: true, accounts: drifted.length, note };
}

/** The changes, with Compute Optimizer's done by the one call. */
export function useOrganizationCall(changes: readonly Change[]): Change[] {
  return changes.map((change) =>
    change.action === 'UpdateEnrollmentStatus' ? { ...change, scope: 'organization' as const } : change,
  );
}
