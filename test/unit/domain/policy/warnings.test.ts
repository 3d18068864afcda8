import { describe, expect, it } from 'vitest';
import { policyWarnings } from '../../../../shared/domain/policy/index.ts';
import { accepted, account, compiled, NOW, withDefaults } from './support.ts';

describe('warnings that need only the file', () => {
  const warn = (rest: string) =>
    accepted(withDefaults(rest)).warnings.map((f) => `${f.line}:${f.column} ${f.path} ${f.message}`);

  it('an expired exemption', () => {
    expect(warn('exemptions:\n  - { accounts: "111111111111", until: 2026-11-21, reason: r, owner: o }\n')).toEqual([
      '4:40 exemptions[0].until this exemption has expired and has no effect',
    ]);
    expect(warn('exemptions:\n  - { accounts: "111111111111", until: 2026-11-22, reason: r, owner: o }\n')).toEqual([]);
  });

  it('overlapping exemptions', () => {
    const text = `exemptions:
  - { accounts: ["111111111111", "222222222222"], enrollment: automation, until: 2027-01-01, reason: r, owner: o }
  - { accounts: "111111111111", enrollment: computeOptimizer, until: 2027-01-01, reason: r, owner: o }
  - { accounts: ["333333333333", "222222222222"], until: 2027-01-01, reason: r, owner: o }
`;
    expect(warn(text)).toEqual([
      '6:17 exemptions[2].accounts this exemption overlaps with exemptions[0]; the one that ends last counts',
    ]);
  });

  it.each([
    ['the same match', '{ ou: /A }', '{ ou: /A }'],
    ['below a wider OU', '{ ou: [/X, /A] }', '{ ou: /A/B, name: x }'],
    ['below the whole organization', '{ ou: / }', '{ name: x }'],
    ['below every name', '{ name: "*" }', '{ tags: { a: b } }'],
    ['a name that matches a glob', '{ name: "dev-*" }', '{ name: [dev-1, dev-2] }'],
    ['fewer accounts', '{ accounts: ["111111111111", "222222222222"] }', '{ accounts: "222222222222" }'],
    ['fewer tag values', '{ tags: { e: [a, b] } }', '{ tags: { e: b, f: c } }'],
    ['a wider exclusion', '{ ou: /A, not: { ou: /A/B } }', '{ ou: /A, not: { ou: [/A/B, /A/C] } }'],
    ['apart from the exclusion', '{ not: { ou: /A } }', '{ ou: /B }'],
  ])('an unreachable rule: %s', (_, above, below) => {
    expect(
      warn(`rules:\n  - { id: a, match: ${above}, mode: alert }\n  - { id: b, match: ${below}, mode: off }\n`),
    ).toEqual(['5:5 rules[1] the rule `b` can never decide anything: `a` above it decides everything that it sets']);
  });

  it.each([
    ['a wider match', '{ ou: /A/B }', '{ ou: /A }'],
    ['another field', '{ ou: /A }', '{ ou: /A }, automation: Inactive'],
    ['a name that looks alike', '{ ou: /A }', '{ ou: /AB }'],
    ['a condition that only the upper rule has', '{ ou: /A, name: x }', '{ ou: /A }'],
    ['a wider list', '{ tags: { e: a } }', '{ tags: { e: [a, b] } }'],
    ['a glob that another glob may not cover', '{ name: "a?c" }', '{ name: "a*c" }'],
    ['an exclusion', '{ ou: /A, not: { name: x } }', '{ ou: /A }'],
  ])('no unreachable rule: %s', (_, above, below) => {
    expect(
      warn(`rules:\n  - { id: a, match: ${above}, mode: alert }\n  - { id: b, match: ${below}, mode: off }\n`),
    ).toEqual([]);
  });

  it('a rule that several rules above make unreachable together', () => {
    const rules =
      'rules:\n  - { id: a, match: { ou: /A }, mode: alert }\n  - { id: b, match: { ou: /A/B }, automation: Inactive }\n';
    expect(warn(`${rules}  - { id: c, match: { ou: /A/B/C }, mode: off, automation: unmanaged }\n`)).toEqual([
      '6:5 rules[2] the rule `c` can never decide anything: `a` and `b` above it decide everything that it sets',
    ]);
  });

  it('a rule whose `not` excludes everything it selects', () => {
    expect(warn('rules: [{ id: a, match: { ou: /A/B, not: { ou: /A } }, mode: off }]\n')[0]).toMatch(
      /^3:25 rules\[0\]\.match .*matches nothing/,
    );
  });
});

describe('warnings that need the organization', () => {
  const accounts = [account(), account({ id: '222222222222', ou: '/Sandbox', name: 'dev' })];
  const warn = (rest: string, now = NOW) => {
    const result = policyWarnings(compiled(withDefaults(rest)), accounts, now);
    if (!Array.isArray(result)) expect.fail('an error');
    return result.map((f) => `${f.line}:${f.column} ${f.severity} ${f.path} ${f.message}`);
  };

  it('none for a sound policy', () =>
    expect(warn('rules: [{ id: a, match: { ou: /Sandbox }, mode: off }]\n')).toEqual([]));

  it('a rule that matches nothing', () => {
    expect(warn('rules: [{ id: a, match: { ou: /Sand }, mode: off }]\n')).toEqual([
      '3:25 warning rules[0].match the rule `a` matches nothing',
    ]);
  });

  it('a rule that decides nothing, because other rules decide everything that it sets', () => {
    expect(
      warn(
        'rules:\n  - { id: a, match: { name: "d*" }, mode: off }\n  - { id: b, match: { ou: /Sandbox }, mode: alert }\n',
      ),
    ).toEqual(['5:5 warning rules[1] the rule `b` decides nothing: rules above it decide everything that it sets']);
  });

  it('accounts that do not exist, in rules and exemptions', () => {
    expect(
      warn(
        'rules: [{ id: a, match: { accounts: ["333333333333", "222222222222"] }, mode: off }]\nexemptions:\n  - { accounts: "444444444444", until: 2027-01-01, reason: r, owner: o }\n',
      ),
    ).toEqual([
      '5:17 warning exemptions[0].accounts the account 444444444444 is not in the organization',
      '3:38 warning rules[0].match.accounts[0] the account 333333333333 is not in the organization',
    ]);
  });

  it('an exemption that has expired since the file was read', () => {
    const rest = 'exemptions:\n  - { accounts: "222222222222", until: 2026-11-30, reason: r, owner: o }\n';
    expect(warn(rest)).toEqual([]);
    expect(warn(rest, Date.UTC(2026, 11, 1))).toEqual([
      '4:40 warning exemptions[0].until this exemption has expired and has no effect',
    ]);
  });

  it('no canary among the accounts', () => {
    expect(warn('rollout: { canary: { match: { ou: /Canary }, wait: 30m } }\n')).toEqual([
      '3:29 warning rollout.canary.match no account is a canary',
    ]);
  });

  it('contradictions, with an example account', () => {
    const result = warn(
      'rules:\n  - { id: a, match: { ou: /Sandbox }, automation: Active }\n  - { id: b, match: { name: dev }, computeOptimizer: Inactive }\n',
    );
    expect(result).toEqual([
      '4:3 warning rules contradiction: automation: Active (a) needs computeOptimizer: Active, but it is Inactive (b)',
    ]);
  });

  it('include the warnings of the file', () => {
    const rest =
      'rules:\n  - { id: a, match: { ou: /Sandbox }, mode: off }\n  - { id: b, match: { ou: /Sandbox }, mode: off }\n';
    expect(warn(rest)).toHaveLength(1);
    expect(warn(rest)[0]).toContain('can never decide');
  });

  it('are an error if no account is managed', () => {
    const nothing = compiled('version: 1\nrules: [{ id: a, match: { ou: /Nowhere }, computeOptimizer: Active }]\n');
    expect(policyWarnings(nothing, accounts, NOW)).toMatchObject({
      error: {
        severity: 'error',
        message: 'this policy matches no account',
        found: '2 ACTIVE accounts, all of them unmanaged or mode: off',
      },
    });
    expect(policyWarnings(compiled(withDefaults('')), [account({ state: 'SUSPENDED' })], NOW)).toMatchObject({
      error: { found: 'no ACTIVE account' },
    });
  });
});
