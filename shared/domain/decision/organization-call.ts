import type { Caller } from '../enrollment/model.ts';
import { VERDICTS, type Verdict } from '../enrollment/verdict.ts';

/** The facts that decide whether the organization-wide call may be made. Counts are numbers of accounts. */
export interface OrganizationView {
  readonly caller: Caller;
  /** For some account, the policy could desire something other than Active and enforce: through a rule, an exemption or a canary. */
  readonly couldDeviate: boolean;
  /** Verdicts of Compute Optimizer. */
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
  /** Accounts whose Compute Optimizer enrollment is contested, whatever its present status. */
  readonly contested: number;
}

/** A reason against the call, in one sentence; `null`: none. */
type Objection = (view: OrganizationView) => string | null;

/** The call would change accounts with these verdicts too, and it must not. Each has the words for its statuses. */
const NOT_WHILE: Readonly<Partial<Record<Verdict, string>>> = {
  Unknown: 'Unknown',
  Suspended: 'Suspended',
  Exempt: 'Exempt',
  Blocked: 'Waiting or Needs attention',
  Stalled: 'Needs attention',
  Converging: 'In progress',
};

/**
 * Everything that forbids `UpdateEnrollmentStatus` with member accounts. AWS applies that call to every member, including exempt, suspended and
 * contested accounts.
 */
const OBJECTIONS: readonly Objection[] = [
  ({ caller }) =>
    caller.role === 'management' ? null : 'only the management account can make the organization-wide call',
  ({ couldDeviate }) => (couldDeviate ? 'the policy may not desire Active and enforce for every account' : null),
  ({ verdicts }) => {
    const found = VERDICTS.flatMap((verdict) => ((verdicts[verdict] ?? 0) > 0 ? (NOT_WHILE[verdict] ?? []) : []));
    return found.length === 0 ? null : `some accounts have the status ${found.join(' or ')}`;
  },
  ({ contested }) => (contested === 0 ? null : 'some accounts are contested'),
];

/** The first objection to the organization-wide call, or `null`. */
export function objectionTo(view: OrganizationView): string | null {
  for (const objection of OBJECTIONS) {
    const found = objection(view);
    if (found !== null) return found;
  }
  return null;
}
