import type { Fault } from './faults.ts';

/** All parameters of a sandbox. `engineDefaults` has a value for each. */
export type EngineOptions = {
  accounts: number;
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
  faults: readonly Fault[];
};

export const engineDefaults: EngineOptions = Object.freeze({
  accounts: 500,
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
  faults: Object.freeze([]),
});
