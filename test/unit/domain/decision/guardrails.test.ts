import { describe, expect, it } from 'vitest';
import type { RecentChange } from '../../../../shared/domain/decision/changed-accounts.ts';
import { capOf, failuresTrip, type GuardrailInput, tripped } from '../../../../shared/domain/decision/guardrails.ts';
import type { Change } from '../../../../shared/domain/decision/plan.ts';
import type { Guardrails } from '../../../../shared/domain/policy/index.ts';
import { change, id } from '../../../support/changes.ts';

const GUARDRAILS: Guardrails = {
  maxChanges: { percent: 20, atLeast: 10 },
  maxOptOuts: { percent: 0, atLeast: 0 },
  minCoverage: 98,
  failureTolerance: 10,
};

const changes = (count: number, rest: Partial<Change> = {}, from = 0): Change[] =>
  Array.from({ length: count }, (_, n) => change({ accountId: id(from + n), ...rest }));

const recent = (count: number, optOut = false, from = 0): Map<string, RecentChange> =>
  new Map(Array.from({ length: count }, (_, n) => [id(from + n), { optOut, counted: true, approved: [] }]));

function trip(input: Partial<GuardrailInput>): string | null {
  const all = { listed: 100, evaluated: 100, unknown: 0, notApplicable: 0 };
  const found = tripped({
    ...{ guardrails: GUARDRAILS, accountsInScope: 100, coverage: all, changes: [], recent: new Map() },
    ...{ maxChangesLifted: false, ...input },
  });
  return found?.reason ?? null;
}

const optOut = { optOut: true, desired: 'Inactive' } as const;
const allowing = (percent: number, atLeast: number) => ({ ...GUARDRAILS, maxOptOuts: { percent, atLeast } });

describe('caps', () => {
  it.each([
    [20, 10, 0, 10],
    [20, 10, 50, 10],
    [20, 10, 54, 10],
    [20, 10, 55, 11],
    [20, 10, 59, 11],
    [0, 0, 10_000, 0],
    [0, 3, 10_000, 3],
    [100, 0, 7, 7],
    [29, 0, 100, 29],
    [58, 0, 100, 58],
    [0.1, 0, 3_000, 3],
    [1.1, 0, 1_000, 11],
    [33, 0, 10, 3],
  ])('%d %%, at least %d, of %d accounts are %d', (percent, atLeast, accounts, expected) => {
    expect(capOf({ percent, atLeast }, accounts)).toBe(expected);
  });

  it('are the percentage rounded down to whole accounts', () => {
    for (let percent = 0; percent <= 100; percent += 1) {
      for (let accounts = 0; accounts <= 1_000; accounts += 7) {
        const exact = Number((BigInt(percent) * BigInt(accounts)) / 100n);
        expect(capOf({ percent, atLeast: 0 }, accounts)).toBe(exact);
      }
    }
  });
});

describe('maxChanges', () => {
  it('allows exactly as many accounts as the cap', () => {
    expect(trip({ changes: changes(20) })).toBeNull();
    expect(trip({ changes: changes(21) })).toBe('maxChanges');
  });

  it('counts accounts, not calls', () => {
    const both = [...changes(20), ...changes(20, { enrollment: 'automation', action: 'AssociateAccounts' })];
    expect(trip({ changes: both })).toBeNull();
  });

  it('does not count changes without a call', () => {
    expect(trip({ changes: changes(50, { action: 'none', verdict: 'Blocked' }) })).toBeNull();
    expect(trip({ changes: [...changes(20), ...changes(50, { action: 'none' }, 20)] })).toBeNull();
  });

  it('counts accounts changed in the last 24 hours, each once', () => {
    expect(trip({ changes: changes(10), recent: recent(10, false, 10) })).toBeNull();
    expect(trip({ changes: changes(10), recent: recent(11, false, 10) })).toBe('maxChanges');
    expect(trip({ changes: changes(20), recent: recent(20) })).toBeNull();
  });

  it('does not count changes that an operator has approved, unless the account was changed without an approval too', () => {
    const approved = { optOut: false, counted: false, approved: ['computeOptimizer'] };
    const under = new Map([...recent(100, false, 30)].map(([id]) => [id, approved]));
    expect(trip({ changes: changes(20), recent: under })).toBeNull();
    expect(trip({ changes: changes(21), recent: under })).toBe('maxChanges');
    const both = new Map([...under, [id(30), { ...approved, counted: true }] as const]);
    expect(trip({ changes: changes(20), recent: both })).toBe('maxChanges');
  });

  it('does not trip if there is nothing to change', () => {
    expect(trip({ changes: [], recent: recent(100) })).toBeNull();
  });

  it('is the only guardrail that an approval exceeds', () => {
    expect(trip({ changes: changes(100), maxChangesLifted: true })).toBeNull();
    expect(trip({ changes: changes(1, optOut), maxChangesLifted: true })).toBe('maxOptOuts');
    const coverage = { listed: 97, evaluated: 97, unknown: 3, notApplicable: 0 };
    expect(trip({ changes: changes(1), coverage, maxChangesLifted: true })).toBe('minCoverage');
  });

  it('allows none at 0% and at least 0', () => {
    const none = { ...GUARDRAILS, maxChanges: { percent: 0, atLeast: 0 } };
    expect(trip({ changes: changes(1), guardrails: none })).toBe('maxChanges');
  });
});

describe('maxOptOuts', () => {
  it('allows no opt-out by default', () => {
    expect(trip({ changes: changes(1, optOut) })).toBe('maxOptOuts');
    expect(trip({ changes: changes(1, { ...optOut, action: 'DisassociateAccounts' }) })).toBe('maxOptOuts');
  });

  it('allows as many as its cap, including those of the last 24 hours', () => {
    expect(trip({ changes: changes(5, optOut), guardrails: allowing(5, 0) })).toBeNull();
    expect(trip({ changes: changes(6, optOut), guardrails: allowing(5, 0) })).toBe('maxOptOuts');
    expect(trip({ changes: changes(4, optOut), guardrails: allowing(5, 0), recent: recent(1, true, 50) })).toBeNull();
    expect(trip({ changes: changes(5, optOut), guardrails: allowing(5, 0), recent: recent(1, true, 50) })).toBe(
      'maxOptOuts',
    );
  });

  it('counts opt-outs that were approved with other changes', () => {
    const approved = { optOut: true, counted: false, approved: ['computeOptimizer'] };
    const under = new Map([['x', approved]]);
    expect(trip({ changes: changes(5, optOut), guardrails: allowing(5, 0), recent: under })).toBe('maxOptOuts');
  });

  it('does not count other changes, past or future', () => {
    const few = [...changes(5, optOut), ...changes(10, {}, 50)];
    expect(trip({ changes: few, guardrails: allowing(5, 0), recent: recent(3, false, 70) })).toBeNull();
  });

  it('allows opting in when the cap is used up', () => {
    expect(trip({ changes: changes(5), recent: recent(3, true, 50) })).toBeNull();
  });
});

describe('minCoverage', () => {
  const coverage = (evaluated: number, unknown: number) => ({
    listed: evaluated,
    evaluated,
    unknown,
    notApplicable: 40,
  });

  it('trips below the percentage of active accounts, but not at it', () => {
    expect(trip({ changes: changes(1), coverage: coverage(98, 2) })).toBeNull();
    expect(trip({ changes: changes(1), coverage: coverage(97, 3) })).toBe('minCoverage');
    expect(trip({ changes: changes(1), coverage: coverage(979, 21) })).toBe('minCoverage');
    expect(trip({ changes: changes(1), coverage: coverage(980, 20) })).toBeNull();
  });

  it('does not stop a run without changes or without active accounts', () => {
    expect(trip({ changes: [], coverage: coverage(0, 100) })).toBeNull();
    expect(trip({ changes: changes(1), coverage: coverage(0, 0) })).toBeNull();
  });
});

describe('failureTolerance', () => {
  it.each([
    [1, 4, null],
    [4, 4, null],
    [5, 5, 'failureTolerance'],
    [49, 5, 'failureTolerance'],
    [50, 5, null],
    [50, 6, 'failureTolerance'],
    [0, 5, 'failureTolerance'],
    [1_000, 100, null],
    [1_000, 101, 'failureTolerance'],
  ])('of %d planned, %d failed: %s', (planned, failed, expected) => {
    expect(failuresTrip(GUARDRAILS, planned, failed)?.reason ?? null).toBe(expected);
  });

  it('never stops a run at 100%', () => {
    expect(failuresTrip({ ...GUARDRAILS, failureTolerance: 100 }, 10, 10)).toBeNull();
  });
});
