import type { Change } from '../domain/plan.ts';
import type { CompiledPolicy } from '../domain/policy/index.ts';
import type { Survey } from './survey.ts';

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

/**
 * Whether UpdateEnrollmentStatus with member accounts may do this plan's Compute Optimizer work: the caller is the management account,
 * and nothing in the policy or in what is known of any account says other than Active and enforce (design, "The one
 * organization-wide call"). Closed accounts don't count: AWS leaves them alone.
 */
export function organizationWide(policy: CompiledPolicy, survey: Survey): OrgWide {
  const drifted = survey.judged.filter(({ assessments: { computeOptimizer } }) => {
    return computeOptimizer.verdict === 'Drifted' && computeOptimizer.action === 'UpdateEnrollmentStatus';
  });
  const no = (note: string): OrgWide => ({ used: false, possible: false, accounts: drifted.length, note });
  if (survey.caller.role !== 'management') return no('only the management account can make the organization-wide call');
  if (policy.couldDeviate) return no('the policy could want something other than Active and enforce for some account');
  const { Unknown, Suspended, Blocked, Stalled } = survey.summary.computeOptimizer;
  if ((Unknown ?? 0) + (Suspended ?? 0) + (Blocked ?? 0) + (Stalled ?? 0) > 0) {
    return no('some accounts are Unknown, Suspended, Blocked or Stalled');
  }
  const underWay = survey.judged.some(({ assessments: { computeOptimizer } }) => {
    return computeOptimizer.verdict === 'Converging' && computeOptimizer.reason === 'acted';
  });
  // The call would touch them as well, and nobody would have an intent for that.
  if (underWay) return no('some accounts are being changed one by one right now');
  const members = survey.snapshot.accounts.filter(
    (account) => account.state === 'ACTIVE' && !account.management,
  ).length;
  if (drifted.length < AT_LEAST && drifted.length < members) {
    return no(`fewer than ${AT_LEAST} accounts differ; they are changed one by one`);
  }
  const used = policy.policy.organization.organizationEnrollment === 'auto';
  const note = used ? IMPLIES : `organizationEnrollment: auto would allow one call instead: ${IMPLIES}`;
  return { used, possible: true, accounts: drifted.length, note };
}

/** The changes, with Compute Optimizer's done by the one call. */
export function useOrganizationCall(changes: readonly Change[]): Change[] {
  return changes.map((change) =>
    change.action === 'UpdateEnrollmentStatus' ? { ...change, scope: 'organization' as const } : change,
  );
}
