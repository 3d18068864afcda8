import type { Enrollments } from './enrollments.ts';
import type { EventLog } from './event-log.ts';
import type { PageFault } from './faults.ts';
import type { Organization } from './organization.ts';
import type { Random } from './random.ts';
import type { Sessions } from './sessions.ts';
import type { Account, CoveredCode, Input, Output, RoleSession } from './types.ts';

/** An entry as it was sent, with its assigned id, time and sending account. */
export type RecordedEvent = Output & { EventId: string; Account: string; Time: Date };

/** An error response, by its AWS error code. The HTTP status comes from the model. */
export class Failure {
  readonly code: string;
  readonly message: string;
  readonly members: Output | undefined;

  constructor(code: string, message: string, members?: Output) {
    this.code = code;
    this.message = message;
    this.members = members;
  }
}

/** The state that operations read and change. */
export type World = {
  readonly organization: Organization;
  readonly enrollments: Enrollments;
  /** The organization's settings in Cost Optimization Hub. */
  readonly hub: { includesMembers: boolean; trustedAccess: boolean };
  readonly sessions: Sessions;
  /** The entries that PutEvents accepted. */
  readonly events: EventLog<RecordedEvent>;
  readonly random: Random;
  readonly settings: {
    memberRole: string;
    externalId: string | undefined;
    /** `current`: Organizations returns `State` and `Paths`; `older`: only `Status`. */
    accountShape: 'current' | 'older';
    /** The error code for a request about an account to which a configuration applies. */
    coveredCode: CoveredCode;
    /** Salt of the checksum in page tokens. */
    tokenSalt: string;
  };
};

/** One call after authentication, throttling and validation against the model. */
export type Call = {
  readonly world: World;
  readonly caller: Account;
  readonly roleSession: RoleSession | undefined;
  readonly operation: string;
  readonly input: Input;
  readonly now: number;
  readonly pageFault: PageFault | null;
};

export type Operation = {
  run(call: Call): Output | Failure;
  /** Counts against the organization's rate limit for changes. */
  mutating?: boolean;
};

export type Operations = Readonly<Record<string, Operation>>;

export function text(input: Input, name: string): string | undefined {
  const value = input[name];
  return typeof value === 'string' ? value : undefined;
}

export function integer(input: Input, name: string): number | undefined {
  const value = input[name];
  return typeof value === 'number' ? value : undefined;
}

export function texts(input: Input, name: string): string[] {
  const value = input[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

export const isDelegatedAdministrator = ({ world, caller }: Call): boolean =>
  caller === world.organization.delegatedAdministrator;
