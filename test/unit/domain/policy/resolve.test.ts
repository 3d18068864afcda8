import { describe, expect, it } from 'vitest';
import { TagsNotReadError } from '../../../../shared/domain/policy/index.ts';
import { accepted, account, compiled, NOW, withDefaults } from './support.ts';

const DAY = 86_400_000;

describe('rules', () => {
  const policy = compiled(`
version: 1
defaults: { computeOptimizer: Active, automation: unmanaged, mode: enforce }
rules:
  - { id: watch, match: { name: '*-legacy' }, mode: alert }
  - { id: sandbox, match: { ou: /Sandbox }, computeOptimizer: Inactive, mode: off }
  - { id: production, match: { ou: [/Workloads/Prod, /Platform] }, automation: Active, organizationRules: AnyAllowed }
  - { id: late, match: { ou: / }, automation: Inactive, mode: enforce }
`);

  it('decide each field on its own: the first matching rule that sets it', () => {
    const desired = policy.resolve(account({ ou: '/Sandbox/Team', name: 'x-legacy' }));
    expect(desired.mode).toEqual({ value: 'alert', rule: 'watch' });
    expect(desired.computeOptimizer).toEqual({ value: 'Inactive', rule: 'sandbox' });
    expect(desired.automation).toEqual({ value: 'Inactive', rule: 'late' });
    expect(desired.organizationRules).toEqual({ value: 'unmanaged', rule: 'defaults' });
  });

  it('use the defaults for fields that no rule decides', () => {
    const desired = policy.resolve(account({ ou: '/Workloads/Prod/EU' }));
    expect(desired.computeOptimizer).toEqual({ value: 'Active', rule: 'defaults' });
    expect(desired.organizationRules).toEqual({ value: 'AnyAllowed', rule: 'production' });
    expect(desired.mode).toEqual({ value: 'enforce', rule: 'late' });
    expect(desired.contradiction).toBeNull();
  });

  it('apply to the management account like to any other', () => {
    expect(policy.resolve(account({ management: true, ou: '/' })).automation.rule).toBe('late');
  });

  it('explain what each rule decided, and why', () => {
    const explanation = policy.explain(account({ ou: '/Sandbox', name: 'x-legacy' }));
    expect(explanation.rules).toEqual([
      {
        id: 'watch',
        matched: true,
        conditions: [{ condition: 'name', holds: true, why: 'the name `x-legacy` matches `*-legacy`' }],
        decided: ['mode'],
        overruled: [],
      },
      {
        id: 'sandbox',
        matched: true,
        conditions: [{ condition: 'ou', holds: true, why: '`/Sandbox` is in or below `/Sandbox`' }],
        decided: ['computeOptimizer'],
        overruled: [{ field: 'mode', by: 'watch' }],
      },
      {
        id: 'production',
        matched: false,
        conditions: [
          { condition: 'ou', holds: false, why: '`/Sandbox` is not in or below `/Workloads/Prod`, `/Platform`' },
        ],
        decided: [],
        overruled: [],
      },
      {
        id: 'late',
        matched: true,
        conditions: [{ condition: 'ou', holds: true, why: '`/Sandbox` is in or below `/`' }],
        decided: ['automation'],
        overruled: [{ field: 'mode', by: 'watch' }],
      },
      expect.objectContaining({ id: 'defaults', decided: ['costOptimizationHub', 'organizationRules'], overruled: [] }),
    ]);
  });
});

describe('missing defaults', () => {
  it('are unmanaged and enforce', () => {
    const { policy } = accepted('version: 1\nrules: [{ id: a, match: { ou: /A }, computeOptimizer: Active }]\n');
    expect(policy.defaults).toEqual({
      computeOptimizer: 'unmanaged',
      automation: 'unmanaged',
      costOptimizationHub: 'unmanaged',
      organizationRules: 'unmanaged',
      mode: 'enforce',
    });
  });
});

function matches(match: string, over: Parameters<typeof account>[0]): boolean {
  const policy = compiled(withDefaults(`rules: [{ id: a, match: ${match}, computeOptimizer: Inactive }]\n`));
  return policy.resolve(account(over)).computeOptimizer.rule === 'a';
}

describe('selectors', () => {
  it.each([
    ['/Sandbox', '/Sandbox', true],
    ['/Sandbox', '/Sandbox/A/B', true],
    ['/Sandbox', '/Sandbox2', false],
    ['/Sandbox', '/', false],
    ['/Sandbox', '/X/Sandbox', false],
    ['/sandbox', '/Sandbox', false],
    ['/', '/', true],
    ['/', '/Anything/Below', true],
    ['[/A, /B]', '/B/C', true],
    ['[/A, /B]', '/C', false],
    ['[/A, /]', '/C', true],
  ])('ou: %s on %s: %s', (ou, path, expected) => {
    expect(matches(`{ ou: ${ou} }`, { ou: path })).toBe(expected);
  });

  it.each([
    ['dev-*', 'dev-1', true],
    ['dev-*', 'dev-', true],
    ['dev-*', 'prod-dev-1', false],
    ['*', '', true],
    ['*-prod', 'pay-prod', true],
    ['*-prod', 'prod', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*ab*ab*', 'xabyab', true],
    ['*ab*ab*', 'xab', false],
    ['d?v', 'dev', true],
    ['d?v', 'dv', false],
    ['d?v', 'd😀v', true],
    ['?*', '', false],
    ['*?b', 'ab', true],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['Dev', 'dev', false],
  ])('name: %s on %s: %s', (glob, name, expected) => {
    expect(matches(`{ name: ${JSON.stringify(glob)} }`, { name })).toBe(expected);
  });

  it('are fast on globs that take a backtracking matcher exponential time', () => {
    const before = process.cpuUsage();
    expect(matches(`{ name: "${'*a'.repeat(120)}*b" }`, { name: 'a'.repeat(5000) })).toBe(false);
    // Microseconds of processor time.
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
  });

  it('compare tag values exactly; a list means any of its values', () => {
    expect(matches('{ tags: { env: [dev, test] } }', { tags: { env: 'test' } })).toBe(true);
    expect(matches('{ tags: { env: [dev, test] } }', { tags: { env: 'Test' } })).toBe(false);
    expect(matches('{ tags: { env: dev, team: a } }', { tags: { env: 'dev' } })).toBe(false);
    expect(matches('{ tags: { env: "" } }', { tags: { env: '' } })).toBe(true);
    expect(matches('{ tags: { env: "" } }', { tags: {} })).toBe(false);
    expect(matches('{ tags: { constructor: x } }', { tags: {} })).toBe(false);
  });

  it('need all conditions', () => {
    const match = '{ accounts: "111111111111", ou: /A, name: "x*" }';
    expect(matches(match, { ou: '/A', name: 'xy' })).toBe(true);
    expect(matches(match, { ou: '/B', name: 'xy' })).toBe(false);
    expect(matches(match, { ou: '/A', name: 'y' })).toBe(false);
    expect(matches(match, { ou: '/A', name: 'xy', id: '222222222222' })).toBe(false);
  });

  it('negate the whole match under `not`, at any depth', () => {
    expect(matches('{ ou: /A, not: { name: "x*", ou: /A/B } }', { ou: '/A/B', name: 'x' })).toBe(false);
    expect(matches('{ ou: /A, not: { name: "x*", ou: /A/B } }', { ou: '/A/B', name: 'y' })).toBe(true);
    expect(matches('{ not: { not: { ou: /A } } }', { ou: '/A' })).toBe(true);
    expect(matches('{ not: { tags: { env: prod } } }', { tags: {} })).toBe(true);
  });

  it('throw if tags were not read, instead of matching under `not`', () => {
    const policy = compiled(
      withDefaults('rules: [{ id: a, match: { not: { tags: { env: prod } } }, computeOptimizer: Inactive }]\n'),
    );
    expect(policy.usesTags).toBe(true);
    expect(() => policy.resolve(account({ tags: null }))).toThrow(TagsNotReadError);
    expect(() => policy.explain(account({ tags: null }))).toThrow(TagsNotReadError);
  });

  it('do not need tags if no rule does', () => {
    const policy = compiled(withDefaults('rules: [{ id: a, match: { ou: /A }, mode: off }]\n'));
    expect(policy.usesTags).toBe(false);
    expect(policy.resolve(account({ tags: null })).mode.rule).toBe('defaults');
  });
});

describe('contradictions that depend on the account', () => {
  const policy = compiled(`
version: 1
defaults: { computeOptimizer: Active }
rules:
  - { id: off, match: { ou: /Off }, mode: off }
  - { id: frozen, match: { tags: { freeze: "yes" } }, computeOptimizer: Inactive }
  - { id: auto, match: { ou: [/Auto, /Off] }, automation: Active }
  - { id: rules, match: { name: "r*" }, organizationRules: AnyAllowed }
`);

  it('Automation on an Inactive Compute Optimizer blocks Automation', () => {
    const { contradiction } = policy.resolve(account({ ou: '/Auto', tags: { freeze: 'yes' } }));
    expect(contradiction).toEqual({
      code: 'automationNeedsComputeOptimizer',
      message: 'automation: Active (auto) needs computeOptimizer: Active, but it is Inactive (frozen)',
      enrollments: ['automation'],
    });
  });

  it('AnyAllowed without Automation blocks Automation', () => {
    const { contradiction } = policy.resolve(account({ name: 'r1' }));
    expect(contradiction).toMatchObject({ code: 'rulesNeedAutomation', enrollments: ['automation'] });
    expect(contradiction?.message).toBe(
      'organizationRules: AnyAllowed (rules) needs automation: Active, but it is unmanaged (defaults)',
    );
  });

  it('do not exist if the fields are compatible or the mode is off', () => {
    expect(policy.resolve(account({ name: 'r1', ou: '/Auto' })).contradiction).toBeNull();
    expect(policy.resolve(account({ ou: '/Off', tags: { freeze: 'yes' } })).contradiction).toBeNull();
  });

  it('Automation with an unmanaged Compute Optimizer is not a contradiction', () => {
    const loose = compiled('version: 1\ndefaults: { automation: Active }\n');
    expect(loose.resolve(account()).contradiction).toBeNull();
  });
});

describe('exemptions', () => {
  const policy = compiled(
    withDefaults(`exemptions:
  - { accounts: ["111111111111", "222222222222"], enrollment: automation, until: 2026-12-01, reason: freeze, owner: a }
  - { accounts: "111111111111", until: 2026-11-30, reason: all, owner: b }
`),
  );
  const end = Date.UTC(2026, 11, 2);

  it('are in force until the end of their last day, UTC', () => {
    expect(policy.exemption('222222222222', 'automation', end - 1)).toMatchObject({ reason: 'freeze', endsAt: end });
    expect(policy.exemption('222222222222', 'automation', end)).toBeNull();
  });

  it('are for the named enrollment, or both', () => {
    expect(policy.exemption('222222222222', 'computeOptimizer', NOW)).toBeNull();
    expect(policy.exemption('111111111111', 'computeOptimizer', NOW)?.reason).toBe('all');
    expect(policy.exemption('333333333333', 'automation', NOW)).toBeNull();
  });

  it('the one that ends last counts', () => {
    expect(policy.exemption('111111111111', 'automation', NOW)?.reason).toBe('freeze');
  });

  it('are announced 7 days before they end', () => {
    expect(policy.exemption('222222222222', 'automation', NOW)?.announceAt).toBe(end - 7 * DAY);
  });

  it('may last until the same day of the next year, and until 28 February after a leap day', () => {
    const until = (date: string) =>
      withDefaults(`exemptions: [{ accounts: "111111111111", until: ${date}, reason: r, owner: o }]\n`);
    expect(accepted(until('2027-11-22')).warnings).toEqual([]);
    const leapDay = Date.UTC(2028, 1, 29, 12);
    expect(accepted(until('2029-02-28'), {}, leapDay).warnings).toEqual([]);
    expect(() => accepted(until('2029-03-01'), {}, leapDay)).toThrow(/lasts too long/);
  });
});

describe('couldDeviate', () => {
  const deviates = (rest: string) => compiled(withDefaults(rest)).couldDeviate.computeOptimizer;
  it('is false only if everything is Active and enforced', () => {
    expect(deviates('')).toBe(false);
    expect(
      deviates('rules: [{ id: a, match: { ou: /A }, automation: Active, computeOptimizer: Active, mode: enforce }]\n'),
    ).toBe(false);
  });
  it.each([
    ['a rule for Inactive', 'rules: [{ id: a, match: { ou: /A }, computeOptimizer: Inactive }]\n'],
    ['a rule for unmanaged', 'rules: [{ id: a, match: { ou: /A }, computeOptimizer: unmanaged }]\n'],
    ['a rule for alert', 'rules: [{ id: a, match: { ou: /A }, mode: alert }]\n'],
    ['an exemption', 'exemptions: [{ accounts: "111111111111", until: 2027-01-01, reason: r, owner: o }]\n'],
    ['a canary', 'rollout: { canary: { match: { ou: /C }, wait: 30m } }\n'],
  ])('is true with %s', (_, rest) => expect(deviates(rest)).toBe(true));
  it('ignores an exemption from Automation only', () => {
    expect(
      deviates(
        'exemptions: [{ accounts: "111111111111", enrollment: automation, until: 2027-01-01, reason: r, owner: o }]\n',
      ),
    ).toBe(false);
  });
  it('is true if the defaults say so', () => {
    expect(
      compiled('version: 1\ndefaults: { computeOptimizer: Active, mode: alert }\n').couldDeviate.computeOptimizer,
    ).toBe(true);
    expect(compiled('version: 1\ndefaults: { automation: Active }\n').couldDeviate.computeOptimizer).toBe(true);
  });
});

describe('canaries', () => {
  it('are the accounts that rollout.canary selects; without it, none', () => {
    const policy = compiled(withDefaults('rollout: { canary: { match: { tags: { canary: "1" } }, wait: 30m } }\n'));
    expect(policy.usesTags).toBe(true);
    expect(policy.isCanary(account({ tags: { canary: '1' } }))).toBe(true);
    expect(policy.isCanary(account())).toBe(false);
    expect(compiled(withDefaults('')).isCanary(account())).toBe(false);
  });
});
