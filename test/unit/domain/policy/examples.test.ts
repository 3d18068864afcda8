import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tryExpectations } from '../../../../shared/domain/policy/expectations/expect.ts';
import { parseExpectations } from '../../../../shared/domain/policy/expectations/expectations.ts';
import { compilePolicy, formatFinding, policyHash } from '../../../../shared/domain/policy/index.ts';
import { accepted, account, findingsOf, NOW, withDefaults } from './support.ts';

const folder = new URL('../../../../examples/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const files = names.filter((name) => !name.endsWith('.test.yaml'));
const read = (name: string) => accepted(readFileSync(new URL(name, folder), 'utf8'));

describe('examples', () => {
  it('exist', () => expect(files.toSorted()).toEqual(['large.yaml', 'regulated.yaml', 'small.yaml']));

  it.each(files)('%s is accepted without a warning', (name) => expect(read(name).warnings).toEqual([]));

  it.each(files)('%s meets its expectations, which cover every rule', (name) => {
    const policy = compilePolicy(read(name).policy);
    const beside = name.replace('.yaml', '.test.yaml');
    expect(names).toContain(beside);
    const result = parseExpectations(readFileSync(new URL(beside, folder), 'utf8'), beside, policy.policy);
    if (!result.ok) expect.fail(JSON.stringify(result.findings, null, 2));
    const { results, untestedRules } = tryExpectations(policy, result.expectations, NOW);
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
    expect(untestedRules).toEqual([]);
  });

  // An example must not use sections that this version rejects.
  it.each(files)('%s only uses sections that every version supports', (name) => {
    expect(read(name).policy).toMatchObject({ rollout: null, windows: null, retentionMs: null, notify: null });
  });

  it('regulated.yaml never opts anything out of Compute Optimizer', () => {
    const { policy } = read('regulated.yaml');
    expect(policy.guardrails.maxOptOuts).toEqual({ percent: 0, atLeast: 0 });
    expect(policy.rules.map((rule) => rule.sets.computeOptimizer ?? 'Active')).not.toContain('Inactive');
    expect(compilePolicy(policy).resolve(account({ ou: '/Production/EU' })).mode).toEqual({
      value: 'enforce',
      rule: 'enforced',
    });
  });

  it('large.yaml keeps payments out of Automation', () => {
    const compiled = compilePolicy(read('large.yaml').policy);
    const automation = (tags: Record<string, string>) =>
      compiled.resolve(account({ ou: '/Workloads/Dev/A', tags })).automation.value;
    expect(automation({ system: 'payments' })).toBe('unmanaged');
    expect(automation({ system: 'web' })).toBe('Active');
  });
});

const pageOf = (page: string): string => readFileSync(new URL(`../../../../docs/${page}`, import.meta.url), 'utf8');

function yamlOf(text: string): string[] {
  return [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
}

describe('docs/how-to/policy-recipes.md', () => {
  it.each(yamlOf(pageOf('how-to/policy-recipes.md')))('shows policies that are accepted: %s', (block) => {
    const policy = block.includes('version:') ? block : withDefaults(block);
    expect(accepted(policy, { HOOK_TOKEN: 'x' }).warnings).toEqual([]);
  });
});

describe('docs/reference/policy.md', () => {
  const text = pageOf('reference/policy.md');
  const written = yamlOf(text);
  const blocks = written.filter((block) => !block.includes('expectations:'));

  it.each(blocks)('shows policies that are accepted: %s', (block) => {
    const policy = block.includes('version:') ? block : withDefaults(block);
    expect(accepted(policy, { HOOK_TOKEN: 'x', HOOK_SECRET: 'k3y' }).warnings).toEqual([]);
  });

  it('shows expectations that its rules meet', () => {
    const policy = compilePolicy(accepted(blocks.find((block) => block.includes('watch-legacy')) ?? '').policy);
    const [block = '', ...others] = written.filter((each) => each.includes('expectations:'));
    expect(others).toEqual([]);
    const result = parseExpectations(block, 'policy.test.yaml', policy.policy);
    if (!result.ok) expect.fail(JSON.stringify(result.findings, null, 2));
    expect(tryExpectations(policy, result.expectations, NOW).results.map(({ passed }) => passed)).toEqual([true, true]);
  });

  it('lists the real defaults', () => {
    const guardrails = blocks.find((block) => block.startsWith('guardrails:'));
    const pace = blocks.find((block) => block.startsWith('organization:'))?.replace(/ +externalId.*\n/, '');
    const spelt = accepted(withDefaults(`${guardrails}${pace}`)).policy;
    expect(policyHash(spelt)).toBe(policyHash(accepted(withDefaults('')).policy));
  });

  it('names the rule that really decides each field', () => {
    const rules = blocks.find((block) => block.includes('watch-legacy')) ?? '';
    const desired = compilePolicy(accepted(rules).policy).resolve(
      account({ name: 'pay-legacy', ou: '/Workloads/Prod/EU' }),
    );
    expect([desired.mode.rule, desired.automation.rule, desired.computeOptimizer.rule]).toEqual([
      'watch-legacy',
      'production',
      'defaults',
    ]);
  });

  it('shows a finding as it is printed', () => {
    const [finding] = findingsOf(
      'version: 1\n\n\n\n\n\nrules:\n  - id: a\n    match: { ou: Sandbox }\n    mode: off\n',
    );
    expect(finding && text.includes(formatFinding(finding))).toBe(true);
  });
});
