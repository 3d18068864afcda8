import type { AccountRecord } from '../../shared/domain/account/record.ts';
import { assess } from '../../shared/domain/decision/assess.ts';
import type { AssessContext } from '../../shared/domain/decision/assess-context.ts';
import type { Condition } from '../../shared/domain/enrollment/condition.ts';
import { byKind, type EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { Observations } from '../../shared/domain/enrollment/mismatch.ts';
import type { Caller, Observation } from '../../shared/domain/enrollment/model.ts';
import type { Assessment } from '../../shared/domain/enrollment/verdict.ts';
import { EMPTY_CHAIN } from '../../shared/domain/ledger/entry.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../shared/domain/policy/index.ts';
import { compiled, NOW } from '../unit/domain/policy/support.ts';

export const HOUR = 60 * 60 * 1000;
export const MINUTE = 60 * 1000;
export const DAY = 24 * HOUR;
export { compiled as compiledFrom, NOW };

export const MANAGEMENT_ID = '100000000000';
export const MEMBER_ID = '111111111111';

export const CALLER: Caller = {
  accountId: MANAGEMENT_ID,
  arn: `arn:aws:iam::${MANAGEMENT_ID}:role/rollcall`,
  partition: 'aws',
  organizationId: 'o-example',
  managementAccountId: MANAGEMENT_ID,
  role: 'management',
};
export const DELEGATE: Caller = { ...CALLER, accountId: '222222222222', role: 'delegatedAdministrator' };

export const MEMBER: OrganizationAccount = {
  id: MEMBER_ID,
  name: 'payments-prod',
  ou: '/Workloads/Prod',
  state: 'ACTIVE',
  management: false,
  tags: {},
};
export const MANAGEMENT: OrganizationAccount = {
  ...MEMBER,
  id: MANAGEMENT_ID,
  name: 'management',
  ou: '/',
  management: true,
};

/** A policy with these defaults, followed by `rest`. */
export function policyOf(defaults: string, rest = ''): CompiledPolicy {
  return compiled(`version: 1\ndefaults: { ${defaults} }\n${rest}`);
}

export const iso = (time: number): string => new Date(time).toISOString();

type Seen = Extract<Observation, { kind: 'observed' }>;

export function seen(status: Seen['status'], rest: Partial<Seen> = {}): Seen {
  return { kind: 'observed', status, ruleMode: null, statusReason: null, lastUpdated: NOW - 30 * DAY, ...rest };
}

export function unknown(reason: Extract<Observation, { kind: 'unknown' }>['reason']): Observation {
  return { kind: 'unknown', reason, message: null };
}

const UNSEEN: Observations = byKind(() => unknown('notListed'));

/** A recorded condition: by default Inactive, unchanged for 30 days, Active desired. */
export function condition(rest: Partial<Condition> = {}): Condition {
  return {
    verdict: 'Drifted',
    reason: 'statusDiffers',
    status: 'Inactive',
    ruleMode: null,
    lastUpdated: iso(NOW - 30 * DAY),
    desired: 'Active',
    desiredRuleMode: null,
    notBefore: null,
    deadline: null,
    attempts: 0,
    rule: 'defaults',
    policyHash: null,
    runId: 'run-1',
    since: iso(NOW - HOUR),
    changedAt: iso(NOW - HOUR),
    driftSince: iso(NOW - HOUR),
    claim: null,
    optedOutAt: null,
    ...rest,
  };
}

export function recordOf(conditions: Partial<Record<EnrollmentId, Condition>>, accountId = MEMBER_ID): AccountRecord {
  return { accountId, head: EMPTY_CHAIN, present: true, conditions: { ...byKind(() => null), ...conditions } };
}

export interface Situation {
  readonly policy?: CompiledPolicy;
  readonly facts?: OrganizationAccount;
  readonly caller?: Caller;
  readonly computeOptimizer?: Observation;
  readonly automation?: Observation;
  readonly record?: AccountRecord | null;
  readonly now?: number;
  readonly suspended?: boolean;
  readonly optOutsAllowed?: boolean;
}

export const ACTIVE_POLICY = policyOf('computeOptimizer: Active');

export function contextOf(situation: Situation): AssessContext {
  const { policy = ACTIVE_POLICY, caller = CALLER, now = NOW, suspended = false, optOutsAllowed = true } = situation;
  const suspensionOf = () => (suspended ? { reason: 'incident 7', until: NOW + HOUR } : null);
  return { policy, caller, now, suspensionOf, optOutsAllowed };
}

export function judged(situation: Situation): Readonly<Record<EnrollmentId, Assessment>> {
  const { facts = MEMBER, record = null } = situation;
  const { computeOptimizer = UNSEEN.computeOptimizer, automation = UNSEEN.automation } = situation;
  return assess(contextOf(situation), facts, { ...UNSEEN, computeOptimizer, automation }, record);
}
