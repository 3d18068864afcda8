import { describe, expect, it } from 'vitest';
import { planConfigurations } from '../../../../shared/domain/decision/configuration-planner.ts';
import {
  type ConfigurationFacts,
  configurationTree,
  TreeChangedError,
} from '../../../../shared/domain/decision/configuration-tree.ts';
import type { Assessment } from '../../../../shared/domain/enrollment/verdict.ts';
import type { OrganizationAccount } from '../../../../shared/domain/policy/index.ts';
import { judged, MANAGEMENT, MEMBER, NOW, policyOf, seen } from '../../../support/domain-kit.ts';

const ACTIVE = 'computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed';
const UNITS = [
  { id: 'r-1', parentId: null, path: '/' },
  { id: 'ou-w', parentId: 'r-1', path: '/Workloads' },
  { id: 'ou-p', parentId: 'ou-w', path: '/Workloads/Prod' },
  { id: 'ou-s', parentId: 'r-1', path: '/Sandbox' },
];

const inOu = (ou: string, id = '333333333333'): OrganizationAccount => ({ ...MEMBER, id, ou, name: `account-${id}` });

function factsOf(
  text: string,
  members: readonly OrganizationAccount[],
  over: Partial<ConfigurationFacts> = {},
  change: Partial<Assessment> = {},
): ConfigurationFacts {
  const policy = policyOf(ACTIVE, text);
  const observations = { computeOptimizer: seen('Active'), automation: seen('Active', { ruleMode: 'NoneAllowed' }) };
  return {
    policy,
    knownIds: new Set(members.map(({ id }) => id)),
    suspensions: [],
    now: NOW,
    units: UNITS,
    accounts: members.map((account) => ({
      account,
      assessment: { ...judged({ policy, facts: account, ...observations }).automation, ...change },
    })),
    configurations: new Map(),
    ...over,
  };
}

/** The targets of the plan's calls, and the reasons why an OU cannot be covered. */
function outcome(facts: ConfigurationFacts): { calls: readonly string[]; whyNot: readonly string[] } {
  const { tree, whyNot } = configurationTree(facts);
  return {
    calls: planConfigurations(tree).calls.map((call) =>
      call.effect === 'put' ? `${call.targetId} ${call.ruleMode}` : `${call.targetId} -`,
    ),
    whyNot: [...whyNot].map(([id, why]) => `${id}: ${why}`),
  };
}

describe('the tree of configurations', () => {
  it('needs one call at the root if the policy wants the same everywhere', () => {
    expect(outcome(factsOf('', [inOu('/Workloads/Prod'), inOu('/', '444444444444')]))).toEqual({
      calls: ['r-1 AnyAllowed'],
      whyNot: [],
    });
  });

  it('covers every OU beside one that a rule takes out', () => {
    const rules = 'rules: [{ id: play, match: { ou: /Sandbox }, automation: unmanaged, organizationRules: unmanaged }]';
    expect(outcome(factsOf(rules, [inOu('/Workloads/Prod')]))).toEqual({
      calls: ['ou-w AnyAllowed'],
      whyNot: ['ou-s: accounts that join /Sandbox later: Automation is unmanaged (play)'],
    });
  });

  it('does not cover an OU in which a later account could be matched by tags', () => {
    const rules = 'rules: [{ id: dev, match: { ou: /Workloads, tags: { env: dev } }, mode: alert }]';
    const { calls, whyNot } = outcome(factsOf(rules, [inOu('/Workloads/Prod')]));
    expect(calls).toEqual(['ou-s AnyAllowed']);
    expect(whyNot).toContain('ou-w: accounts that join /Workloads later: mode alert (dev)');
  });

  it('does not cover an OU below which the policy names an OU that does not exist yet', () => {
    const rules = 'rules: [{ id: lab, match: { ou: /Sandbox/Lab }, mode: off }]';
    expect(outcome(factsOf(rules, []))).toEqual({
      calls: ['ou-w AnyAllowed'],
      whyNot: ['ou-s: accounts that join /Sandbox/Lab later: mode off (lab)'],
    });
  });

  it.each([
    ['an exempt account', { verdict: 'Exempt' as const }, 'account 333333333333 is exempt'],
    ['a suspended account', { verdict: 'Suspended' as const }, 'account 333333333333 is suspended by an operator'],
    ['an Unknown account', { verdict: 'Unknown' as const }, 'account 333333333333 is Unknown'],
    ['a contested account', { reason: 'contested' as const }, 'account 333333333333 is contested'],
    ['a canary', { reason: 'rollout' as const }, 'account 333333333333 waits for the canary accounts'],
  ])('changes nothing above %s', (_name, change, why) => {
    const found = outcome(factsOf('', [inOu('/Workloads/Prod')], {}, change));
    expect(found).toEqual({ calls: ['ou-s AnyAllowed'], whyNot: [`ou-p: ${why}`] });
    const configurations = new Map([['r-1', 'NoneAllowed' as const]]);
    const covered = outcome(factsOf('', [inOu('/Workloads/Prod')], { configurations }, change));
    expect(covered.calls).toEqual(['ou-s AnyAllowed']);
  });

  it('changes nothing where an operator has suspended an OU without accounts', () => {
    const suspensions = [{ id: '1', selector: 'ou:/Sandbox', reason: null, until: null, at: NOW, by: 'me' }];
    const { calls, whyNot } = outcome(factsOf('', [], { suspensions }));
    expect(calls).toEqual(['ou-w AnyAllowed']);
    expect(whyNot).toEqual(['ou-s: accounts that join /Sandbox later may be suspended by an operator (ou:/Sandbox)']);
  });

  it('changes nothing while an exemption names an account that is not in the organization', () => {
    const exemption = `exemptions: [{ accounts: ["999999999999"], until: 2027-01-31, reason: freeze, owner: me }]`;
    expect(outcome(factsOf(exemption, [])).calls).toEqual([]);
  });

  it.each([
    ['exempt', 'exemptions: [{ accounts: ["333333333333"], until: 2027-01-31, reason: freeze, owner: me }]', []],
    ['suspended by an operator', '', ['333333333333']],
  ])('changes nothing above an account that is %s and may be reinstated', (why, exemption, selectors) => {
    const closed = { ...inOu('/Workloads/Prod'), state: 'SUSPENDED' as const };
    const facts = { id: '1', reason: null, until: null, at: NOW, by: 'me' };
    const suspensions = selectors.map((selector) => ({ ...facts, selector }));
    const { calls, whyNot } = outcome(factsOf(exemption, [closed, inOu('/Sandbox', '444444444444')], { suspensions }));
    expect(calls).toEqual(['ou-s AnyAllowed']);
    expect(whyNot).toEqual([`ou-p: account 333333333333, which may be reinstated, is ${why}`]);
  });

  it('ignores the management account and closed accounts', () => {
    const unmanaged = 'rules: [{ id: own, match: { accounts: ["100000000000"] }, mode: off }]';
    const closed = { ...inOu('/Workloads/Prod'), state: 'SUSPENDED' as const };
    const { tree } = configurationTree(factsOf(unmanaged, [MANAGEMENT, closed]));
    expect(tree.accounts).toEqual([]);
    expect(planConfigurations(tree).calls).toEqual([{ effect: 'put', targetId: 'r-1', ruleMode: 'AnyAllowed' }]);
  });

  it.each(['Inactive', 'unmanaged'])(
    'leaves the configuration of a closed account, whose Automation is to be %s',
    (value) => {
      const rules = `rules: [{ id: prod, match: { ou: /Workloads }, automation: ${value}, organizationRules: NoneAllowed }]`;
      const closed = { ...inOu('/Workloads/Prod'), state: 'SUSPENDED' as const };
      const open = inOu('/Workloads/Prod', '444444444444');
      const configurations = new Map([closed, open].map(({ id }) => [id, 'AnyAllowed' as const]));
      const facts = factsOf(rules, [closed, open], { configurations });
      expect(outcome(facts).calls).toEqual(
        value === 'Inactive' ? ['ou-s AnyAllowed', '444444444444 -'] : ['ou-s AnyAllowed'],
      );
      expect(configurationTree(facts).kept.get(closed.id)).toBe(
        'account 333333333333 is SUSPENDED, and an account that is not active is never changed',
      );
    },
  );

  it('refuses accounts and OUs that were read at different times', () => {
    expect(() => configurationTree(factsOf('', [inOu('/New')]))).toThrow(TreeChangedError);
  });
});
