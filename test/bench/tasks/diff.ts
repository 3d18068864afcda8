import * as z from 'zod';
import { NOT_LISTED } from '../../../shared/app/survey/observations.ts';
import { contextOf } from '../../../shared/app/survey/survey.ts';
import { assess } from '../../../shared/domain/decision/assess.ts';
import { compileControls, NO_CONTROLS } from '../../../shared/domain/decision/operator-controls.ts';
import { byKind } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Observations } from '../../../shared/domain/enrollment/mismatch.ts';
import type { Observation } from '../../../shared/domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../../shared/domain/policy/index.ts';
import { answer, elapsed, policyOf, taskInput } from '../workbench.ts';

/*
 * Assesses generated accounts repeatedly under a policy of ten rules that use every kind of selector, and reports the
 * account-enrollments per second of each round. Each round repeats the accounts up to 100,000; the first
 * one warms up the compiler and is not counted.
 */

const POLICY = `defaults: { computeOptimizer: Active, automation: unmanaged }
rules:
  - { id: frozen, match: { accounts: ['100000000007', '100000000019'] }, mode: 'off' }
  - { id: sandboxes, match: { ou: /Sandbox }, computeOptimizer: Inactive, mode: alert }
  - { id: production, match: { ou: [/Workloads/Prod, /Platform] }, automation: Active, organizationRules: AnyAllowed }
  - { id: payments, match: { ou: /Workloads/Prod/Payments, tags: { tier: [gold] } }, automation: Active }
  - { id: scratch, match: { name: 'scratch-*' }, mode: alert }
  - { id: dev, match: { ou: /Workloads/Dev, not: { tags: { env: [shared] } } }, automation: Inactive }
  - { id: test, match: { ou: /Workloads/Test, name: '*-test-?' }, automation: Inactive }
  - { id: security, match: { ou: /Security }, organizationRules: NoneAllowed }
  - { id: gold, match: { tags: { tier: [gold, silver] } }, automation: Active }
  - { id: canaries, match: { ou: /Canary }, automation: Active, organizationRules: AnyAllowed }
exemptions:
  - { accounts: ['100000000100'], until: ${new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10)}, reason: r, owner: o }
  - { accounts: ['100000000101'], until: ${new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10)}, reason: r, owner: o }
`;

const OUS = [
  ...['/Sandbox', '/Workloads/Prod', '/Workloads/Prod/Payments', '/Workloads/Prod/Retail', '/Platform/Network'],
  ...['/Workloads/Dev', '/Workloads/Test', '/Security', '/Canary', '/'],
];
const TIERS = ['gold', 'silver', 'bronze'];
const STATUSES = ['Active', 'Active', 'Active', 'Inactive', 'Pending', 'Failed'] as const;

const pick = <T>(values: readonly T[], n: number): T | undefined => values[n % values.length];

function factsOf(n: number): OrganizationAccount {
  return {
    id: String(100_000_000_000 + n),
    name: n % 17 === 0 ? `scratch-${n}` : `team${n % 40}-test-${n % 9}`,
    ou: pick(OUS, n) ?? '/',
    state: n % 50 === 0 ? 'SUSPENDED' : 'ACTIVE',
    management: n === 0,
    tags: { tier: pick(TIERS, n) ?? '', env: n % 5 === 0 ? 'shared' : 'dev' },
  };
}

function observationOf(n: number, now: number): Observation {
  if (n % 97 === 0) return { kind: 'unknown', reason: 'notListed', message: null };
  return {
    kind: 'observed',
    status: pick(STATUSES, n) ?? 'Active',
    ruleMode: n % 3 === 0 ? 'NoneAllowed' : 'AnyAllowed',
    statusReason: null,
    lastUpdated: now - (n % 1_000) * 60_000,
  };
}

const { accounts, rounds } = z.object({ accounts: z.number(), rounds: z.number() }).parse(taskInput());
const policy = policyOf(POLICY, { callsPerSecond: 10, concurrency: 8 });
const now = Date.now();
const caller = {
  accountId: '100000000000',
  arn: 'arn:aws:iam::100000000000:role/bench',
  partition: 'aws',
  organizationId: 'o-bench',
  managementAccountId: '100000000000',
  role: 'management',
} as const;
const context = contextOf(policy, caller, now, compileControls(NO_CONTROLS));
const subjects = Array.from({ length: accounts }, (_, n) => {
  const observations: Observations = {
    ...byKind(() => NOT_LISTED),
    computeOptimizer: observationOf(n, now),
    automation: observationOf(n + 1, now),
  };
  return { facts: factsOf(n), observations };
});

const passes = Math.max(1, Math.round(100_000 / accounts));
const perSecond: number[] = [];
let verdicts: Record<string, number> = {};
function judgeAll(): void {
  for (const { facts, observations } of subjects) {
    const { computeOptimizer, automation } = assess(context, facts, observations, null);
    // Every verdict is used, so that the compiler cannot remove the work.
    verdicts[computeOptimizer.verdict] = (verdicts[computeOptimizer.verdict] ?? 0) + 1;
    verdicts[automation.verdict] = (verdicts[automation.verdict] ?? 0) + 1;
  }
}

for (let round = 0; round <= rounds; round += 1) {
  verdicts = {};
  const start = performance.now();
  for (let pass = 0; pass < passes; pass += 1) judgeAll();
  if (round > 0) perSecond.push((2 * passes * accounts * 1000) / elapsed(start));
}
answer({ perSecond, verdicts });
