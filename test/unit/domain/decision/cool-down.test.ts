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
    'Automation became Inactive while Compute Optimizer was Active': { until: LATELY + COOL_DOWN_MS },
    'our own ledger has the opt-out, whatever AWS says': {
      automation: seen('Inactive', { lastUpdated: null }),
      known: condition({ optedOutAt: iso(NOW - 2 * HOUR) }),
      until: NOW - 2 * HOUR + COOL_DOWN_MS,
    },
    'a new account: Compute Optimizer was enabled at that timestamp or later': {
      computeOptimizer: seen('Active', { lastUpdated: LATELY }),
      until: null,
    },
    'Compute Optimizer was disabled, which disabled Automation, and was enabled again': {
      computeOptimizer: seen('Active', { lastUpdated: NOW - 60_000 }),
      until: null,
    },
    'the listing has no timestamp for Compute Optimizer, but the record has one': {
      computeOptimizer: seen('Active', { lastUpdated: null }),
      knownComputeOptimizer: condition({ status: 'Active', lastUpdated: iso(LATELY) }),
      until: null,
    },
    'a record of an Inactive Compute Optimizer is ignored': {
      computeOptimizer: seen('Active', { lastUpdated: null }),
      knownComputeOptimizer: condition({ status: 'Inactive', lastUpdated: iso(NOW) }),
      until: LATELY + COOL_DOWN_MS,
    },
    'Compute Optimizer is unknown': { computeOptimizer: unknown('denied'), until: LATELY + COOL_DOWN_MS },
    'never enrolled: no timestamp': { automation: seen('Inactive', { lastUpdated: null }), until: null },
    'Active has no cool-down, even after an earlier opt-out': {
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
