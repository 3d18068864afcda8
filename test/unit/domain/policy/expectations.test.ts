import { describe, expect, it } from 'vitest';
import { tryExpectations } from '../../../../shared/domain/policy/expectations/expect.ts';
import {
  expectationsJsonSchema,
  parseExpectations,
} from '../../../../shared/domain/policy/expectations/expectations.ts';
import type { Finding } from '../../../../shared/domain/policy/index.ts';
import { compiled, NOW } from './support.ts';

const POLICY = compiled(`version: 1
defaults: { computeOptimizer: Active }
rules:
  - { id: dev, match: { ou: /Dev }, automation: Active, mode: alert }
  - { id: tagged, match: { tags: { env: [a, b] } }, computeOptimizer: Inactive }
exemptions:
  - { accounts: ["123456789012"], enrollment: automation, until: 2027-01-31, reason: freeze, owner: me }
rollout: { canary: { match: { ou: /Canary }, wait: 30m } }
`);

const one = (expect: string, account = '{ ou: /Dev }', more = '') =>
  `version: 1\nexpectations:\n  - name: n\n    account: ${account}\n${more}    expect: ${expect}\n`;

function tried(text: string, now = NOW) {
  const result = parseExpectations(text, 'e.yaml', POLICY.policy);
  if (!result.ok) expect.fail(JSON.stringify(result.findings, null, 2));
  return tryExpectations(POLICY, result.expectations, now);
}

function refused(text: string | Uint8Array): readonly Finding[] {
  const result = parseExpectations(text, 'e.yaml', POLICY.policy);
  if (result.ok) expect.fail('these expectations were accepted');
  return result.findings;
}

describe('expectations', () => {
  it.each([
    ['a value', '{ automation: Active }'],
    ['a value and its rule', '{ automation: { value: Active, rule: dev } }'],
    ['what the defaults decide', '{ computeOptimizer: { value: Active, rule: defaults } }'],
    [
      'everything together',
      '{ computeOptimizer: Active, automation: Active, organizationRules: unmanaged, mode: alert, exempt: none, canary: false, contradiction: false }',
    ],
  ])('are met: %s', (_what, expected) => {
    expect(tried(one(expected)).results).toEqual([{ name: 'n', passed: true, line: 3, column: 5, mismatches: [] }]);
  });

  it.each([
    ['{ automation: Inactive }', 'automation', 'Inactive', 'Active (dev)'],
    ['{ automation: { value: Active, rule: tagged } }', 'automation', 'Active (tagged)', 'Active (dev)'],
    ['{ mode: enforce }', 'mode', 'enforce', 'alert (dev)'],
    ['{ exempt: both }', 'exempt', 'both', 'none'],
    ['{ canary: true }', 'canary', 'true', 'false'],
    ['{ contradiction: true }', 'contradiction', 'true', 'false'],
  ])('%s is not met, and says what was found and where it stands', (expected, field, wanted, found) => {
    const [outcome] = tried(one(expected)).results;
    expect(outcome).toMatchObject({ passed: false, mismatches: [{ field, expected: wanted, found, line: 5 }] });
  });

  it('describe an unexpected contradiction in words', () => {
    const [outcome] = tried(one('{ contradiction: false }', '{ ou: /Dev, tags: { env: a } }')).results;
    expect(outcome?.mismatches[0]).toMatchObject({
      expected: 'false',
      found: expect.stringMatching(/^true: automation: Active \(dev\) needs/),
    });
  });

  it('evaluate exemptions on their day, by default today', () => {
    const on = (at: string, expected: string) =>
      tried(one(`{ exempt: ${expected} }`, '{ id: "123456789012" }', at === '' ? '' : `    at: ${at}\n`));
    for (const [at, expected] of [
      ['2027-01-31', 'automation'],
      ['2027-02-01', 'none'],
      ['', 'automation'],
    ] as const) {
      expect(on(at, expected).results[0]?.passed).toBe(true);
    }
    expect(tried(one('{ exempt: none }', '{ id: "123456789012" }'), Date.UTC(2028, 0)).results[0]?.passed).toBe(true);
  });

  it('list the rules that decide none of them', () => {
    expect(tried(one('{ mode: alert }')).untestedRules).toEqual(['tagged']);
    expect(tried(one('{ canary: true }', '{ ou: /Canary }')).untestedRules).toEqual(['dev', 'tagged']);
  });

  // biome-ignore format: a table, one case a line
  it.each([
    ['an empty file', '', '1:1 ', /file is empty/, /at least one expectation/],
    ['no expectations', 'version: 1\n', '1:1 expectations', /`expectations` is missing/, /a list of expectations/],
    ['zero expectations', 'version: 1\nexpectations: []\n', '2:15 expectations', /wrong value/, /at least one expectation/],
    ['an expectation of nothing', one('{}'), '5:13 expectations[0].expect', /wrong value/, /at least one thing/],
    ['no version', 'expectations:\n  - { name: n, account: {}, expect: { mode: alert } }\n', '1:1 version', /missing/, /^1$/],
    ['a misspelt field', one('{ automatoin: Active }'), '5:15 expectations[0].expect.automatoin', /unknown key/, /one of computeOptimizer/],
    ['a misspelt value', one('{ automation: Actve }'), '5:27 expectations[0].expect.automation', /wrong value/, /Active \| Inactive/],
    ['a value of another field', one('{ mode: Active }'), '5:21 expectations[0].expect.mode', /wrong value/, /enforce \| alert \| off/],
    ['a rule that is not there', one('{ mode: { value: alert, rule: dve } }'), '5:43 expectations[0].expect.mode.rule', /no rule `dve`/, /the id of a rule/],
    ['a rule without a value', one('{ mode: { rule: dev } }'), '5:21 expectations[0].expect.mode.value', /missing/, /enforce \| alert/],
    ['an unquoted account id', one('{ mode: alert }', '{ id: 123456789012 }'), '4:20 expectations[0].account.id', /wrong value/, /12 digits in quotes/],
    ['an OU without a slash', one('{ mode: alert }', '{ ou: Dev }'), '4:20 expectations[0].account.ou', /wrong value/, /path of an OU/],
    ['an unknown attribute', one('{ mode: alert }', '{ email: a@b }'), '4:16 expectations[0].account.email', /unknown key/, /one of id, name, ou, tags/],
    ['a day that does not exist', one('{ exempt: none }', '{ ou: / }', '    at: 2027-02-30\n'), '5:9 expectations[0].at', /wrong value/, /a date/],
    ['a duplicate key', `${one('{ mode: alert }')}    expect: { mode: off }\n`, '6:5 expectations[0].expect', /written twice/, /line 5/],
    ['a number for canary', one('{ canary: 1 }'), '5:23 expectations[0].expect.canary', /wrong value/, /true \| false/],
  ] as const)('%s is refused with its place', (_what, text, at, message, expected) => {
    const [finding, ...others] = refused(text);
    expect(others).toEqual([]);
    expect(finding && `${finding.line}:${finding.column} ${finding.path}`).toBe(at);
    expect(finding?.message).toMatch(message);
    expect(finding?.expected).toMatch(expected);
    expect(finding?.hint).not.toBe('');
  });

  it('must have unique names', () => {
    const twice = one('{ mode: alert }') + one('{ mode: alert }').split('\n').slice(2).join('\n');
    expect(refused(twice)).toMatchObject([
      { path: 'expectations[1].name', line: 6, message: 'two expectations are called `n`' },
    ]);
  });

  it('have a JSON Schema', () => {
    expect(expectationsJsonSchema()).toMatchObject({ type: 'object', required: ['version', 'expectations'] });
  });
});
