import { describe, expect, it } from 'vitest';
import { checkGuardrails } from '../../../../shared/app/plan/plan-guardrails.ts';
import type { Coverage } from '../../../../shared/domain/decision/guardrails.ts';
import type { Change } from '../../../../shared/domain/decision/plan.ts';
import { byKind, type EnrollmentId } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { change, id } from '../../../support/changes.ts';
import { policyOf } from '../../../support/domain-kit.ts';

const KNOWN: Coverage = { listed: 10, evaluated: 10, unknown: 0, notApplicable: 0 };
const UNREAD: Coverage = { listed: 10, evaluated: 0, unknown: 10, notApplicable: 0 };

const OPTIMIZER = change({ accountId: id(1), enrollment: 'computeOptimizer' });
const HUB = change({ accountId: id(2), enrollment: 'costOptimizationHub' });

function check(unread: readonly EnrollmentId[], ready: readonly Change[], later: readonly Change[] = [], cap = 100) {
  const { guardrails } = policyOf('computeOptimizer: Active', `guardrails: { maxChanges: { percent: ${cap} } }`).policy;
  const { due, trip } = checkGuardrails(ready, later, {
    ...{ guardrails, accountsInScope: 10, coverage: unread.length === 0 ? KNOWN : UNREAD },
    coverageByKind: byKind((kind) => (unread.includes(kind) ? UNREAD : KNOWN)),
    ...{ recent: new Map(), maxChangesLifted: false },
  });
  return { due: due.map(({ enrollment }) => enrollment), trip: trip?.reason ?? null };
}

describe('minCoverage', () => {
  it('holds up only changes of the kind that is not known well enough', () => {
    const both = [OPTIMIZER, HUB];
    expect(check([], both)).toEqual({ due: ['computeOptimizer', 'costOptimizationHub'], trip: null });
    expect(check(['costOptimizationHub'], both)).toEqual({ due: ['computeOptimizer'], trip: null });
    expect(check(['computeOptimizer'], both)).toEqual({ due: ['costOptimizationHub'], trip: null });
    expect(check(['computeOptimizer', 'costOptimizationHub'], both).trip).toBe('minCoverage');
    expect(check(['costOptimizationHub'], [HUB]).trip).toBe('minCoverage');
  });

  it('holds up the whole run if a later change needs that kind', () => {
    expect(check(['costOptimizationHub'], [OPTIMIZER], [HUB]).trip).toBe('minCoverage');
    expect(check(['costOptimizationHub'], [OPTIMIZER], [OPTIMIZER])).toEqual({ due: ['computeOptimizer'], trip: null });
  });

  it('lifts no other guardrail', () => {
    const many = Array.from({ length: 11 }, (_, n) =>
      change({ accountId: id(10 + n), enrollment: 'computeOptimizer' }),
    );
    expect(check(['costOptimizationHub'], many, [], 0).trip).toBe('maxChanges');
  });
});
