/** The types of the simulated AWS: requests, responses, organizational units and accounts. */

/** Services by their SigV4 signing names, which faults and call counts also use. */
export const SERVICE_NAMES = [
  'compute-optimizer',
  'aco-automation',
  'cost-optimization-hub',
  'organizations',
  'tagging',
  'sts',
  'events',
] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

export type Status = 'Active' | 'Inactive' | 'Pending' | 'Failed';
export type RequestableStatus = 'Active' | 'Inactive';
export type EnrollmentName = 'computeOptimizer' | 'automation';
export type AccountState = 'ACTIVE' | 'SUSPENDED' | 'PENDING_CLOSURE';
export type RuleMode = 'AnyAllowed' | 'NoneAllowed';
export type RuleModeSource = {
  sourceType: 'Applied' | 'Inherited' | 'Direct' | 'Default';
  sourceTargetId?: string;
};

/** The error codes for a request about an account to which a configuration applies. AWS does not document which one it uses. */
export const COVERED_CODES = ['ForbiddenException', 'InvalidParameterValueException'] as const;
export type CoveredCode = (typeof COVERED_CODES)[number];

/** One enrollment of one account. `change` numbers its transitions, so that a superseded Pending never completes. */
export type Enrollment = {
  status: Status;
  reason: string | null;
  /** Milliseconds since the epoch. */
  updatedAt: number;
  /** The status after Pending; null if the enrollment is not Pending or stays Pending. */
  target: RequestableStatus | null;
  change: number;
};

/** The enrollment of one account in Cost Optimization Hub, which has no Pending and no Failed. */
export type HubEnrollment = {
  status: RequestableStatus;
  /** Milliseconds since the epoch; null: the account was never enrolled. */
  createdAt: number | null;
  updatedAt: number;
};

export type OrganizationalUnit = {
  id: string;
  arn: string;
  /** `Root` for the root. */
  name: string;
  /** Path of names from the root: `/` for the root itself, otherwise e.g. `/Workloads/Prod`. */
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
  /** The tags that the index of Resource Groups Tagging still shows, until this time, epoch ms; `null`: the present ones. */
  formerTags: { tags: Readonly<Record<string, string>>; until: number } | null;
  state: AccountState;
  joinedAt: number;
  invited: boolean;
  management: boolean;
  roleAssumable: boolean;
  /** If set, opting in ends in Failed with this reason. */
  enrollmentFailure: string | null;
  computeOptimizer: Enrollment;
  automation: Enrollment;
  costOptimizationHub: HubEnrollment;
  /** Associated with the management account. Organization rules apply only while the management account's Automation is on. */
  associated: boolean;
  /** When the account itself last opted out of Automation: the start of the 24-hour cool-down. */
  automationOptedOutAt: number | null;
};

export type Input = Readonly<Record<string, unknown>>;
/** Timestamps are `Date`s. Undefined members are absent from the response. */
export type Output = Readonly<Record<string, unknown>>;

/** An AWS error. The HTTP status comes from the service's model. */
export type ApiError = { code: string; httpStatus: number; message: string; members?: Output };

/** Milliseconds since the epoch. The engine reads no other clock. */
export type Clock = { now(): number };

export type ApiRequest = {
  service: ServiceName;
  operation: string;
  /** The account of the caller's credentials. */
  callerAccountId: string;
  /** Set if the credentials are from AssumeRole. */
  roleSession?: RoleSession | undefined;
  input: unknown;
  region?: string;
  requestId: string;
};

export type RoleSession = { roleName: string; sessionName: string };

/** What the server does after `delayMs`: send a response, a hollow success or an error, or break the connection. */
export type ApiAnswer =
  | { kind: 'ok'; output: Output; delayMs: number }
  /** `null`: no body. */
  | { kind: 'hollow'; output: Output | null; delayMs: number }
  | { kind: 'error'; error: ApiError; delayMs: number }
  | { kind: 'reset'; delayMs: number };
