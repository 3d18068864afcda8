import type { Fault } from './faults.ts';
import { USUAL_OUS } from './generate.ts';
import type { CoveredCode, RuleMode } from './types.ts';

/** All parameters of a sandbox. `engineDefaults` has a value for each. */
export type EngineOptions = {
  accounts: number;
  /** OUs, not counting the root. */
  ous: number;
  seed: number;
  partition: 'aws' | 'aws-cn' | 'aws-us-gov';
  drift: number;
  brokenRoles: number;
  coolingDown: number;
  memberRole: string;
  externalId: string | undefined;
  accountShape: 'current' | 'older';
  /** Delay of every response, ms. */
  latencyMs: number;
  /** Calls per second for each calling account and operation (burst: twice that); undefined: no throttling. */
  rate: number | undefined;
  /** Changes per second in the whole organization (burst: twice that); undefined: no throttling. */
  orgRate: number | undefined;
  /** How long an enrollment stays Pending, ms. */
  pendingMs: number;
  /** How long a change of a configuration of an OU or the root takes, ms; undefined: 5 s to 5 min, determined by the seed. */
  configurationDelayMs: number | undefined;
  /** How long the Tagging API still shows an account's former tags after a change, ms. */
  tagIndexDelayMs: number;
  coveredCode: CoveredCode;
  /** The initial configurations, by the path of their OU. */
  configurations: readonly { ou: string; organizationRuleMode: RuleMode }[];
  faults: readonly Fault[];
};

export const engineDefaults: EngineOptions = Object.freeze({
  accounts: 500,
  ous: USUAL_OUS,
  seed: 1,
  partition: 'aws',
  drift: 0,
  brokenRoles: 0,
  coolingDown: 0,
  memberRole: 'RollcallMember',
  externalId: undefined,
  accountShape: 'current',
  latencyMs: 0,
  rate: undefined,
  orgRate: undefined,
  pendingMs: 0,
  configurationDelayMs: undefined,
  tagIndexDelayMs: 0,
  coveredCode: 'ForbiddenException',
  configurations: Object.freeze([]),
  faults: Object.freeze([]),
});
