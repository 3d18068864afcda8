import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Style } from '../../../services/cli/ui/output.ts';
import { callLines } from '../../../services/cli/ui/plan-calls.ts';
import { configurationsText } from '../../../services/cli/ui/plan-configurations.ts';
import { planCsv } from '../../../services/cli/ui/plan-csv.ts';
import type { ShownPlan } from '../../../services/cli/ui/plan-shape.ts';
import { planText } from '../../../services/cli/ui/plan-text.ts';
import { changesText } from '../../../services/cli/ui/words.ts';
import { changesText as dashboardText } from '../../../services/dashboard/browser/words.ts';
import { byKind } from '../../../shared/domain/enrollment/kinds/index.ts';
import { change, id } from '../../support/changes.ts';
import { compiled, withDefaults } from '../../unit/domain/policy/support.ts';

const plain: Style = (_format, text) => text;

/** A plan with these changes. */
function shown(over: Partial<ShownPlan>): ShownPlan {
  const { due = [], followUps = [] } = over;
  return {
    ...{ organizationId: 'o-1', policyHash: 'p'.repeat(64), planHash: 'abcdef012345'.padEnd(64, '0') },
    coverage: { listed: 0, evaluated: 118, unknown: 0, notApplicable: 2 },
    ...{ accountsInScope: 118, summary: byKind(() => ({})), due, followUps, changes: [...due, ...followUps] },
    totals: {
      now: due.length,
      followUps: followUps.length,
      optOuts: due.filter((each) => each.optOut).length,
      calls: 0,
    },
    ...{ trip: null, approval: null, gate: null, configurations: null, asked: [], calls: [], orgWide: {} },
    ...{ trustedAccess: true, broken: [], deniedRoles: [], policy: compiled(withDefaults('')), file: 'rollcall.yaml' },
    ...{ program: 'rollcall', policyFlag: '', halted: null, savedAs: null },
    ...over,
  };
}

const NOW = Date.UTC(2026, 11, 8, 9, 30);
const options = { style: plain, width: 80, layoutWidth: 80, list: false, now: NOW };
const tenThousand = Array.from({ length: 10_000 }, (_, at) =>
  change({ accountId: id(at), accountName: `account-${at}`, ou: `/${String(at % 40).padStart(2, '0')}` }),
);

describe('a plan of ten thousand changes', () => {
  test('is grouped by OU, with the rest in one row', () => {
    const lines = planText(shown({ due: tenThousand }), options);
    expect(lines.slice(1, 6)).toEqual([
      '',
      '+ Enable (Inactive → Active)',
      'OU               ACCOUNTS  COMPUTE OPTIMIZER',
      '/00                   250                250',
      '/01                   250                250',
    ]);
    expect(lines.slice(-4)).toEqual([
      'and 25 more OUs     6,250              6,250',
      'Total              10,000             10,000',
      '',
      '10,000 changes to 10,000 accounts; 0 opt-outs.',
    ]);
    expect(planText(shown({ due: tenThousand }), { ...options, list: true }).length).toBeGreaterThan(10_000);
  });

  test('lists opt-outs first, and never groups them', () => {
    const out = tenThousand
      .slice(0, 30)
      .map((each) => ({ ...each, observed: 'Active' as const, desired: 'Inactive' as const, optOut: true }));
    const lines = planText(shown({ due: [...tenThousand.slice(30, 90), ...out] }), options);
    expect(lines[2]).toBe('- Compute Optimizer: Active → Inactive (deletes recommendations and metrics)');
    expect(lines[3]).toMatch(/^ {4}\d{12} {2}account-0 +\/00$/);
    expect(lines[33]).toBe('+ Enable (Inactive → Active)');
    expect(lines.at(-1)).toBe('90 changes to 90 accounts; 30 opt-outs.');
  });
});

describe('a small plan', () => {
  const dev = { accountId: '257698251120', accountName: 'dev-checkout-003', ou: '/Workloads/Dev' };
  const follow = { enrollment: 'automation', verdict: 'Blocked', status: 'Waiting', reason: 'prerequisite' } as const;
  const update = 'UpdateEnrollmentConfiguration' as const;

  test('lists each account, the follow-ups, and what is not in it', () => {
    const test001 = { accountId: '370409564347', accountName: 'test-finance-001', ou: '/Workloads/Test' };
    const prod = { accountId: '361462655942', accountName: 'prod-search-003', ou: '/Workloads/Prod' };
    const growth = { accountId: '117116528772', accountName: 'sandbox-growth-001', ou: '/Sandbox' };
    const security = { accountId: '190816439781', accountName: 'security-edge-001', ou: '/Security' };
    const due = [change(dev), change(test001), change({ ...prod, enrollment: 'automation', action: update })];
    const followUps = [dev, test001].map((each) => change({ ...each, ...follow, action: update }));
    const blocked = { verdict: 'Blocked', status: 'Needs attention', action: 'none' } as const;
    const rest = [
      change({
        ...growth,
        ...blocked,
        enrollment: 'automation',
        status: 'Waiting',
        reason: 'coolDown',
        notBefore: '2026-12-09T06:12:00.000Z',
      }),
      change({ ...security, ...blocked, reason: 'contested' }),
      change({ ...security, ...blocked, enrollment: 'automation', reason: 'prerequisite' }),
    ];
    expect(planText(shown({ due, followUps, changes: [...due, ...followUps, ...rest] }), options)).toEqual([
      'o-1 · rollcall.yaml · status known for 118 of 118 active accounts',
      '',
      '+ Compute Optimizer: Inactive → Active',
      '    257698251120  dev-checkout-003    /Workloads/Dev',
      '    370409564347  test-finance-001    /Workloads/Test',
      '+ Automation: Inactive → Active',
      '    361462655942  prod-search-003     /Workloads/Prod',
      '    257698251120  dev-checkout-003    /Workloads/Dev   after Compute Optimizer',
      '    370409564347  test-finance-001    /Workloads/Test  after Compute Optimizer',
      '',
      'Not in this plan: 3 drifts (rollcall account ID explains each)',
      '  Waiting',
      '    117116528772  sandbox-growth-001  Automation: cool-down until',
      '                                      2026-12-09 06:12 UTC (in 20h 42m)',
      '  Needs attention',
      '    190816439781  security-edge-001   Compute Optimizer: contested',
      '                                      Automation: needs Compute Optimizer first',
      '5 changes to 3 accounts: 3 now, 2 after Compute Optimizer; 0 opt-outs.',
    ]);
    expect(planText(shown({ changes: rest }), options).at(-1)).toBe(
      'No changes now. 3 drifts are not in this plan: 1 waiting, 2 need attention.',
    );
  });

  test('from 120 columns each account has its rule and operation', () => {
    const lines = planText(shown({ due: [change(dev)] }), { ...options, width: 120, layoutWidth: 120 });
    expect(lines[3]).toBe('    257698251120  dev-checkout-003  /Workloads/Dev  defaults  UpdateEnrollmentStatus');
  });

  test('names the policy in the commands that save and apply the plan', () => {
    const limit = { accounts: 30, within24Hours: 30, allowed: 23, inScope: 118 };
    const trip = { reason: 'maxChanges', message: 'too many', limit } as const;
    const commands = (policyFlag: string): string[] =>
      planText(shown({ due: [change(dev)], trip, policyFlag }), options).filter((line) => /^ {4}rollcall/.test(line));
    expect(commands('')).toEqual([
      '    rollcall plan --out plan.json     save it, then',
      '    rollcall apply --plan plan.json   make exactly these changes past maxChanges',
    ]);
    expect(commands(' --policy new.yaml')).toEqual([
      '    rollcall plan --policy new.yaml --out plan.json     save it, then',
      '    rollcall apply --policy new.yaml --plan plan.json   make exactly these changes past maxChanges',
    ]);
  });

  test('shows rule modes, drift that is only reported, and that nothing differs', () => {
    const mode = {
      enrollment: 'automation',
      observed: 'Active',
      observedRuleMode: 'NoneAllowed',
      desiredRuleMode: 'AnyAllowed',
    } as const;
    const reported = change({ ...dev, action: 'none', reason: 'alertOnly' });
    const lines = planText(shown({ due: [change({ ...dev, ...mode })] }), options);
    expect(lines[2]).toBe('~ Organization rules: NoneAllowed → AnyAllowed');
    expect(planText(shown({ changes: [reported] }), options).slice(2)).toEqual([
      'Reported only (mode: alert): 1 drift',
      '  + Compute Optimizer: Inactive → Active',
      '    257698251120  dev-checkout-003  /Workloads/Dev',
      '',
      'No changes now. 1 drift reported only (mode: alert).',
    ]);
    expect(planText(shown({}), options)).toEqual(['No changes. All managed accounts (118) comply with the policy.']);
  });

  test('says that changes are halted', () => {
    const halted = { at: '2026-12-08T09:12:00.000Z', by: 'user:ops', reason: 'checking invoice' };
    const text = planText(shown({ due: [change(dev)], halted }), options).join('\n');
    expect(text).toContain('! Changes are halted by user/ops at 2026-12-08 09:12 UTC: "checking invoice".');
  });
});

test('csv has a line for each drift, with codes and ISO times', () => {
  const now = change({ accountName: 'a, b' });
  const waiting = { verdict: 'Blocked', status: 'Waiting', action: 'none' } as const;
  const heldAction = 'UpdateEnrollmentConfiguration';
  const held = change({ ...waiting, enrollment: 'automation', reason: 'prerequisite', heldAction });
  const notBefore = '2026-12-09T06:12:00.000Z';
  const cooling = change({ ...waiting, accountId: id(1), reason: 'coolDown', notBefore });
  const followUp = change({ ...held, action: heldAction, heldAction: 'none' });
  expect(planCsv({ changes: [now, held, cooling], due: [now], followUps: [followUp] })).toEqual([
    'accountId,accountName,ou,enrollment,status,observed,desired,rule,reason,action,when,notBefore',
    `${id(0)},"a, b",/Workloads,computeOptimizer,Drifted,Inactive,Active,defaults,statusDiffers,UpdateEnrollmentStatus,now,`,
    `${id(0)},payments,/Workloads,automation,Waiting,Inactive,Active,defaults,prerequisite,UpdateEnrollmentConfiguration,followUp,`,
    `${id(1)},payments,/Workloads,computeOptimizer,Waiting,Inactive,Active,defaults,coolDown,none,,2026-12-09T06:12:00.000Z`,
  ]);
});

test('the calls of a plan name kind, operation and scope', () => {
  const call = {
    enrollment: 'automation',
    operation: 'AssociateAccounts',
    scope: 'batch',
    accounts: 101,
    calls: 3,
  } as const;
  expect(callLines([call])).toEqual(['AssociateAccounts (Automation): 3 calls for 101 accounts, up to 50 in a call']);
});

test('the calls for configurations are shown in the order of the OU tree', () => {
  const targets = ['111122223333', '/A B', '/A/C', '/', '/A'];
  const calls = targets.map((target) => ({
    ...{ target, targetId: target, ruleMode: 'AnyAllowed' as const, owner: 'none' as const, needsApproval: false },
    ...{
      operation: 'PutOrganizationEnrollmentConfiguration' as const,
      replaces: null,
      accounts: 1,
      optOuts: 0,
      joiners: null,
    },
  }));
  const configurations = { calls, notCovered: [], kept: [], callsSaved: 0 };
  const lines = configurationsText({ configurations, approval: null, trip: null }, { style: plain, width: null });
  const shown = lines.flatMap((line) => /^( *\S.*?) {2,}AnyAllowed/.exec(line)?.[1] ?? []);
  expect(shown).toEqual(['/', '  /A', '    /A/C', '  /A B', '111122223333']);
});

test('says which calls for configurations need an approval, and why a deletion without changes is planned', () => {
  const call = {
    ...{ target: '/Sandbox', targetId: 'ou-1', ruleMode: null, owner: 'other' as const, needsApproval: true },
    ...{ operation: 'DeleteOrganizationEnrollmentConfiguration' as const, replaces: 'NoneAllowed' as const },
    ...{ accounts: 0, optOuts: 0, joiners: null },
  };
  const text = configurationsText(
    { configurations: { calls: [call], notCovered: [], kept: [], callsSaved: 0 }, approval: null, trip: null },
    { style: plain, width: null },
  ).join('\n');
  expect(text).toContain('Organization enrollment configurations: 0 calls now, 1 needs approval.');
  expect(text).toContain(
    'somebody else set the configuration of /Sandbox (ou-1) to NoneAllowed. Rollcall would delete it.',
  );
  expect(text).toContain('apply waits up to five minutes for each level of the OU tree');
  expect(text).toContain('AWS refuses to disable Automation where a configuration applies.');
  expect(text).toContain(
    'Next: rollcall apply makes the other changes, if any, and shows the command that approves the plan.',
  );
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
