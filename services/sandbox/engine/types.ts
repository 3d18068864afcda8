/** The vocabulary of the simulated AWS: who calls what, what it answers, and what an account holds. */

/** Services by their SigV4 signing names; these are also the names in faults and call counts. */
export const SERVICE_NAMES = ['compute-optimizer', 'aco-automation', 'organizations', 'sts', 'events'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

export type Status = 'Active' | 'Inactive' | 'Pending' | 'Failed';
export type RequestableStatus = 'Active' | 'Inactive';
export type EnrollmentName = 'computeOptimizer' | 'automation';
export type AccountState = 'ACTIVE' | 'SUSPENDED' | 'PENDING_CLOSURE';
export type RuleMode = 'AnyAllowed' | 'NoneAllowed';

/** One enrollment of one account. `change` numbers its transitions, so that a superseded Pending does not land later. */
export type Enrollment = {
  status: Status;
  reason: string | null;
  /** Milliseconds since the epoch. */
  updatedAt: number;
  /** Where a Pending is heading; null when not Pending, or when it will never land by itself. */
  target: RequestableStatus | null;
  change: number;
};

export type OrganizationalUnit = {
  id: string;
  arn: string;
  /** `Root` for the root. */
  name: string;
  /** Path of names from the root: `/` for the root itself, else `/Workloads/Prod`. */
  path: string;
  /** Path of ids as Organizations prints it, with a closing slash: `o-…/r-…/ou-…/`. */
  idPath: string;
  parent: OrganizationalUnit | null;
  children: OrganizationalUnit[];
  /** Sorted by account id. */
  accounts: Account[];
};

export type Account = {
  id: string;
  name: string;
  email: string;
  ou: OrganizationalUnit;
  tags: Readonly<Record<string, string>>;
  state: AccountState;
  joinedAt: number;
  invited: boolean;
  management: boolean;
  roleAssumable: boolean;
  /** When set, opting in ends in Failed with this reason. */
  enrollmentFailure: string | null;
  computeOptimizer: Enrollment;
  automation: Enrollment;
  /** Associated with the management account; organization rules apply only while that one's Automation is on. */
  associated: boolean;
  /** When the account itself last opted out of Automation: the start of the 24-hour cool-down. */
  automationOptedOutAt: number | null;
};

export type Input = Readonly<Record<string, unknown>>;
/** Timestamps are `Date`s; members that are undefined are absent on the wire. */
export type Output = Readonly<Record<string, unknown>>;

/** An AWS error as the engine names it; the HTTP status comes from the service's model. */
export type ApiError = { code: string; httpStatus: number; message: string; members?: Output };

/** Milliseconds since the epoch; the engine never looks at any other clock. */
export type Clock = { now(): number };

export type ApiRequest = {
  service: ServiceName;
  operation: string;
  /** Account in which the caller's credentials live. */
  callerAccountId: string;
  /** Set when the caller came through AssumeRole. */
  roleSession?: RoleSession | undefined;
  input: unknown;
  region?: string;
  requestId: string;
};

export type RoleSession = { roleName: string; sessionName: string };

/** The door's instruction: send an answer, send a hollow success, send an error, or break the connection, each after `delayMs`. */
export type ApiAnswer =
  | { kind: 'ok'; output: Output; delayMs: number }
  /** `null`: no body. */
  | { kind: 'hollow'; output: Output | null; delayMs: number }
  | { kind: 'error'; error: ApiError; delayMs: number }
  | { kind: 'reset'; delayMs: number };
