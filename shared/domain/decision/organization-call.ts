import type { Caller } from '../enrollment/model.ts';
import { VERDICTS, type Verdict } from '../enrollment/verdict.ts';

/** The facts that decide whether one call may enroll all members. `verdicts` and `contested` count accounts. */
export interface OrganizationView {
  readonly caller: Caller;
  /** Whether a rule, an exemption or a canary rollout could except some account from Active and enforce. */
  readonly couldDeviate: boolean;
  /** Verdicts of the kind that the call changes. */
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
  /** Accounts whose enrollment of this kind is contested, whatever its present status. */
  readonly contested: number;
}

/** A reason against the call, in one sentence; `null`: none. */
type Objection = (view: OrganizationView) => string | null;

/** Verdicts of accounts that the call must not change, with the words for their statuses. */
const NOT_WHILE: Readonly<Partial<Record<Verdict, string>>> = {
  Unknown: 'Unknown',
  Suspended: 'Suspended',
  Exempt: 'Exempt',
  Blocked: 'Waiting or Needs attention',
  Stalled: 'Needs attention',
  Converging: 'In progress',
};

/** AWS applies an organization-wide call to every member, even to exempt, suspended and contested ones. */
const OBJECTIONS: readonly Objection[] = [
  ({ caller }) =>
    caller.role === 'management' ? null : 'only the management account can make the organization-wide call',
  ({ couldDeviate }) => (couldDeviate ? 'the policy could except an account from Active and enforce' : null),
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
