import type { EnrollmentId } from '../../enrollment/kinds/index.ts';
import { compileWindows, type Windows } from '../maintenance-windows.ts';
import {
  type Contradiction,
  type Decided,
  type DesiredRuleMode,
  type DesiredState,
  type DesiredStatus,
  type Exemption,
  type Explanation,
  FIELDS,
  type Mode,
  type OrganizationAccount,
  type Policy,
  type Rule,
} from '../types.ts';
import { type CompiledMatch, compileMatch, requireTags } from './match.ts';
import { policyHash } from './policy-hash.ts';

/** A policy made ready to be asked about many accounts. */
export interface CompiledPolicy {
  readonly policy: Policy;
  readonly hash: string;
  /** Whether accounts' tags must be read before anything is asked about them. */
  readonly usesTags: boolean;
  /**
   * Whether any account could ever come out as other than Compute Optimizer Active and enforced, or be held back
   * (exemption, canary). While this is true, the one organization-wide call is not used
   * (docs/decisions/0006-organization-wide-call.md).
   * Errs towards true: it does not look whether a rule can be reached or an exemption has expired.
   */
  readonly couldDeviate: boolean;
  /** Whether everything that the policy needs about the account was read. If not, nothing is decided for this account. */
  readonly canDecide: (facts: OrganizationAccount) => boolean;
  /** Top to bottom; for each field the first matching rule that sets it. Throws `TagsNotReadError`, nothing else. */
  readonly resolve: (facts: OrganizationAccount) => DesiredState;
  /** The exemption in force at `now` (epoch ms), the one that ends last if there are several. */
  readonly exemption: (accountId: string, enrollment: EnrollmentId, now: number) => Exemption | null;
  readonly isCanary: (facts: OrganizationAccount) => boolean;
  /** When enforcement may act. */
  readonly windows: Windows;
  readonly explain: (facts: OrganizationAccount) => Explanation;
}

interface CompiledRule {
  readonly id: string;
  readonly rule: Rule;
  readonly match: CompiledMatch;
  readonly computeOptimizer: Decided<DesiredStatus> | undefined;
  readonly automation: Decided<DesiredStatus> | undefined;
  readonly organizationRules: Decided<DesiredRuleMode> | undefined;
  readonly mode: Decided<Mode> | undefined;
}

export function compilePolicy(policy: Policy): CompiledPolicy {
  const rules = policy.rules.map(compileRule);
  const canary = policy.rollout === null ? null : compileMatch(policy.rollout.canary.match);
  const usesTags = rules.some((rule) => rule.match.usesTags) || (canary?.usesTags ?? false);
  const usesName = rules.some((rule) => rule.match.usesName) || (canary?.usesName ?? false);
  const resolve = resolver(policy, rules, usesTags);
  const isCanary = (facts: OrganizationAccount): boolean => {
    requireTags(usesTags, facts);
    return canary?.test(facts) ?? false;
  };
  return {
    policy,
    hash: policyHash(policy),
    usesTags,
    couldDeviate: couldDeviate(policy),
    canDecide: (facts) => (!usesTags || facts.tags !== null) && (!usesName || facts.name !== ''),
    resolve,
    exemption: exemptionLookup(policy.exemptions),
    isCanary,
    windows: compileWindows(policy.windows),
    explain: (facts) => ({ ...explainRules(rules, facts, resolve(facts)), canary: isCanary(facts) }),
  };
}

function decided<T>(value: T | undefined, rule: string): Decided<T> | undefined {
  return value === undefined ? undefined : Object.freeze({ value, rule });
}

/** What a rule decides is made once here, so that resolving an account makes nothing but its own result. */
function compileRule(rule: Rule): CompiledRule {
  const { id, sets } = rule;
  return {
    id,
    rule,
    match: compileMatch(rule.match),
    computeOptimizer: decided(sets.computeOptimizer, id),
    automation: decided(sets.automation, id),
    organizationRules: decided(sets.organizationRules, id),
    mode: decided(sets.mode, id),
  };
}

function resolver(policy: Policy, rules: readonly CompiledRule[], usesTags: boolean): CompiledPolicy['resolve'] {
  const base = {
    computeOptimizer: Object.freeze({ value: policy.defaults.computeOptimizer, rule: 'defaults' }),
    automation: Object.freeze({ value: policy.defaults.automation, rule: 'defaults' }),
    organizationRules: Object.freeze({ value: policy.defaults.organizationRules, rule: 'defaults' }),
    mode: Object.freeze({ value: policy.defaults.mode, rule: 'defaults' }),
  };
  return (facts) => {
    requireTags(usesTags, facts);
    let computeOptimizer: Decided<DesiredStatus> | undefined;
    let automation: Decided<DesiredStatus> | undefined;
    let organizationRules: Decided<DesiredRuleMode> | undefined;
    let mode: Decided<Mode> | undefined;
    for (const rule of rules) {
      if (!rule.match.test(facts)) continue;
      computeOptimizer ??= rule.computeOptimizer;
      automation ??= rule.automation;
      organizationRules ??= rule.organizationRules;
      mode ??= rule.mode;
    }
    computeOptimizer ??= base.computeOptimizer;
    automation ??= base.automation;
    organizationRules ??= base.organizationRules;
    mode ??= base.mode;
    const contradiction =
      mode.value === 'off' ? null : contradictionOf(computeOptimizer, automation, organizationRules);
    return { computeOptimizer, automation, organizationRules, mode, contradiction };
  };
}

/**
 * Fields merge rule by rule, so two rules that are right on their own can disagree on an account.
 * Automation on top of an unmanaged Compute Optimizer is no contradiction: whether it is Active there is for AWS to say.
 */
function contradictionOf(
  computeOptimizer: Decided<DesiredStatus>,
  automation: Decided<DesiredStatus>,
  organizationRules: Decided<DesiredRuleMode>,
): Contradiction | null {
  if (organizationRules.value === 'AnyAllowed' && automation.value !== 'Active') {
    return {
      code: 'rulesNeedAutomation',
      message: `organizationRules: AnyAllowed (${organizationRules.rule}) needs automation: Active, but it is ${automation.value} (${automation.rule})`,
      enrollments: ['automation'],
    };
  }
  if (automation.value === 'Active' && computeOptimizer.value === 'Inactive') {
    return {
      code: 'automationNeedsComputeOptimizer',
      message: `automation: Active (${automation.rule}) needs computeOptimizer: Active, but it is Inactive (${computeOptimizer.rule})`,
      enrollments: ['automation'],
    };
  }
  return null;
}

function couldDeviate(policy: Policy): boolean {
  const { defaults, rules, exemptions, rollout } = policy;
  return (
    defaults.computeOptimizer !== 'Active' ||
    defaults.mode !== 'enforce' ||
    rollout !== null ||
    exemptions.some((exemption) => exemption.enrollment !== 'automation') ||
    rules.some(({ sets }) => (sets.computeOptimizer ?? 'Active') !== 'Active' || (sets.mode ?? 'enforce') !== 'enforce')
  );
}

/** Whether the exemption is about this enrollment. */
export function exempts(exemption: Exemption, enrollment: EnrollmentId): boolean {
  return exemption.enrollment === 'both' || exemption.enrollment === enrollment;
}

function exemptionLookup(exemptions: readonly Exemption[]): CompiledPolicy['exemption'] {
  const byAccount = new Map<string, Exemption[]>();
  const latestFirst = exemptions.toSorted((a, b) => b.endsAt - a.endsAt);
  for (const exemption of latestFirst) {
    for (const id of new Set(exemption.accounts)) {
      const list = byAccount.get(id);
      if (list === undefined) byAccount.set(id, [exemption]);
      else list.push(exemption);
    }
  }
  return (accountId, enrollment, now) =>
    byAccount.get(accountId)?.find((exemption) => now < exemption.endsAt && exempts(exemption, enrollment)) ?? null;
}

function explainRules(
  rules: readonly CompiledRule[],
  facts: OrganizationAccount,
  desired: DesiredState,
): Omit<Explanation, 'canary'> {
  const tried = rules.map(({ id, rule, match }) => {
    const matched = match.test(facts);
    const sets = matched ? FIELDS.filter((field) => rule.sets[field] !== undefined) : [];
    return {
      id,
      matched,
      conditions: match.explain(facts),
      decided: sets.filter((field) => desired[field].rule === id),
      overruled: sets
        .filter((field) => desired[field].rule !== id)
        .map((field) => ({ field, by: desired[field].rule })),
    };
  });
  const left = FIELDS.filter((field) => desired[field].rule === 'defaults');
  const defaults = { id: 'defaults', matched: true, conditions: [], decided: left, overruled: [] };
  return { account: facts, desired, rules: [...tried, defaults] };
}
