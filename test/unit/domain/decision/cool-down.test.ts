import { describe, expect, it } from 'vitest';
import { coolDownEnd } from '../../../../shared/domain/decision/cool-down.ts';
import type { Condition } from '../../../../shared/domain/enrollment/condition.ts';
import type { Observation } from '../../../../shared/domain/enrollment/model.ts';
import { condition, DAY, HOUR, iso, NOW, seen, unknown } from '../../../support/domain-kit.ts';

const COOL_DOWN_MS = DAY;
const LATELY = NOW - HOUR;

interface Case {
  readonly automation?: ReturnType<typeof seen>;
  readonly known?: Condition | null;
  readonly computeOptimizer?: Observation;
  readonly knownComputeOptimizer?: Condition | null;
  readonly until: number | null;
}

describe('a cool-down', () => {
  const cases: Readonly<Record<string, Case>> = {
    'AWS moved an Inactive Automation while the account was in Compute Optimizer': { until: LATELY + COOL_DOWN_MS },
    'our own ledger has the opt-out, whatever AWS says': {
      automation: seen('Inactive', { lastUpdated: null }),
      known: condition({ optedOutAt: iso(NOW - 2 * HOUR) }),
      until: NOW - 2 * HOUR + COOL_DOWN_MS,
    },
    'an account that has just joined: Compute Optimizer came with or after that timestamp': {
      computeOptimizer: seen('Active', { lastUpdated: LATELY }),
      until: null,
    },
    'Compute Optimizer ended, took Automation along, and came back': {
      computeOptimizer: seen('Active', { lastUpdated: NOW - 60_000 }),
      until: null,
    },
    'a listing does not tell when Compute Optimizer came, but it was seen': {
      computeOptimizer: seen('Active', { lastUpdated: null }),
      knownComputeOptimizer: condition({ status: 'Active', lastUpdated: iso(LATELY) }),
      until: null,
    },
    'what was remembered of Compute Optimizer when it was off proves nothing': {
      computeOptimizer: seen('Active', { lastUpdated: null }),
      knownComputeOptimizer: condition({ status: 'Inactive', lastUpdated: iso(NOW) }),
      until: LATELY + COOL_DOWN_MS,
    },
    'nothing is known of Compute Optimizer': { computeOptimizer: unknown('denied'), until: LATELY + COOL_DOWN_MS },
    'never enrolled: there is no timestamp': { automation: seen('Inactive', { lastUpdated: null }), until: null },
    'Active is not cooling down, even if we once opted it out': {
      automation: seen('Active', { lastUpdated: LATELY }),
      known: condition({ optedOutAt: iso(LATELY) }),
      until: null,
    },
    'our own opt-out counts although Compute Optimizer was enrolled later': {
      known: condition({ optedOutAt: iso(LATELY) }),
      computeOptimizer: seen('Active', { lastUpdated: NOW }),
      until: LATELY + COOL_DOWN_MS,
    },
  };
  it.each(Object.entries(cases))('%s', (_, { until, ...given }) => {
    const { automation = seen('Inactive', { lastUpdated: LATELY }), known = null } = given;
    const { computeOptimizer = seen('Active', { lastUpdated: NOW - 30 * DAY }), knownComputeOptimizer = null } = given;
    const prerequisites = [{ observation: computeOptimizer, condition: knownComputeOptimizer }];
    expect(coolDownEnd(COOL_DOWN_MS, automation, known, prerequisites)).toBe(until);
  });
});
