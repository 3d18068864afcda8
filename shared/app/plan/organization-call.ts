import { objectionTo } from '../../domain/decision/organization-call.ts';
import type { Change } from '../../domain/decision/plan.ts';
import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import { LEADING_KIND } from '../survey/observations.ts';
import type { Survey } from '../survey/survey.ts';

/** With fewer drifted accounts, each is changed by its own call, because the organization-wide call touches every member. */
const MIN_ACCOUNTS = 10;

/** Whether the organization-wide call is used, and its effect. The shape of `organizationWide` in `plan --json`. */
export interface OrgWide {
  /** The plan uses the organization-wide call. */
  readonly used: boolean;
  /** The call would be allowed with `organizationEnrollment: auto` in the policy. */
  readonly possible: boolean;
  /** Number of accounts that the call would change because they are not Active yet. */
  readonly accounts: number;
  /** One sentence: why the call is not possible, or what it implies. */
  readonly note: string;
}

const IMPLIES =
  'it enrolls all members in one call, turns trusted access on, and AWS then opts in every account that joins later';

const RESTORES = 'trusted access is off, and this call turns it on again';

/** Whether the organization-wide call of a kind can make this plan's changes of that kind. */
export function organizationWide(policy: CompiledPolicy, survey: Survey, enrollment: EnrollmentId): OrgWide {
  const drifted = survey.assessed.filter(({ assessments: { [enrollment]: assessment } }) => {
    return assessment.verdict === 'Drifted' && assessment.action !== 'none';
  });
  const notPossible = (note: string): OrgWide => ({ used: false, possible: false, accounts: drifted.length, note });
  const { caller, summary } = survey;
  // Trusted access is read for the leading kind only.
  const trustedAccess = enrollment === LEADING_KIND ? survey.trustedAccess : null;
  if (!survey.complete[enrollment])
    return notPossible('a listing is incomplete; the call would change accounts whose status is unknown');
  const objection = objectionTo({
    caller,
    couldDeviate: policy.couldDeviate[enrollment],
    contested: survey.contested[enrollment],
    verdicts: summary[enrollment],
  });
  if (objection !== null) return notPossible(objection);
  if (survey.controls.halt !== null) return notPossible('enforcement is halted');
  if (survey.controls.inForce(survey.at).length > 0)
    return notPossible('an operator has suspended accounts; the call would change all accounts');
  const members = survey.snapshot.accounts.filter(
    (account) => account.state === 'ACTIVE' && !account.management,
  ).length;
  // If trusted access is lost, members do not stay enrolled. Only this call restores it, so even one account justifies the call.
  if (drifted.length < MIN_ACCOUNTS && drifted.length < members && trustedAccess !== false) {
    return notPossible(`fewer than ${MIN_ACCOUNTS} accounts differ; they are changed one by one`);
  }
  const used = policy.policy.organization.organizationEnrollment === 'auto';
  const implies = trustedAccess === false ? `${RESTORES}; ${IMPLIES}` : IMPLIES;
  const note = used ? implies : `organizationEnrollment: auto would allow one call instead: ${implies}`;
  return { used, possible: true, accounts: drifted.length, note };
}

/** Assigns the changes that an organization-wide call makes to that call. @param kinds the kinds whose call is used */
export function useOrganizationCalls(changes: readonly Change[], kinds: readonly EnrollmentId[]): Change[] {
  return changes.map((change) =>
    kinds.includes(change.enrollment) && change.action !== 'none'
      ? { ...change, scope: 'organization' as const }
      : change,
  );
}
