import type { Caller } from '../enrollment/model.ts';
import type { Verdict } from '../enrollment/verdict.ts';

/** What has to be known of the organization before anybody may think of the one organization-wide call. Counts are of accounts. */
export interface OrganizationView {
  readonly caller: Caller;
  /** The policy could want something other than Active and enforce somewhere: a rule, an exemption, a canary. */
  readonly couldDeviate: boolean;
  /** Verdicts on Compute Optimizer. */
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
  /** Accounts about whose Compute Optimizer somebody fights with us, whatever it shows at present. */
  readonly contested: number;
}

/** A reason against the call, in one sentence; `null`: none. */
type Objection = (view: OrganizationView) => string | null;

/** Any account under one of these would be touched by the call all the same, and must not be. */
const NOT_WHILE: readonly Verdict[] = ['Unknown', 'Suspended', 'Exempt', 'Blocked', 'Stalled', 'Converging'];

/**
 * Everything that forbids `UpdateEnrollmentStatus` with member accounts, which touches every member and spares none: an account that is
 * exempt, suspended or contested makes no difference to AWS. A further reason is a further function here.
 */
const OBJECTIONS: readonly Objection[] = [
  ({ caller }) =>
    caller.role === 'management' ? null : 'only the management account can make the organization-wide call',
  ({ couldDeviate }) =>
    couldDeviate ? 'the policy could want something other than Active and enforce for some account' : null,
  ({ verdicts }) => {
    const found = NOT_WHILE.filter((verdict) => (verdicts[verdict] ?? 0) > 0);
    return found.length === 0 ? null : `some accounts are ${found.join(' or ')}`;
  },
  ({ contested }) => (contested === 0 ? null : 'some accounts are contested'),
];

/** The first reason for which the organization-wide call must not be made; `null` if nothing speaks against it. */
export function objectionTo(view: OrganizationView): string | null {
  for (const objection of OBJECTIONS) {
    const found = objection(view);
    if (found !== null) return found;
  }
  return null;
}
