import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Style } from '../../../services/cli/ui/output.ts';
import { configurationsText } from '../../../services/cli/ui/plan-configurations.ts';
import { planText } from '../../../services/cli/ui/plan-text.ts';
import { changesText } from '../../../services/cli/ui/words.ts';
import { changesText as dashboardText } from '../../../services/dashboard/browser/words.ts';
import type { PlanDocument } from '../../../shared/app/queries/plan-document.ts';
import { fullStatuses, fullSummary } from '../../../shared/app/queries/plan-document.ts';
import type { Change } from '../../../shared/domain/decision/plan.ts';
import { byKind } from '../../../shared/domain/enrollment/kinds/index.ts';
import { change, id } from '../../support/changes.ts';

const plain: Style = (_format, text) => text;

describe('a plan of ten thousand changes', () => {
  const changeAt = (at: number): Change =>
    change({ accountId: id(at), accountName: `account-${at}`, ou: '/A', rule: at % 2 === 0 ? 'even' : 'odd' });
  const plan: PlanDocument = {
    runId: 'r',
    organizationId: 'o-1',
    policyHash: 'p'.repeat(64),
    planHash: 'h'.repeat(64),
    coverage: { listed: 0, evaluated: 10_000, unknown: 0, notApplicable: 0 },
    summary: fullSummary({ ...byKind(() => ({})), computeOptimizer: { Drifted: 10_000 } }),
    statuses: fullStatuses({ ...byKind(() => ({})), computeOptimizer: { Drifted: 10_000 } }),
    guardrail: { tripped: false, reason: null, message: null },
    approval: null,
    rollout: null,
    organizationWide: { used: false, possible: true, accounts: 10_000, note: 'it could' },
    trustedAccess: true,
    totals: { now: 9_000, followUps: 1_000, optOuts: 0, calls: 10_004 },
    calls: [
      {
        ...{ enrollment: 'computeOptimizer', operation: 'UpdateEnrollmentStatus', scope: 'member' },
        ...{ accounts: 10_000, calls: 10_000 },
      },
      { enrollment: 'automation', operation: 'AssociateAccounts', scope: 'batch', accounts: 101, calls: 3 },
      {
        ...{ enrollment: 'computeOptimizer', operation: 'UpdateEnrollmentStatus', scope: 'organization' },
        ...{ accounts: 9, calls: 1 },
      },
    ],
    broken: [],
    changes: Array.from({ length: 10_000 }, (_, at) => changeAt(at)),
  };

  test('is shown as groups, the first changes, and how to see the rest', () => {
    const lines = planText(plan, { style: plain, width: null, all: false });
    const text = lines.join('\n');
    expect(lines.length).toBeLessThan(50);
    expect(text).toMatch(
      /^ +5,000 {2}Compute Optimizer {2}Inactive → Active {3}Drifted {2}UpdateEnrollmentStatus \(member\) {2}even /m,
    );
    expect(text).toContain('… and 9,980 more: use --all, --json or --out FILE.');
    expect(text).toContain('10,000 UpdateEnrollmentStatus (one for each account)');
    expect(text).toContain('3 AssociateAccounts (101 accounts, up to 50 a call)');
    expect(text).toContain('1 UpdateEnrollmentStatus for the whole organization (9 accounts not yet Active)');
    expect(text).toContain('Organization-wide call: not used; it could.');
    expect(lines.at(-1)).toBe(
      'Plan: 10,000 changes (9,000 now, 1,000 after Compute Optimizer), 0 opt-outs, 10,004 calls',
    );
    expect(planText(plan, { style: plain, width: null, all: true }).length).toBeGreaterThan(10_000);
  });

  test('calls of two kinds with the same operation are told apart', () => {
    const member = { operation: 'UpdateEnrollmentStatus', scope: 'member', accounts: 2, calls: 2 } as const;
    const wide = { used: false, possible: true, accounts: 2, note: 'it could' };
    const lines = planText(
      {
        ...plan,
        organizationWide: wide,
        otherOrganizationWide: [{ ...wide, enrollment: 'costOptimizationHub' }],
        calls: [
          { ...member, enrollment: 'computeOptimizer' },
          { ...member, enrollment: 'costOptimizationHub' },
        ],
      },
      { style: plain, width: null, all: false },
    );
    expect(lines).toContain(
      'Calls: 2 UpdateEnrollmentStatus of Compute Optimizer (one for each account), ' +
        '2 UpdateEnrollmentStatus of Cost Optimization Hub (one for each account).',
    );
    expect(lines).toContain('Organization-wide call for Compute Optimizer: not used; it could.');
    expect(lines).toContain('Organization-wide call for Cost Optimization Hub: not used; it could.');
  });
});

test('the calls for configurations are shown in the order of the OU tree', () => {
  const targets = ['111122223333', '/A B', '/A/C', '/', '/A'];
  const calls = targets.map((target) => ({
    ...{ target, targetId: target, ruleMode: 'AnyAllowed' as const, owner: 'none' as const, needsApproval: false },
    ...{ operation: 'PutOrganizationEnrollmentConfiguration' as const, accounts: 1, optOuts: 0, joiners: null },
  }));
  const lines = configurationsText({ calls, notCovered: [], kept: [], callsSaved: 0 }, 'h', {
    style: plain,
    width: null,
  });
  const shown = lines.flatMap((line) => /^( *\S.*?) {2,}AnyAllowed/.exec(line)?.[1] ?? []);
  expect(shown).toEqual(['/', '  /A', '    /A/C', '  /A B', '111122223333']);
});

test('the dashboard describes a plan in the same words as the command line', () => {
  const each = fc.nat({ max: 499 });
  fc.assert(
    fc.property(each, each, (now, followUps) => {
      expect(dashboardText({ now, followUps })).toBe(changesText({ now, followUps }));
    }),
  );
  expect(changesText({ now: 202, followUps: 88 })).toBe('290 changes: 202 now, 88 after Compute Optimizer');
  expect(changesText({ now: 1, followUps: 0 })).toBe('1 change');
});
