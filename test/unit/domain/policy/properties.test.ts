import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import {
  compileMatch,
  compilePolicy,
  type DesiredState,
  type Match,
  type OrganizationAccount,
  type Policy,
  parsePolicy,
  policyHash,
} from '../../../../shared/domain/policy/index.ts';
import { mayMatch, possibleValues } from '../../../../shared/domain/policy/rules/joiners.ts';
import { FIELDS } from '../../../../shared/domain/policy/types.ts';
import { NOW } from './support.ts';

const IDS = ['111111111111', '222222222222', '333333333333'];
const OUS = ['/', '/A', '/A/B', '/A/B/C', '/AB', '/C'];
const NAMES = ['', 'a', 'ab', 'a-b', 'dev-1', 'prod.dev', '😀b', 'aab'];
const GLOBS = ['*', 'a*', '*b', 'a?b', '??', '*-*', '*a*b*', 'prod.dev', '?b', 'a**b'];

const some = (values: readonly string[]) =>
  fc.oneof(fc.constantFrom(...values), fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 }));
const rawTags = fc.dictionary(fc.constantFrom('env', 'team', 'constructor'), some(['x', 'y', '']), { minKeys: 1 });

const { match: rawMatch } = fc.letrec<{ match: Record<string, unknown> }>((tie) => ({
  match: fc
    .record(
      {
        accounts: some(IDS),
        ou: some(OUS),
        name: some(GLOBS),
        tags: rawTags,
        not: fc.option(tie('match'), { nil: undefined, depthSize: 'small' }),
      },
      { requiredKeys: [] },
    )
    .map((match) => Object.fromEntries(Object.entries(match).filter(([, value]) => value !== undefined)))
    .map((match): Record<string, unknown> => (Object.keys(match).length === 0 ? { ou: '/A' } : match)),
}));

const status = fc.constantFrom('Active', 'Inactive', 'unmanaged');
const settings = {
  computeOptimizer: status,
  automation: status,
  organizationRules: fc.constantFrom('NoneAllowed', 'unmanaged', 'AnyAllowed'),
  mode: fc.constantFrom('enforce', 'alert', 'off'),
};
const rawRule = fc
  .tuple(rawMatch, fc.record(settings, { requiredKeys: [] }))
  .map(([match, sets]) => ({ match, mode: 'alert', ...consistent(sets) }));
/** Avoids contradictions within one rule, because most random policies would be rejected for them. */
function consistent<T extends { computeOptimizer?: string; automation?: string; organizationRules?: string }>(
  sets: T,
): T {
  const automation =
    sets.organizationRules === 'AnyAllowed' && sets.automation !== undefined ? 'Active' : sets.automation;
  const computeOptimizer =
    automation === 'Active' && sets.computeOptimizer === 'Inactive' ? 'Active' : sets.computeOptimizer;
  return { ...sets, ...(automation && { automation }), ...(computeOptimizer && { computeOptimizer }) };
}

const rawPolicy = fc.record({
  version: fc.constant(1),
  defaults: fc.record(settings).map(consistent),
  rules: fc.array(rawRule, { maxLength: 6 }).map((rules) => rules.map((rule, i) => ({ id: `r${i}`, ...rule }))),
});

const facts: fc.Arbitrary<OrganizationAccount> = fc.record({
  id: fc.constantFrom(...IDS),
  name: fc.constantFrom(...NAMES),
  ou: fc.constantFrom(...OUS),
  state: fc.constant('ACTIVE' as const),
  management: fc.boolean(),
  tags: fc.dictionary(fc.constantFrom('env', 'team'), fc.constantFrom('x', 'y', '')),
});

function parsed(value: unknown): Policy | null {
  // JSON is YAML, and faster to write and to read.
  const result = parsePolicy(JSON.stringify(value), { file: 'p', now: NOW });
  return result.ok ? result.policy : null;
}

/** The rules of docs/reference/policy.md, implemented literally and slowly: regular expressions, path splitting. */
function reference(policy: Policy, account: OrganizationAccount): Omit<DesiredState, 'contradiction'> {
  const glob = (text: string) =>
    new RegExp(
      `^${[...text].map((c) => (c === '*' ? '[^]*' : c === '?' ? '[^]' : c.replace(/[\\^$.|+()[\]{}]/, '\\$&'))).join('')}$`,
      'u',
    );
  const below = (top: string, path: string) => {
    const names = (p: string) => p.split('/').filter(Boolean);
    return names(top).every((name, i) => names(path)[i] === name);
  };
  const matches = (m: Match): boolean =>
    (!m.accounts || m.accounts.includes(account.id)) &&
    (!m.ou || m.ou.some((top) => below(top, account.ou))) &&
    (!m.name || m.name.some((g) => glob(g).test(account.name))) &&
    (!m.tags ||
      Object.entries(m.tags).every(
        ([k, vs]) => new Map(Object.entries(account.tags ?? {})).has(k) && vs.includes(account.tags?.[k] ?? '?'),
      )) &&
    (!m.not || !matches(m.not));
  const decide = <F extends keyof Policy['defaults']>(field: F) => {
    const rule = policy.rules.find((r) => matches(r.match) && r.sets[field] !== undefined);
    return { value: rule?.sets[field] ?? policy.defaults[field], rule: rule?.id ?? 'defaults' };
  };
  return {
    computeOptimizer: decide('computeOptimizer'),
    automation: decide('automation'),
    costOptimizationHub: decide('costOptimizationHub'),
    organizationRules: decide('organizationRules'),
    mode: decide('mode'),
  };
}

describe('resolve', () => {
  it('decides like a naive implementation of the rules', () => {
    let compared = 0;
    fc.assert(
      fc.property(rawPolicy, fc.array(facts, { minLength: 1, maxLength: 8 }), (raw, accounts) => {
        const policy = parsed(raw);
        fc.pre(policy !== null);
        const compiled = compilePolicy(policy);
        for (const account of accounts) {
          const { contradiction, ...desired } = compiled.resolve(account);
          expect(desired).toEqual(reference(policy, account));
          const { computeOptimizer: co, automation: auto, organizationRules: rules, mode } = desired;
          const clash =
            (rules.value === 'AnyAllowed' && auto.value !== 'Active') ||
            (auto.value === 'Active' && co.value === 'Inactive');
          expect(contradiction !== null).toBe(clash && mode.value !== 'off');
          if (!compiled.couldDeviate.computeOptimizer) expect([co.value, mode.value]).toEqual(['Active', 'enforce']);
          compared++;
        }
      }),
      { numRuns: 150 },
    );
    expect(compared).toBeGreaterThan(150);
  });

  it('explains what it decides', () => {
    fc.assert(
      fc.property(rawPolicy, facts, (raw, account) => {
        const policy = parsed(raw);
        fc.pre(policy !== null);
        const { desired, rules } = compilePolicy(policy).explain(account);
        for (const { id, matched, conditions, decided } of rules) {
          expect(conditions.every((condition) => condition.holds)).toBe(matched);
          for (const field of decided) expect(desired[field].rule).toBe(id);
        }
        expect(rules.flatMap((rule) => rule.decided).toSorted()).toEqual([
          'automation',
          'computeOptimizer',
          'costOptimizationHub',
          'mode',
          'organizationRules',
        ]);
      }),
    );
  });

  it('a rule reported as unreachable decides nothing for any account', () => {
    let unreachable = 0;
    fc.assert(
      fc.property(rawPolicy, fc.array(facts, { minLength: 10, maxLength: 20 }), (raw, accounts) => {
        const result = parsePolicy(JSON.stringify(raw), { file: 'p', now: NOW });
        fc.pre(result.ok);
        const dead = result.warnings.flatMap(({ path }) => /^rules\[(\d+)\](?:\.match)?$/.exec(path)?.[1] ?? []);
        const ids = dead.map((i) => result.policy.rules[Number(i)]?.id);
        unreachable += ids.length;
        const compiled = compilePolicy(result.policy);
        for (const account of accounts) {
          const { computeOptimizer, automation, organizationRules, mode } = compiled.resolve(account);
          for (const { rule } of [computeOptimizer, automation, organizationRules, mode])
            expect(ids).not.toContain(rule);
        }
      }),
      { numRuns: 150 },
    );
    expect(unreachable).toBeGreaterThan(0);
  });

  it('is fast enough to resolve a large organization for every event', () => {
    const rules = [
      ...['/Sandbox', '/Suspended', '/Workloads/Prod', '/Workloads/Test', '/Platform'].map((ou, i) => ({
        id: `ou${i}`,
        match: { ou },
        computeOptimizer: 'Inactive',
      })),
      {
        id: 'ids',
        match: { accounts: Array.from({ length: 500 }, (_, i) => String(100_000_000_000 + i)) },
        mode: 'alert',
      },
      { id: 'glob', match: { name: ['*-legacy', 'tmp-*'] }, mode: 'off' },
      { id: 'tags', match: { tags: { env: ['dev', 'test'] } }, mode: 'alert' },
      { id: 'not', match: { ou: '/Workloads', not: { name: 'x*' } }, automation: 'Active' },
      { id: 'both', match: { ou: '/Data', tags: { tier: '1' } }, automation: 'Active' },
    ];
    const policy = parsed({ version: 1, defaults: { computeOptimizer: 'Active' }, rules });
    if (policy === null) expect.fail('refused');
    const compiled = compilePolicy(policy);
    const accounts = Array.from(
      { length: 10_000 },
      (_, i): OrganizationAccount => ({
        id: String(100_000_000_000 + i),
        name: `team-${i}-service`,
        ou: ['/Workloads/Dev/Team', '/Platform/Net', '/Data/Lake', '/'][i % 4] ?? '/',
        state: 'ACTIVE',
        management: false,
        tags: { env: i % 2 === 0 ? 'prod' : 'dev' },
      }),
    );
    let active = 0;
    const started = performance.now();
    for (let round = 0; round < 10; round++) {
      for (const account of accounts) if (compiled.resolve(account).computeOptimizer.value === 'Active') active++;
    }
    const seconds = (performance.now() - started) / 1000;
    process.stdout.write(`resolve: ${(0.1 / seconds).toFixed(1)} million accounts a second, 10 rules\n`);
    expect(active).toBe(75_000);
  });
});

describe('the hash', () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, inner]) => [key, shuffled(inner)]),
    );
  };

  it('does not depend on the order of keys, on comments or on style', () => {
    fc.assert(
      fc.property(rawPolicy, (raw) => {
        const policy = parsed(raw);
        fc.pre(policy !== null);
        const commented = stringify(shuffled(raw)).replaceAll('\n', ' # remark\n');
        const other = parsePolicy(commented, { file: 'q', now: NOW });
        const flow = parsePolicy(JSON.stringify(raw), { file: 'q', now: NOW });
        if (!other.ok || !flow.ok) expect.fail('refused');
        expect(policyHash(other.policy)).toBe(policyHash(policy));
        expect(policyHash(flow.policy)).toBe(policyHash(policy));
      }),
    );
  });
});

describe('an account that may join later', () => {
  const joiner = fc
    .record({ facts, id: fc.constant('999999999999') })
    .map(({ facts: account, id }) => ({ ...account, id }));

  it('gets only settings that are possible for its OU', () => {
    let unanimous = 0;
    fc.assert(
      fc.property(rawPolicy, fc.array(joiner, { minLength: 1, maxLength: 8 }), (raw, accounts) => {
        const policy = parsed(raw);
        fc.pre(policy !== null);
        const { resolve } = compilePolicy(policy);
        for (const account of accounts) {
          const desired = resolve(account);
          for (const field of FIELDS) {
            const possible = possibleValues(policy, { ou: account.ou, knownIds: new Set(IDS) }, field);
            expect(possible).toContainEqual(desired[field]);
            if (possible.length === 1) unanimous += 1;
          }
        }
      }),
      { numRuns: 150 },
    );
    expect(unanimous).toBeGreaterThan(300);
  });

  it('is matched for certain, or not at all, by a selector of OUs', () => {
    fc.assert(
      fc.property(some(OUS), joiner, (ou, account) => {
        const match = { ou: [ou].flat() };
        const known = { ou: account.ou, knownIds: new Set<string>() };
        expect(mayMatch(match, known)).toBe(compileMatch(match).test(account) ? 'yes' : 'no');
        expect(mayMatch({ not: match }, known)).toBe(compileMatch({ not: match }).test(account) ? 'yes' : 'no');
      }),
    );
  });

  it('may have an id that the policy names and the organization does not have', () => {
    const match = { accounts: ['111111111111', '222222222222'] };
    expect(mayMatch(match, { ou: '/', knownIds: new Set(['111111111111', '222222222222']) })).toBe('no');
    expect(mayMatch(match, { ou: '/', knownIds: new Set(['111111111111']) })).toBe('maybe');
  });
});
