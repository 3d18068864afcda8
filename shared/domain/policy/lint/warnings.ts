import { EXPIRED } from '../file/cross-field-checks.ts';
import { type Finding, findingAt, shown } from '../file/findings.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { compileMatch } from '../rules/match.ts';
import { DESIRED_FIELDS, type DesiredState, FIELDS, type OrganizationAccount, type Policy } from '../types.ts';
import { cronFindings } from './cron-checks.ts';
import { staticFindings } from './static-checks.ts';
import { windowFindings } from './window-checks.ts';

/** How a policy applies to the accounts of an organization. */
export interface PolicyCensus {
  readonly ids: ReadonlySet<string>;
  readonly active: number;
  /** ACTIVE accounts for which the policy manages anything. */
  readonly managed: number;
  /** By rule index: matched accounts, and accounts for which the rule decided a field. */
  readonly matched: readonly number[];
  readonly deciding: readonly number[];
  /** Accounts for which the defaults decided a field. */
  readonly defaults: number;
  readonly canaries: number;
  /** Accounts whose tags AWS did not return, so it is unknown which rules apply to them. */
  readonly undecided: number;
  /** By message: the number of accounts with this contradiction, and one of them. */
  readonly contradictions: ReadonlyMap<string, { readonly count: number; readonly example: string }>;
}

/**
 * Checks a policy against an organization: rules that match or decide nothing, exemptions that have expired, overlap or name
 * unknown accounts, and accounts for which rules contradict each other. Includes all warnings of `parsePolicy`.
 * If the policy manages no ACTIVE account, the result is an error.
 */
export function policyWarnings(
  compiled: CompiledPolicy,
  accounts: Iterable<OrganizationAccount>,
  now: number,
): Finding[] | { readonly error: Finding } {
  return censusWarnings(compiled.policy, policyCensus(compiled, accounts), now);
}

/** The result of {@link policyWarnings}, from a census that is already known. */
export function censusWarnings(
  policy: Policy,
  census: PolicyCensus,
  now: number,
): Finding[] | { readonly error: Finding } {
  if (census.managed === 0 && census.undecided === 0) return { error: managesNone(policy, census) };
  const known = [...staticFindings(policy), ...cronFindings(policy), ...windowFindings(policy, now)];
  // An account whose tags are missing may match any rule.
  return [
    ...known,
    ...expiredExemptions(policy, now),
    ...unknownAccounts(policy, census),
    ...(census.undecided > 0 ? [] : idleRules(policy, census, new Set(known.map((finding) => finding.path)))),
    ...(census.undecided > 0 ? [] : idleCanary(policy, census)),
    ...contradictions(policy, census),
  ];
}

export function policyCensus(compiled: CompiledPolicy, accounts: Iterable<OrganizationAccount>): PolicyCensus {
  const rules = compiled.policy.rules.map((rule) => ({ id: rule.id, match: compileMatch(rule.match) }));
  const matched = rules.map(() => 0);
  const deciding = rules.map(() => 0);
  const ids = new Set<string>();
  const contradictions = new Map<string, { count: number; example: string }>();
  const countRule = (
    rule: (typeof rules)[number],
    i: number,
    account: OrganizationAccount,
    desired: DesiredState,
  ): void => {
    if (!rule.match.test(account)) return;
    matched[i] = (matched[i] ?? 0) + 1;
    if (FIELDS.some((field) => desired[field].rule === rule.id)) deciding[i] = (deciding[i] ?? 0) + 1;
  };
  let [active, managed, defaults, canaries, undecided] = [0, 0, 0, 0, 0];
  for (const account of accounts) {
    ids.add(account.id);
    if (!compiled.canDecide(account)) {
      undecided++;
      continue;
    }
    const desired = compiled.resolve(account);
    for (const [i, rule] of rules.entries()) countRule(rule, i, account, desired);
    if (FIELDS.some((field) => desired[field].rule === 'defaults')) defaults++;
    if (compiled.isCanary(account)) canaries++;
    if (account.state !== 'ACTIVE') continue;
    active++;
    if (wantsAnything(desired)) managed++;
    if (desired.contradiction === null) continue;
    const seen = contradictions.get(desired.contradiction.message);
    contradictions.set(desired.contradiction.message, {
      count: (seen?.count ?? 0) + 1,
      example: seen?.example ?? account.id,
    });
  }
  return { ids, active, managed, matched, deciding, defaults, canaries, undecided, contradictions };
}

function wantsAnything(desired: DesiredState): boolean {
  if (desired.mode.value === 'off') return false;
  return DESIRED_FIELDS.some((field) => desired[field].value !== 'unmanaged');
}

function managesNone(policy: Policy, census: PolicyCensus): Finding {
  return findingAt(policy.source, '', {
    severity: 'error',
    message: 'this policy matches no account',
    found:
      census.active === 0
        ? 'no ACTIVE account'
        : `${census.active} ACTIVE accounts, all of them unmanaged or mode: off`,
    expected: 'at least one account with a managed enrollment',
    hint: 'Compare the rules with the names and OU paths of the organization, or set `defaults`.',
  });
}

function expiredExemptions(policy: Policy, now: number): Finding[] {
  return policy.exemptions
    .filter((exemption) => now >= exemption.endsAt)
    .map(({ path, until }) =>
      findingAt(policy.source, `${path}.until`, { severity: 'warning', ...EXPIRED(until, now) }),
    );
}

function unknownAccounts(policy: Policy, census: PolicyCensus): Finding[] {
  const lists = [
    ...policy.exemptions.map(({ path, accounts }) => ({ path: `${path}.accounts`, accounts })),
    ...policy.rules.map(({ match }, i) => ({ path: `rules[${i}].match.accounts`, accounts: match.accounts ?? [] })),
  ];
  return lists.flatMap(({ path, accounts }) =>
    accounts.flatMap((id, i) => {
      if (census.ids.has(id)) return [];
      // A single account may be written without a list; then the position of the list is the nearest.
      const at = policy.source.places.has(`${path}[${i}]`) ? `${path}[${i}]` : path;
      return [
        findingAt(policy.source, at, {
          severity: 'warning',
          message: `the account ${id} is not in the organization`,
          found: id,
          expected: 'the id of an account of this organization',
          hint: 'Check the number, or remove it if the account has left.',
        }),
      ];
    }),
  );
}

function idleRules(policy: Policy, census: PolicyCensus, known: ReadonlySet<string>): Finding[] {
  return policy.rules.flatMap(({ id }, i) => {
    if (known.has(`rules[${i}]`) || known.has(`rules[${i}].match`)) return [];
    if (census.matched[i] === 0) {
      return [
        findingAt(policy.source, `rules[${i}].match`, {
          severity: 'warning',
          message: `the rule ${shown(id)} matches nothing`,
          found: `none of ${census.ids.size} accounts`,
          expected: 'at least one account',
          hint: 'Compare it with the names, tags and OU paths of the organization; all conditions of a match must hold.',
        }),
      ];
    }
    if (census.deciding[i] !== 0) return [];
    return [
      findingAt(policy.source, `rules[${i}]`, {
        severity: 'warning',
        message: `the rule ${shown(id)} decides nothing: rules above it decide everything that it sets`,
        found: `${census.matched[i]} accounts matched, none decided`,
        expected: 'narrower rules above wider ones',
        hint: 'Move it up, or remove it.',
      }),
    ];
  });
}

function idleCanary(policy: Policy, census: PolicyCensus): Finding[] {
  if (policy.rollout === null || census.canaries > 0) return [];
  return [
    findingAt(policy.source, 'rollout.canary.match', {
      severity: 'warning',
      message: 'no account is a canary',
      found: `none of ${census.ids.size} accounts`,
      expected: 'at least one account',
      hint: 'Compare the match with the organization.',
    }),
  ];
}

function contradictions(policy: Policy, census: PolicyCensus): Finding[] {
  return [...census.contradictions].map(([message, { count, example }]) =>
    findingAt(policy.source, 'rules', {
      severity: 'warning',
      message: `contradiction: ${message}`,
      found: `${count === 1 ? '1 account' : `${count} accounts`}, for example ${example}`,
      expected: 'fields that fit together',
      hint: `Automation needs attention there. See \`rollcall policy explain ${example}\`.`,
    }),
  );
}
