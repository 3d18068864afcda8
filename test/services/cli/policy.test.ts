import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { errorShape, explainShape, policyTestShape, validateShape } from './shapes.ts';
import { DONE, expectNoStack, expectRefusal, json, place, refused, rollcall, world } from './support.ts';

const POLICY = `version: 1
defaults: { computeOptimizer: Active }
guardrails: { maxChanges: { percent: 100, atLeast: 10 } }
rules:
  - { id: watch-legacy, match: { name: "*-legacy" }, mode: alert }
  - { id: production, match: { ou: /Prod, tags: { env: prod } }, automation: Active, mode: enforce }
exemptions:
  - { accounts: ["123456789012"], enrollment: automation, until: 2020-01-31, reason: long ago, owner: me }
`;

const expectations = (mode: string) => `version: 1
expectations:
  - name: legacy is watched
    account: { name: pay-legacy, ou: /Prod, tags: { env: prod } }
    expect: { mode: ${mode}, automation: { value: Active, rule: production } }
  - name: the rest is enforced
    account: {}
    expect: { mode: enforce }
`;

describe('policy test', () => {
  test('exits 0 if all expectations are met; otherwise exits 1 and shows expected and found values', async () => {
    const cwd = place({
      'rollcall.yaml': POLICY,
      'rollcall.test.yaml': expectations('alert'),
      'wrong.yaml': expectations('enforce'),
    });
    const [met, text, unmet, failing] = await Promise.all([
      rollcall(['policy', 'test', '--json'], { cwd }),
      rollcall(['policy', 'test', 'rollcall.yaml'], { cwd }),
      rollcall(['policy', 'test', '--expectations', 'wrong.yaml', '--json'], { cwd }),
      rollcall(['policy', 'test', '--expectations', 'wrong.yaml'], { cwd }),
    ]);
    expect(met.code).toBe(0);
    expect(policyTestShape.parse(json(met))).toMatchObject({
      ok: true,
      passed: 2,
      failed: 0,
      expectations: 'rollcall.test.yaml',
      untestedRules: [],
    });
    expect(text).toMatchObject({ code: 0, stderr: DONE });
    expect(text.stdout).toBe('✓ legacy is watched\n✓ the rest is enforced\n2 expectations met, 0 not met.\n');
    expect(unmet.code).toBe(1);
    expect(policyTestShape.parse(json(unmet)).results[0]?.mismatches).toEqual([
      { field: 'mode', expected: 'enforce', found: 'alert (watch-legacy)', line: 5, column: 21 },
    ]);
    expect(failing).toMatchObject({ code: 1, stderr: 'rollcall: exit code 1 (error)\n' });
    expect(failing.stdout).toContain(
      '✗ legacy is watched (wrong.yaml:3:5)\n    mode: expected enforce, found alert (watch-legacy) (line 5)\n',
    );
    expect(failing.stdout).toContain('1 expectation met, 1 not met.');
  });

  test('a missing file, one without expectations, and an invalid policy are errors', async () => {
    const files = {
      'rollcall.yaml': POLICY,
      'none.yaml': 'version: 1\nexpectations: []\n',
      'bad.yaml': 'version: 1\nrulez: []\n',
    };
    const cwd = place(files);
    const [missing, nothing, bad] = await Promise.all([
      rollcall(['policy', 'test'], { cwd }),
      rollcall(['policy', 'test', '--expectations', 'none.yaml'], { cwd }),
      rollcall(['policy', 'test', 'bad.yaml', '--json'], { cwd }),
    ]);
    expectRefusal(
      missing,
      cwd,
      Object.keys(files),
      'rollcall.test.yaml cannot be read (ENOENT)',
      'rollcall policy schema --expectations',
    );
    expectRefusal(nothing, cwd, Object.keys(files), 'none.yaml:2:15: error', 'at least one expectation');
    expect(errorShape.parse(json(bad)).error).toMatchObject({
      code: 'PolicyInvalid',
      findings: [{ file: 'bad.yaml', line: 2 }],
    });
  });

  test('prints the schema of expectations', async () => {
    const cwd = place();
    const schema = await rollcall(['policy', 'schema', '--expectations'], { cwd });
    expect(JSON.parse(schema.stdout)).toMatchObject({
      title: 'Rollcall policy expectations',
      required: ['version', 'expectations'],
    });
  });
});

describe('policy explain', () => {
  test('explains given attributes without AWS and without a store: every rule, and the condition that fails', async () => {
    const cwd = place({
      'rollcall.yaml': POLICY,
      'account.json': '{ "name": "pay-legacy", "ou": "/Prod/EU", "tags": { "env": "dev" } }',
    });
    const [text, document] = await Promise.all([
      rollcall(['policy', 'explain', '123456789012', '--attributes', '@account.json'], { cwd }),
      rollcall(
        ['policy', 'explain', '--json', '--attributes', '{"id":"123456789012","ou":"/Prod","tags":{"env":"prod"}}'],
        { cwd },
      ),
    ]);
    expect(text.code).toBe(0);
    expect(text.stdout).toContain('123456789012  pay-legacy  /Prod/EU  ACTIVE (as given)');
    expect(text.stdout).toMatch(
      /watch-legacy: ✓ matches, decides mode\n +✓ name: the name `pay-legacy` matches `\*-legacy`/,
    );
    expect(text.stdout).toMatch(
      /production: ✗ does not match\n +✓ ou: .*\n +✗ tags: the tag `env` is `dev`, not `prod`/,
    );
    expect(text.stdout).toContain('Expired exemption (automation) until 2020-01-31: long ago, me');
    expect(document).toMatchObject({ code: 0, stderr: '' });
    const explained = explainShape.parse(json(document));
    expect(explained).toMatchObject({
      source: 'attributes',
      snapshotAt: null,
      account: { id: '123456789012', name: '' },
    });
    expect(explained.rules.map(({ id, matched, decided }) => [id, matched, decided])).toEqual([
      ['watch-legacy', false, []],
      ['production', true, ['automation', 'mode']],
      ['defaults', true, ['computeOptimizer', 'costOptimizationHub', 'organizationRules']],
    ]);
    expect(explained.desired.automation).toEqual({ value: 'Active', rule: 'production' });
    expect(explained.expiredExemptions).toHaveLength(1);
    expect(explained.warnings).toMatchObject([{ path: 'exemptions[0].until' }]);
  });

  test('given attributes override those of the last snapshot', async () => {
    const { env, running } = await world({ drift: 0 });
    const cwd = place({ 'rollcall.yaml': POLICY });
    expect((await rollcall(['apply', '--yes'], { cwd, env })).code).toBeLessThanOrEqual(3);
    const known = running.sandbox.accounts().find(({ management }) => !management);
    const args = ['policy', 'explain', known?.accountId ?? '', '--attributes', '{"name":"x-legacy"}'];
    const [document, text] = await Promise.all([rollcall([...args, '--json'], { cwd }), rollcall(args, { cwd })]);
    const explained = explainShape.parse(json(document));
    expect(explained).toMatchObject({ source: 'attributes', account: { name: 'x-legacy', ou: known?.ou } });
    expect(explained.snapshotAt).not.toBeNull();
    expect(text.stdout).toContain('(as given; otherwise from the snapshot of ');

    // Warnings about the rules, compared with that snapshot.
    const doubtful =
      `${POLICY}  - { accounts: ["123456789012"], until: 2020-02-01, reason: again, owner: me }\n`.replace(
        'rules:\n',
        'rules:\n  - { id: nobody, match: { ou: /Nowhere }, mode: "off" }\n',
      );
    writeFileSync(join(cwd, 'rollcall.yaml'), doubtful);
    const validate = await rollcall(['policy', 'validate', '--json'], { cwd });
    expect(validate.code).toBe(0);
    const valid = validateShape.parse(json(validate));
    expect(valid.snapshotAt).toBe(explained.snapshotAt);
    expect(valid.findings.map(({ line, message }) => [line, message])).toEqual(
      expect.arrayContaining([
        [5, 'the rule `nobody` matches nothing'],
        [10, 'this exemption overlaps with exemptions[0]; the one that ends last counts'],
        [10, 'the account 123456789012 is not in the organization'],
      ]),
    );
    writeFileSync(
      join(cwd, 'rollcall.yaml'),
      'version: 1\nrules: [{ id: a, match: { ou: /Nowhere }, computeOptimizer: Active }]\n',
    );
    const none = await rollcall(['policy', 'validate'], { cwd });
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('this policy matches no account');

    // Without a store there is no comparison.
    writeFileSync(join(cwd, 'rollcall.yaml'), doubtful);
    rmSync(join(cwd, '.rollcall'), { recursive: true });
    const alone = validateShape.parse(json(await rollcall(['policy', 'validate', '--json'], { cwd })));
    expect(alone.snapshotAt).toBeNull();
    expect(alone.findings.map(({ message }) => message)).not.toContain('the rule `nobody` matches nothing');
  });

  // Root can access every directory.
  test.skipIf(process.getuid?.() === 0)('an inaccessible store is reported', async () => {
    const cwd = place({ 'rollcall.yaml': POLICY });
    mkdirSync(join(cwd, 'closed'), { mode: 0o000 });
    onTestFinished(() => chmodSync(join(cwd, 'closed'), 0o700));
    const { code, stderr } = await rollcall(['policy', 'validate', '--data-dir', 'closed/data'], { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain('warning: not compared with the last snapshot: ');
  });

  test('a rule that can never decide is reported with its position, for accounts that it matches', async () => {
    const rules =
      'rules:\n  - { id: all, match: { ou: / }, mode: alert }\n  - { id: dead, match: { ou: /Dev }, mode: "off" }\n';
    const cwd = place({ 'rollcall.yaml': `version: 1\ndefaults: { computeOptimizer: Active }\n${rules}` });
    const explain = (ou: string) => rollcall(['policy', 'explain', '--attributes', JSON.stringify({ ou })], { cwd });
    const [dev, other] = await Promise.all([explain('/Dev'), explain('/Prod')]);
    expect(dev.stderr).toContain('rollcall.yaml:5:5: warning: rules[1]: the rule dead can never decide anything');
    expect(dev.stdout).toContain('dead: ✓ matches; mode is decided by all');
    expect(other).toMatchObject({ code: 0, stderr: DONE });
    expectNoStack(dev);
  });

  test.each([
    ['neither an id nor attributes', [], 'needs an account id or name, or --attributes'],
    ['an invalid id', ['12'], '12 digits'],
    ['attributes that are not JSON', ['--attributes', '{name: x}'], '--attributes is not JSON'],
    ['attributes that are not an object', ['--attributes', '[]'], 'Expected a JSON object with any of id, name, ou'],
    ['an unknown attribute', ['--attributes', '{"email":"a@b"}'], 'email'],
    ['an invalid OU', ['--attributes', '{"ou":"Dev"}'], 'ou: the path of an OU'],
    ['a missing file', ['--attributes', '@none.json'], 'none.json cannot be read (ENOENT)'],
  ])('%s is refused in a line', async (_name, args, words) => {
    const line = await refused(['policy', 'explain', ...args]);
    expect(line).toMatch(/^error: [^\n]+$/);
    expect(line).toContain(words);
  });
});
