import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { facetOf } from '../../shared/domain/account/transition.ts';
import { assess } from '../../shared/domain/decision/assess.ts';
import { isGoverned } from '../../shared/domain/enrollment/governing-configuration.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { Observations } from '../../shared/domain/enrollment/mismatch.ts';
import type { Observation } from '../../shared/domain/enrollment/model.ts';
import type { Assessment } from '../../shared/domain/enrollment/verdict.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import { CALLER, contextOf, DAY, MANAGEMENT, MEMBER, NOW } from '../support/domain-kit.ts';
import { anyCaller, anyFacts, anyObservations, anyPolicy, anyRecord, anyTime, RULE_MODES } from './arbitraries.ts';

const RUNS = { numRuns: 1_500 };

const anything = fc.record({
  policy: anyPolicy,
  facts: anyFacts,
  caller: anyCaller,
  observations: anyObservations,
  record: anyRecord,
  now: anyTime,
  suspended: fc.boolean(),
  optOutsAllowed: fc.boolean(),
});

type Anything = typeof anything extends fc.Arbitrary<infer T> ? T : never;

function assessed(situation: Anything): Readonly<Record<EnrollmentId, Assessment>> {
  return assess(contextOf(situation), situation.facts, situation.observations, situation.record);
}

/** A property of both enrollments in any situation. */
function always(name: string, check: (assessment: Assessment, situation: Anything) => void): void {
  it(name, () => {
    fc.assert(
      fc.property(anything, (situation) => {
        const assessments = assessed(situation);
        for (const enrollment of ENROLLMENT_IDS) check(assessments[enrollment], situation);
      }),
      RUNS,
    );
  });
}

describe('the assessment of any input', () => {
  always('never throws, and what it says can be put into an entry', (assessment) => {
    expect(() => JSON.stringify(facetOf(assessment, 0))).not.toThrow();
  });

  always(
    'calls only under Drifted, in mode enforce, on an ACTIVE account that nobody suspended',
    (found, situation) => {
      if (found.action === 'none') return;
      expect(found.verdict).toBe('Drifted');
      expect(situation.policy.policy.defaults.mode).toBe('enforce');
      expect(situation.facts.state).toBe('ACTIVE');
      expect(situation.suspended).toBe(false);
    },
  );

  always('never calls while AWS says Pending, or without having seen anything', (found, { observations }) => {
    const observation = observations[found.enrollment];
    if (observation.kind === 'unknown' || observation.status === 'Pending') expect(found.action).toBe('none');
  });

  always('opts out only where the policy wants it, and never without leave', (found, { optOutsAllowed }) => {
    const losing = found.target === 'Inactive' || found.action === 'DisassociateAccounts';
    expect(found.optOut).toBe(losing);
    if (!losing) return;
    expect(optOutsAllowed).toBe(true);
    expect(found.desired.status === 'Inactive' || found.desired.ruleMode === 'NoneAllowed').toBe(true);
  });

  always('says Compliant only of what was observed as wanted', (found, { observations }) => {
    if (found.verdict !== 'Compliant') return;
    const observation = observations[found.enrollment];
    if (observation.kind !== 'observed') return expect.fail('Compliant without an observation');
    if (found.desired.status !== null) expect(observation.status).toBe(found.desired.status);
    if (found.desired.ruleMode !== null) expect(observation.ruleMode ?? 'NoneAllowed').toBe(found.desired.ruleMode);
  });

  always(
    'neither associates, disassociates nor disables an account that a configuration governs',
    (found, situation) => {
      const observation = situation.observations[found.enrollment];
      if (found.enrollment !== 'automation' || observation.kind !== 'observed' || !isGoverned(observation)) return;
      expect(['none', 'UpdateEnrollmentConfiguration']).toContain(found.action);
      expect(found.optOut).toBe(false);
      if (found.action !== 'none') expect(found.target).toBe('Active');
    },
  );

  always('enables Automation only on top of an Active Compute Optimizer', (found, { observations }) => {
    const enables = found.action === 'AssociateAccounts' || found.target === 'Active';
    if (found.enrollment !== 'automation' || found.action === 'none' || !enables) return;
    expect(observations.computeOptimizer).toMatchObject({ kind: 'observed', status: 'Active' });
  });

  always('names a deadline for whatever AWS or we have set going', (found) => {
    if (found.verdict === 'Stalled') expect(found.deadline).not.toBeNull();
    if (found.verdict === 'Converging') expect(found.deadline ?? found.notBefore).not.toBeNull();
  });
});

/** The state that AWS would report after the call, without delay. */
function effectOf({ action, target }: Assessment, before: Observation): Observation {
  if (before.kind === 'unknown') return before;
  const lastUpdated = NOW - 2 * DAY;
  switch (action) {
    case 'UpdateEnrollmentStatus':
    case 'UpdateEnrollmentConfiguration':
      return { ...before, status: target ?? 'Active', lastUpdated };
    case 'AssociateAccounts':
      return { ...before, status: 'Active', ruleMode: 'AnyAllowed', lastUpdated };
    case 'DisassociateAccounts':
      return { ...before, ruleMode: 'NoneAllowed', lastUpdated };
    case 'PutOrganizationEnrollmentConfiguration':
    case 'DeleteOrganizationEnrollmentConfiguration':
    case 'none':
      return before;
  }
}

const still = (ruleMode: (typeof RULE_MODES)[number] | null, status: 'Active' | 'Inactive' | 'Failed') =>
  ({ kind: 'observed', status, ruleMode, statusReason: null, lastUpdated: NOW - 2 * DAY }) as const;
const anyStatus = fc.constantFrom('Active' as const, 'Inactive' as const, 'Failed' as const);

/** Whether neither the desired state nor the observed state prevents remediation. */
function attainable({ policy }: CompiledPolicy, observations: Observations): boolean {
  const { mode, computeOptimizer, automation, organizationRules } = policy.defaults;
  const failed = (name: 'computeOptimizer' | 'automation'): boolean => {
    const observation = observations[name];
    return observation.kind === 'observed' && observation.status === 'Failed' && policy.defaults[name] === 'Inactive';
  };
  const needs = automation === 'Active' && computeOptimizer !== 'Active';
  const contradiction = organizationRules === 'AnyAllowed' && automation !== 'Active';
  return mode === 'enforce' && !needs && !contradiction && !failed('computeOptimizer') && !failed('automation');
}

describe('the assessment reaches a fixpoint', () => {
  it('its calls lead to Compliant within 3 steps, and then there are no more calls', () => {
    const situation = fc.record({
      policy: anyPolicy,
      facts: fc.constantFrom(MEMBER, MANAGEMENT),
      computeOptimizer: anyStatus.map((status) => still(null, status)),
      automation: fc
        .tuple(fc.option(fc.constantFrom(...RULE_MODES)), anyStatus)
        .map(([mode, status]) => still(mode, status)),
    });
    fc.assert(
      fc.property(situation, ({ policy, facts, computeOptimizer, automation }) => {
        const costOptimizationHub = computeOptimizer;
        let observations: Observations = { computeOptimizer, automation, costOptimizationHub };
        const context = contextOf({ policy, caller: CALLER, now: NOW });
        const start = observations;
        for (let step = 0; step < 3; step += 1) {
          const found = assess(context, facts, observations, null);
          observations = {
            computeOptimizer: effectOf(found.computeOptimizer, observations.computeOptimizer),
            automation: effectOf(found.automation, observations.automation),
            costOptimizationHub: effectOf(found.costOptimizationHub, observations.costOptimizationHub),
          };
        }
        const end = assess(context, facts, observations, null);
        for (const enrollment of ENROLLMENT_IDS) {
          const { action, verdict } = end[enrollment];
          expect(action).toBe('none');
          if (attainable(policy, start)) expect(['Compliant', 'Unmanaged']).toContain(verdict);
        }
      }),
      RUNS,
    );
  });
});
