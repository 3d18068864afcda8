import * as fc from 'fast-check';
import type { AccountRecord } from '../../shared/domain/account/record.ts';
import type { Condition } from '../../shared/domain/enrollment/condition.ts';
import { byKind } from '../../shared/domain/enrollment/kinds/index.ts';
import type { Observations } from '../../shared/domain/enrollment/mismatch.ts';
import type {
  Caller,
  GoverningConfiguration,
  Observation,
  RuleModeSource,
} from '../../shared/domain/enrollment/model.ts';
import type { ReasonCode } from '../../shared/domain/enrollment/reason-codes.ts';
import { VERDICTS } from '../../shared/domain/enrollment/verdict.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../shared/domain/policy/index.ts';
import { compilePolicy } from '../../shared/domain/policy/index.ts';
import { CALLER, compiledFrom, DAY, DELEGATE, MANAGEMENT, MEMBER, NOW } from '../support/domain-kit.ts';
import { withDefaults } from '../unit/domain/policy/support.ts';

const base = compiledFrom(withDefaults(''));

const STATUSES = ['Active', 'Inactive', 'Pending', 'Failed'] as const;
export const RULE_MODES = ['AnyAllowed', 'NoneAllowed'] as const;
const REASONS: readonly ReasonCode[] = [
  ...(['retrying', 'deadLettered', 'denied', 'prerequisite', 'coolDown', 'acted', 'pending'] as const),
  'organizationConfiguration',
  ...(['statusDiffers', 'ruleModeDiffers', 'enrollmentFailed', 'guardrail', 'notListed'] as const),
];

/** Every combination of defaults, including contradictory ones, because rules can merge into them for an account. */
const POLICIES: readonly CompiledPolicy[] = (['enforce', 'alert', 'off'] as const).flatMap((mode) =>
  (['Active', 'Inactive', 'unmanaged'] as const).flatMap((computeOptimizer) =>
    (['Active', 'Inactive', 'unmanaged'] as const).flatMap((automation) =>
      (['AnyAllowed', 'NoneAllowed', 'unmanaged'] as const).map((organizationRules) => {
        // Independent of the others, so that it follows one of them.
        const costOptimizationHub = organizationRules === 'unmanaged' ? ('unmanaged' as const) : computeOptimizer;
        const defaults = { mode, computeOptimizer, automation, costOptimizationHub, organizationRules };
        const shown = { [fc.toStringMethod]: () => JSON.stringify(defaults) };
        return { ...compilePolicy({ ...base.policy, defaults }), ...shown };
      }),
    ),
  ),
);

export const anyPolicy = fc.constantFrom(...POLICIES);
/** Any time that a Date can represent, often near now. */
export const anyTime = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: NOW - 3 * DAY, max: NOW + 3 * DAY }) },
  { weight: 1, arbitrary: fc.integer({ min: -8.64e15, max: 8.64e15 }) },
);
const anyIso = fc.option(anyTime.map((time) => new Date(time).toISOString()));

export const anyFacts: fc.Arbitrary<OrganizationAccount> = fc.record({
  id: fc.constantFrom(MEMBER.id, MANAGEMENT.id, DELEGATE.accountId),
  name: fc.string(),
  ou: fc.constantFrom('/', '/Workloads', '/Workloads/Prod'),
  state: fc.constantFrom('ACTIVE', 'ACTIVE', 'ACTIVE', 'SUSPENDED', 'PENDING_ACTIVATION', 'PENDING_CLOSURE', 'CLOSED'),
  management: fc.boolean(),
  tags: fc.option(fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 })),
});

export const anyCaller: fc.Arbitrary<Caller> = fc.constantFrom(CALLER, DELEGATE);

const anyTarget = fc.option(fc.constantFrom('r-ab12', 'ou-ab12-11111111', MEMBER.id));
const anyGoverning: fc.Arbitrary<GoverningConfiguration> = fc.record({
  type: fc.constantFrom('applied' as const, 'inherited' as const, 'configuration' as const),
  targetId: anyTarget,
});
const anySource: fc.Arbitrary<RuleModeSource> = fc.oneof(
  anyGoverning,
  fc.record({ type: fc.constantFrom('direct' as const, 'default' as const), targetId: fc.constant(null) }),
);

const anyObservedAlone = fc.record({
  kind: fc.constant('observed' as const),
  status: fc.constantFrom(...STATUSES),
  ruleMode: fc.option(fc.constantFrom(...RULE_MODES)),
  statusReason: fc.option(fc.string()),
  lastUpdated: fc.option(anyTime),
});
const anyObserved = fc.oneof(
  anyObservedAlone,
  fc
    .tuple(anyObservedAlone, fc.option(anySource))
    .map(([observed, ruleModeSource]) => ({ ...observed, ruleModeSource })),
);

export const anyObservation: fc.Arbitrary<Observation> = fc.oneof(
  { weight: 5, arbitrary: anyObserved },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('unknown' as const),
      reason: fc.constantFrom('notListed', 'listingIncomplete', 'callerCannotRead', 'denied', 'unavailable'),
      message: fc.option(fc.string()),
    }),
  },
);

export const anyObservations: fc.Arbitrary<Observations> = fc.record(byKind(() => anyObservation));

const anyClaim = fc.record({
  entryId: fc.string(),
  startedAt: fc.constant(new Date(NOW).toISOString()),
  expiresAt: anyTime.map((time) => new Date(time).toISOString()),
  operation: fc.constantFrom('UpdateEnrollmentStatus', 'AssociateAccounts'),
  clientToken: fc.option(fc.string()),
  optOut: fc.boolean(),
});

const anyConditionAlone: fc.Arbitrary<Condition> = fc.record({
  verdict: fc.constantFrom(...VERDICTS),
  reason: fc.option(fc.constantFrom(...REASONS)),
  status: fc.option(fc.constantFrom(...STATUSES)),
  ruleMode: fc.option(fc.constantFrom(...RULE_MODES)),
  lastUpdated: anyIso,
  desired: fc.option(fc.constantFrom('Active' as const, 'Inactive' as const)),
  desiredRuleMode: fc.option(fc.constantFrom(...RULE_MODES)),
  notBefore: anyIso,
  deadline: anyIso,
  attempts: fc.nat({ max: 9 }),
  rule: fc.option(fc.constant('defaults')),
  policyHash: fc.option(fc.constantFrom(...POLICIES.slice(0, 9).map((policy) => policy.hash))),
  runId: fc.option(fc.constant('run-1')),
  since: fc.constant(new Date(NOW).toISOString()),
  changedAt: fc.constant(new Date(NOW).toISOString()),
  driftSince: anyIso,
  claim: fc.option(anyClaim),
  optedOutAt: anyIso,
});
const anyCondition: fc.Arbitrary<Condition> = fc.oneof(
  anyConditionAlone,
  fc.tuple(anyConditionAlone, anyGoverning).map(([condition, ruleModeSource]) => ({ ...condition, ruleModeSource })),
);

export const anyRecord: fc.Arbitrary<AccountRecord | null> = fc.option(
  fc.record({
    accountId: fc.constant(MEMBER.id),
    head: fc.constant({ seq: 1, hash: 'a'.repeat(64) }),
    present: fc.boolean(),
    conditions: fc.record(byKind(() => fc.option(anyCondition))),
  }),
);
