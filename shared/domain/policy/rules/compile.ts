import {
  byKind,
  ENROLLMENT_IDS,
  type EnrollmentId,
  EVERY_ENROLLMENT,
  KINDS,
  kindsInUse,
} from '../../enrollment/kinds/index.ts';
import { compileWindows, type Windows } from '../change-windows.ts';
import {
  type Contradiction,
  type Decided,
  type DecidedSettings,
  type DesiredState,
  type DesiredStatus,
  type Exemption,
  type Explanation,
  FIELDS,
  type Field,
  fieldsOf,
  type OrganizationAccount,
  type Policy,
  type Rule,
} from '../types.ts';
import { type CompiledMatch, compileMatch, requireTags } from './match.ts';
import { policyHash } from './policy-hash.ts';

/** A policy prepared for lookups of many accounts. */
export interface CompiledPolicy {
  readonly policy: Policy;
  readonly hash: string;
  /** The kinds that the policy is about: those of the first release, managed or not, and later ones that it manages in any account. */
  readonly kinds: readonly EnrollmentId[];
  /** Whether accounts' tags must be read before they are resolved. */
  readonly usesTags: boolean;
  /**
   * For each kind: whether any rule, exemption or canary rollout, reachable or not, could except an account from Active and
   * `enforce`. If so, its organization-wide call is not used (docs/decisions/0006-organization-wide-call.md).
   */
  readonly couldDeviate: Readonly<Record<EnrollmentId, boolean>>;
  /** Whether AWS returned all properties of the account (tags, name) that the policy needs. */
  readonly canDecide: (account: OrganizationAccount) => boolean;
  /** For each field, the first matching rule that sets it decides. Throws only `TagsNotReadError`. */
  readonly resolve: (account: OrganizationAccount) => DesiredState;
  /** The exemption in force at `now` (epoch ms); of several, the one that ends last. */
  readonly exemption: (accountId: string, enrollment: EnrollmentId, now: number) => Exemption | null;
  readonly isCanary: (account: OrganizationAccount) => boolean;
  readonly windows: Windows;
  readonly explain: (account: OrganizationAccount) => Explanation;
}

interface CompiledRule {
  readonly id: string;
  readonly rule: Rule;
  readonly match: CompiledMatch;
  /** The fields that the rule sets. */
  readonly decides: Partial<DecidedSettings>;
}

export function compilePolicy(policy: Policy): CompiledPolicy {
  const rules = policy.rules.map(compileRule);
  const canary = policy.rollout === null ? null : compileMatch(policy.rollout.canary.match);
  const usesTags = rules.some((rule) => rule.match.usesTags) || (canary?.usesTags ?? false);
  const usesName = rules.some((rule) => rule.match.usesName) || (canary?.usesName ?? false);
  const resolve = resolver(policy, rules, usesTags);
  const isCanary = (account: OrganizationAccount): boolean => {
    requireTags(usesTags, account);
    return canary?.test(account) ?? false;
  };
  return {
    policy,
    hash: policyHash(policy),
    kinds: kindsInUse((id) => manages(policy, id)).map(({ id }) => id),
    usesTags,
    couldDeviate: byKind((id) => couldDeviate(policy, id)),
    canDecide: (account) => (!usesTags || account.tags !== null) && (!usesName || account.name !== ''),
    resolve,
    exemption: exemptionLookup(policy.exemptions),
    isCanary,
    windows: compileWindows(policy.windows),
    explain: (account) => ({ ...explainRules(rules, account, resolve(account)), canary: isCanary(account) }),
  };
}

/** Whether the policy manages this kind in any account. */
export function manages({ defaults, rules }: Policy, enrollment: EnrollmentId): boolean {
  const settings = [defaults, ...rules.map((rule) => rule.sets)];
  return settings.some((sets) => fieldsOf(enrollment).some((field) => (sets[field] ?? 'unmanaged') !== 'unmanaged'));
}

function decided<T>(value: T, rule: string): Decided<T> {
  return Object.freeze({ value, rule });
}

/** Builds the values of each rule once, so that resolving an account allocates only its own result. */
function compileRule(rule: Rule): CompiledRule {
  const { id, sets } = rule;
  const statuses: { [Id in EnrollmentId]?: Decided<DesiredStatus> } = {};
  for (const enrollment of ENROLLMENT_IDS) {
    const status = sets[enrollment];
    if (status !== undefined) statuses[enrollment] = decided(status, id);
  }
  const { organizationRules, mode } = sets;
  const decides = {
    ...statuses,
    ...(organizationRules !== undefined && { organizationRules: decided(organizationRules, id) }),
    ...(mode !== undefined && { mode: decided(mode, id) }),
  };
  return { id, rule, match: compileMatch(rule.match), decides };
}

function resolver(policy: Policy, rules: readonly CompiledRule[], usesTags: boolean): CompiledPolicy['resolve'] {
  const { defaults } = policy;
  const base: DecidedSettings = {
    ...byKind((id) => decided(defaults[id], 'defaults')),
    organizationRules: decided(defaults.organizationRules, 'defaults'),
    mode: decided(defaults.mode, 'defaults'),
  };
  return (account) => {
    requireTags(usesTags, account);
    const matching = rules.filter(({ match }) => match.test(account));
    const desired = {
      ...byKind((id) => firstOf(matching, id) ?? base[id]),
      organizationRules: firstOf(matching, 'organizationRules') ?? base.organizationRules,
      mode: firstOf(matching, 'mode') ?? base.mode,
    };
    return Object.assign(desired, { contradiction: desired.mode.value === 'off' ? null : contradictionOf(desired) });
  };
}

function firstOf<F extends Field>(matching: readonly CompiledRule[], field: F): DecidedSettings[F] | undefined {
  for (const { decides } of matching) {
    const found = decides[field];
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Each field may come from another rule, so two valid rules can contradict each other for an account. */
function contradictionOf(desired: DecidedSettings): Contradiction | null {
  const found: Contradiction[] = [];
  for (const kind of KINDS) {
    const contradiction = contradictionIn(kind, desired);
    if (contradiction !== null) found.push(contradiction);
  }
  const [first] = found;
  if (first === undefined) return null;
  return {
    code: first.code,
    message: found.map(({ message }) => message).join('; '),
    enrollments: found.flatMap(({ enrollments }) => enrollments),
  };
}

/** An unmanaged prerequisite is not a contradiction, because it may be Active in AWS. */
function contradictionIn(
  { id, hasRuleMode, prerequisites }: (typeof KINDS)[number],
  desired: DecidedSettings,
): Contradiction | null {
  const { value, rule } = desired[id];
  const { organizationRules } = desired;
  if (hasRuleMode && organizationRules.value === 'AnyAllowed' && value !== 'Active') {
    const message = `organizationRules: AnyAllowed (${organizationRules.rule}) needs ${id}: Active, but it is ${value} (${rule})`;
    return { code: `rulesNeed${capitalized(id)}`, message, enrollments: [id] };
  }
  const off = value === 'Active' ? prerequisites.find((each) => desired[each].value === 'Inactive') : undefined;
  if (off === undefined) return null;
  const message = `${id}: Active (${rule}) needs ${off}: Active, but it is Inactive (${desired[off].rule})`;
  return { code: `${id}Needs${capitalized(off)}`, message, enrollments: [id] };
}

const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

function couldDeviate({ defaults, rules, exemptions, rollout }: Policy, status: EnrollmentId): boolean {
  return (
    defaults[status] !== 'Active' ||
    defaults.mode !== 'enforce' ||
    rollout !== null ||
    exemptions.some((exemption) => exempts(exemption, status)) ||
    rules.some(({ sets }) => (sets[status] ?? 'Active') !== 'Active' || (sets.mode ?? 'enforce') !== 'enforce')
  );
}

/** Whether the exemption is about this enrollment. */
export function exempts(exemption: Exemption, enrollment: EnrollmentId): boolean {
  return exemption.enrollment === EVERY_ENROLLMENT || exemption.enrollment === enrollment;
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
  account: OrganizationAccount,
  desired: DesiredState,
): Omit<Explanation, 'canary'> {
  const tried = rules.map(({ id, rule, match }) => {
    const matched = match.test(account);
    const sets = matched ? FIELDS.filter((field) => rule.sets[field] !== undefined) : [];
    return {
      id,
      matched,
      conditions: match.explain(account),
      decided: sets.filter((field) => desired[field].rule === id),
      overruled: sets
        .filter((field) => desired[field].rule !== id)
        .map((field) => ({ field, by: desired[field].rule })),
    };
  });
  const left = FIELDS.filter((field) => desired[field].rule === 'defaults');
  const defaults = { id: 'defaults', matched: true, conditions: [], decided: left, overruled: [] };
  return { account, desired, rules: [...tried, defaults] };
}
