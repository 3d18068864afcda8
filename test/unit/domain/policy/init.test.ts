import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compilePolicy,
  initPolicy,
  type ObservedEnrollments,
  type OrganizationAccount,
  policyWarnings,
} from '../../../../shared/domain/policy/index.ts';
import { accepted, account, NOW } from './support.ts';

const ON: ObservedEnrollments = {
  costOptimizationHub: null,
  computeOptimizer: 'Active',
  automation: 'Inactive',
  ruleMode: null,
};
const OFF: ObservedEnrollments = {
  costOptimizationHub: null,
  computeOptimizer: 'Inactive',
  automation: 'Inactive',
  ruleMode: null,
};
const AUTO: ObservedEnrollments = {
  costOptimizationHub: null,
  computeOptimizer: 'Active',
  automation: 'Active',
  ruleMode: 'AnyAllowed',
};
const PENDING: ObservedEnrollments = {
  costOptimizationHub: null,
  computeOptimizer: 'Pending',
  automation: null,
  ruleMode: null,
};

type World = readonly (readonly [string, ObservedEnrollments | null, Partial<OrganizationAccount>?])[];

function init(world: World): string {
  const accounts = world.map(([ou, , over], i) =>
    account({ id: String(100_000_000_001 + i), name: `account-${i + 1}`, ou, ...over }),
  );
  const observed = new Map<string, ObservedEnrollments>();
  for (const [i, [, enrollments]] of world.entries()) {
    const id = accounts[i]?.id;
    if (enrollments !== null && id !== undefined) observed.set(id, enrollments);
  }
  return initPolicy({ accounts, observed, now: NOW, managementAccountId: '100000000001' });
}

describe('policy init', () => {
  it('writes the majority as defaults, a rule for an OU that differs, and single accounts by their ids', () => {
    const text = init([
      ['/', ON],
      ['/Workloads/Prod', AUTO],
      ['/Workloads/Prod/EU', AUTO],
      ['/Workloads/Prod/EU', OFF],
      ['/Workloads/Dev', ON],
      ['/Workloads/Dev', ON],
      ['/Workloads/Dev', ON],
      ['/Sandbox', OFF],
      ['/Sandbox', OFF],
      ['/Gone', OFF, { state: 'SUSPENDED' }],
    ]);
    expect(text).toBe(`# The organization as it was on 2026-11-22: 10 accounts, 9 of them ACTIVE.
# \`mode: alert\` announces drift and changes nothing. Edit what should be different, review the result with
# \`rollcall plan --policy\` and this file, then set \`mode: enforce\`.
version: 1
defaults:
  computeOptimizer: Active
  automation: Inactive
  organizationRules: unmanaged
  mode: alert
# The first matching rule that sets a field decides it.
rules:
  - id: not-enrolled
    match:
      accounts:
        - "100000000004" # \`account-4\`
    computeOptimizer: Inactive
    automation: Inactive
    organizationRules: unmanaged
  - id: workloads-prod
    match: { ou: "/Workloads/Prod" }
    computeOptimizer: Active
    automation: Active
    organizationRules: AnyAllowed
  - id: sandbox
    match: { ou: "/Sandbox" }
    computeOptimizer: Inactive
    automation: Inactive
    organizationRules: unmanaged
`);
    expect(accepted(text).warnings).toEqual([]);
  });

  it('names the organization enrollment configurations, and leaves them as they are', () => {
    const place = { ou: '/Workloads/Prod', unitIds: ['r-ab12', 'ou-ab12-11111111', 'ou-ab12-22222222'] };
    const accounts = [account({ id: '100000000002', ...place })];
    const input = {
      accounts,
      observed: new Map([['100000000002', AUTO]]),
      now: NOW,
      managementAccountId: '100000000001',
    };
    const configurations = [
      { target: { type: 'organizationalUnit', id: 'r-ab12' }, ruleMode: 'NoneAllowed' },
      { target: { type: 'organizationalUnit', id: 'ou-ab12-11111111' }, ruleMode: 'AnyAllowed' },
      { target: { type: 'organizationalUnit', id: 'ou-ab12-33333333' }, ruleMode: null },
      { target: { type: 'account', id: '100000000002' }, ruleMode: 'AnyAllowed' },
    ] as const;
    const text = initPolicy({ ...input, organization: { externalId: 'xy' }, configurations });
    expect(text).toContain(`
organization:
  externalId: "xy"
  # Organization enrollment configurations set the rule mode and keep Automation enabled, for later joiners too:
  # - "NoneAllowed on the root (r-ab12)"
  # - "AnyAllowed on OU /Workloads (ou-ab12-11111111)"
  # - "an unknown rule mode on OU ou-ab12-33333333"
  # - "AnyAllowed on account 100000000002"
  # \`observe\` changes none of them. \`manage\` would store more where that saves calls; it replaces or deletes these
  # only after \`rollcall approve\`.
  automationConfigurations: observe
defaults:
`);
    expect(accepted(text).policy.organization.automationConfigurations).toBe('observe');
    expect(initPolicy({ ...input, configurations: [] })).toBe(initPolicy(input));
    const unlisted = initPolicy({ ...input, configurations: null });
    expect(unlisted).toContain('# The organization enrollment configurations could not be listed.\n  automationC');
    expect(accepted(unlisted).warnings).toEqual([]);
  });

  it('cannot be broken by the name of an OU', () => {
    const accounts = [account({ ou: '/a\nb: c', unitIds: ['r-ab12', 'ou-ab12-11111111'] })];
    const target = { type: 'organizationalUnit', id: 'ou-ab12-11111111' } as const;
    const input = { accounts, observed: new Map(), now: NOW, managementAccountId: '100000000001' };
    const text = initPolicy({ ...input, configurations: [{ target, ruleMode: 'AnyAllowed' }] });
    expect(text).toContain('  # - "AnyAllowed on OU /a\\nb: c (ou-ab12-11111111)"\n');
    accepted(text);
  });

  it('leaves pending and unread enrollments unmanaged, and names the management account', () => {
    const text = init([
      ['/', PENDING],
      ['/', ON],
      ['/', ON],
      ['/', null],
    ]);
    expect(text).toContain('was pending, failed or could not be read in 2 of them');
    expect(text).toContain('- "100000000001" # `account-1`, the management account');
    const { policy } = accepted(text);
    expect(policy.rules).toMatchObject([
      { match: { accounts: ['100000000001', '100000000004'] }, sets: { computeOptimizer: 'unmanaged' } },
    ]);
  });

  it('quotes the given role and external id, and omits missing ones', () => {
    const given = { memberRole: 'compliance/Roll+Call', externalId: '0123' };
    const parts = { accounts: [account()], observed: new Map(), now: NOW, managementAccountId: '100000000001' };
    const text = initPolicy({ ...parts, organization: given });
    expect(text).toContain('\norganization:\n  memberRole: "compliance/Roll+Call"\n  externalId: "0123"\ndefaults:\n');
    expect(accepted(text).policy.organization).toMatchObject(given);
    const one = initPolicy({ ...parts, organization: { externalId: 'acme' } });
    expect(accepted(one).policy.organization).toMatchObject({ memberRole: 'RollcallMember', externalId: 'acme' });
    expect(initPolicy(parts)).not.toContain('organization:');
  });

  it('is a starting point if nothing could be read', () => {
    for (const world of [[], [['/', null]], [['/A', ON, { state: 'CLOSED' }]]] satisfies World[]) {
      const text = init(world);
      expect(text).toContain('No enrollment could be read');
      expect(accepted(text).policy.defaults).toMatchObject({ computeOptimizer: 'Active', mode: 'alert' });
    }
  });

  it('never contradicts itself, even if two listings do', () => {
    const impossible: ObservedEnrollments = {
      computeOptimizer: 'Inactive',
      automation: 'Active',
      costOptimizationHub: null,
      ruleMode: 'AnyAllowed',
    };
    expect(accepted(init([['/', impossible]])).policy.defaults).toMatchObject({
      computeOptimizer: 'Inactive',
      automation: 'unmanaged',
      organizationRules: 'unmanaged',
    });
  });

  it('escapes the names of accounts and OUs', () => {
    const name = 'x\nrules: []\n# \u001b[2J"';
    const text = init([
      ['/', ON],
      ['/', ON],
      ['/', ON],
      ['/"Q": [#\n', OFF],
      ['/"Q": [#\n', OFF],
      ['/', OFF, { name }],
      ['/defaults', AUTO],
      ['/defaults', AUTO],
    ]);
    const { policy, warnings } = accepted(text);
    expect(warnings).toEqual([]);
    expect(policy.rules.map((rule) => rule.id)).toEqual(['not-enrolled', 'q', 'ou-defaults']);
    expect(policy.rules[1]?.match.ou).toEqual(['/"Q": [#\n']);
  });
});

const status = fc.constantFrom('Active', 'Inactive', 'Pending', 'Failed', null);
const observation: fc.Arbitrary<ObservedEnrollments> = fc.oneof(
  { arbitrary: fc.constantFrom(ON, OFF, AUTO), weight: 4 },
  {
    arbitrary: fc.record({
      computeOptimizer: status,
      automation: status,
      costOptimizationHub: status,
      ruleMode: fc.constantFrom('AnyAllowed', 'NoneAllowed', null),
    }),
    weight: 1,
  },
);
const ouName = fc.oneof(
  { arbitrary: fc.constantFrom('A', 'B', 'Prod', 'prod'), weight: 5 },
  { arbitrary: fc.string({ unit: 'grapheme', minLength: 0, maxLength: 4 }), weight: 1 },
);
const ou = fc.array(ouName, { maxLength: 4 }).map((names) => `/${names.join('/')}`);
const world = fc.array(fc.tuple(ou, observation, fc.record({ name: fc.string({ unit: 'binary', maxLength: 8 }) })), {
  minLength: 1,
  maxLength: 40,
});

describe('what init writes', () => {
  it('is accepted without a warning, and no account drifts from it', () => {
    fc.assert(
      fc.property(world, (rows) => {
        const { policy, warnings } = accepted(init(rows));
        expect(warnings).toEqual([]);
        expect(policy.defaults.mode).toBe('alert');
        const compiled = compilePolicy(policy);
        const accounts = rows.map(([path, , over], i) =>
          account({ id: String(100_000_000_001 + i), ou: path, ...over }),
        );
        let described = 0;
        for (const [i, [, observed]] of rows.entries()) {
          const desired = compiled.resolve(accounts[i] ?? account());
          expect(desired.contradiction).toBeNull();
          const { computeOptimizer, automation, organizationRules } = desired;
          if (observed.computeOptimizer === 'Active' || observed.computeOptimizer === 'Inactive') {
            expect(computeOptimizer.value).toBe(observed.computeOptimizer);
            described++;
          }
          expect([observed.automation, 'unmanaged']).toContain(automation.value);
          expect([observed.ruleMode, 'unmanaged']).toContain(organizationRules.value);
        }
        if (described === 0) return;
        expect(policyWarnings(compiled, accounts, NOW)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('stays short if OUs are nearly uniform', () => {
    const rows: World = Array.from({ length: 2000 }, (_, i) => [`/OU${i % 20}`, i < 3 ? OFF : i % 20 < 8 ? AUTO : ON]);
    const { policy } = accepted(init(rows));
    expect(policy.rules).toHaveLength(9);
    expect(policy.rules[0]?.match.accounts).toHaveLength(3);
  });
});
