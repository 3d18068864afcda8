import { type CompiledPolicy, compilePolicy, parsePolicy } from '../../shared/domain/policy/index.ts';
import { SeededRandom } from './seeded-random.ts';

/** Policy bodies of the simulated organizations. `{id}` stands for an account id. */
const BODIES = [
  'defaults: { computeOptimizer: Active }',
  'defaults: { computeOptimizer: Inactive }',
  'defaults: { computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed }',
  'defaults: { computeOptimizer: Active }\norganization: { organizationEnrollment: auto }',
  'defaults: { computeOptimizer: Active }\nrules:\n  - { id: off, match: { ou: /Sandbox }, computeOptimizer: Inactive }',
  'defaults: { computeOptimizer: Active, automation: Active }\nrules:\n  - { id: none, match: { ou: /Sandbox }, automation: Inactive, organizationRules: NoneAllowed }',
  "defaults: { computeOptimizer: Active }\nwindows:\n  - { kind: allow, cron: '0 * * * *', duration: 25m, timezone: Europe/Berlin }",
  "defaults: { computeOptimizer: Active }\nwindows:\n  - { kind: deny, cron: '30 * * * *', duration: 10m, timezone: UTC }",
  "defaults: { computeOptimizer: Active }\nrollout: { canary: { match: { accounts: ['{id}'] }, wait: 10m } }",
  "defaults: { computeOptimizer: Active, automation: Active }\nexemptions:\n  - { accounts: ['{id}'], until: 2026-11-24, reason: freeze, owner: ops@example.com }",
  'defaults: { computeOptimizer: Active, mode: alert }\nrules:\n  - { id: acts, match: { ou: /Sandbox }, mode: enforce }',
  'defaults: { computeOptimizer: Active, organizationRules: AnyAllowed, automation: Active }\nrules:\n  - { id: none, match: { ou: /Sandbox }, organizationRules: NoneAllowed }',
  'defaults: { computeOptimizer: Active }\nrules:\n  - { id: unknown, match: { not: { tags: { env: [canary, dev, management, platform, prod, sandbox, security, test] } } }, computeOptimizer: Inactive }',
] as const;

/** A reversed policy: opted-out accounts are to be enrolled again within their cool-down. */
const TURN = [
  'defaults: { computeOptimizer: Active, automation: Inactive, organizationRules: NoneAllowed }',
  'defaults: { computeOptimizer: Active, automation: Active }',
] as const;

/** The policies of histories with organization enrollment configurations, which concern Automation only. */
const AUTOMATION_BODIES = [
  ...BODIES.filter((body) => body.includes('automation')),
  ...TURN,
  'defaults: { computeOptimizer: Active, organizationRules: NoneAllowed }',
  'defaults: { computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed, mode: alert }\nrules:\n  - { id: acts, match: { ou: /Workloads }, mode: enforce }',
] as const;

/** The policies of histories in which Rollcall manages the configurations: these need both fields. */
const MANAGED_BODIES = [
  'defaults: { computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed }',
  'defaults: { computeOptimizer: Active, automation: Active, organizationRules: NoneAllowed }',
  'defaults: { computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed }\nrules:\n  - { id: none, match: { ou: /Sandbox }, organizationRules: NoneAllowed }',
  'defaults: { computeOptimizer: Active, automation: Active, organizationRules: NoneAllowed }\nrules:\n  - { id: any, match: { ou: /Workloads/Prod }, organizationRules: AnyAllowed }',
  'defaults: { computeOptimizer: Active, automation: Active, organizationRules: NoneAllowed }\nrules:\n  - { id: dev, match: { ou: /Workloads/Dev }, organizationRules: NoneAllowed }\n  - { id: any, match: { ou: [/Workloads, /Sandbox] }, organizationRules: AnyAllowed }',
  "defaults: { computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed }\nexemptions:\n  - { accounts: ['{id}'], until: 2026-11-24, reason: freeze, owner: ops@example.com }",
  "defaults: { computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed }\nwindows:\n  - { kind: allow, cron: '0 * * * *', duration: 25m, timezone: Europe/Berlin }",
  'defaults: { computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed }\nrules:\n  - { id: alert, match: { ou: /Workloads/Dev }, mode: alert }',
] as const;

const CAPS = {
  loose:
    'guardrails: { maxChanges: { percent: 100, atLeast: 1 }, maxOptOuts: { percent: 100, atLeast: 1 }, minCoverage: 0, failureTolerance: 100 }',
  tight:
    'guardrails: { maxChanges: { percent: 0, atLeast: 3 }, maxOptOuts: { percent: 0, atLeast: 1 }, minCoverage: 0 }',
  careful:
    'guardrails: { maxChanges: { percent: 100, atLeast: 1 }, maxOptOuts: { percent: 100, atLeast: 1 }, minCoverage: 90, failureTolerance: 10 }',
} as const;

/**
 * The policies of this seed, before and after an edit.
 * @param automation `organization.automationConfigurations` of policies that concern Automation; `null`: any policies
 */
export function policyTexts(
  chance: SeededRandom,
  accountId: string,
  automation: 'observe' | 'manage' | null,
): readonly [string, string] {
  const caps = CAPS[chance.of(['loose', 'loose', 'loose', 'loose', 'careful', 'careful', 'tight'] as const)];
  const choice = { manage: MANAGED_BODIES, observe: AUTOMATION_BODIES, none: BODIES }[automation ?? 'none'];
  const body = (): string => (chance.any(choice) ?? BODIES[0]).replace('{id}', accountId);
  const bodies = chance.happens(automation === 'manage' ? 0 : 0.15) ? TURN : ([body(), body()] as const);
  // At 1 call per second, a limiter that works per process is noticed.
  const rate = chance.of([1, 5, 20, 100]);
  const concurrency = chance.between(1, 4);
  const manage = automation === 'manage' ? 'organization: { automationConfigurations: manage }\n' : '';
  const text = (body: string): string =>
    `version: 1\n${caps}\nschedule: ${chance.of(['10m', '30m'])}\nlimits: { callsPerSecond: ${rate}, concurrency: ${concurrency} }\npendingDeadline: 1h\n${manage}${body}\n`;
  return [text(bodies[0]), text(bodies[1])];
}

/** The share of histories in which AWS sets the pace. */
const AUTO_SHARE = 0.3;

/** Replaces the rate by `auto` in some histories. It uses a separate random stream, so that the others stay as they were. */
export function paced(seed: number, [before, after]: readonly [string, string]): readonly [string, string] {
  const chance = new SeededRandom(Math.imul(seed, 0x2c1b3c6d) ^ 0x297a2d39);
  if (!chance.happens(AUTO_SHARE)) return [before, after];
  const auto = (text: string): string => text.replace(/callsPerSecond: \d+/, 'callsPerSecond: auto');
  return [auto(before), auto(after)];
}

export function compiled(text: string, now: number): CompiledPolicy {
  const parsed = parsePolicy(text, { file: 'policy.yaml', now });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings));
  return compilePolicy(parsed.policy);
}
