import { ASSOCIABLE, kindOf } from '../enrollment/kinds/index.ts';
import type { EpochMs } from '../enrollment/model.ts';
import type { Assessment } from '../enrollment/verdict.ts';
import type { CompiledPolicy, OrganizationAccount } from '../policy/index.ts';
import { exempts } from '../policy/rules/compile.ts';
import { type Joiner, mayMatch, type PossibleValue, possibleValues } from '../policy/rules/joiners.ts';
import { parseOperatorSelector } from '../policy/rules/operator-selector.ts';
import type { Field } from '../policy/types.ts';
import type { Want } from './configuration-planner.ts';
import type { OperatorSuspension } from './operator-controls.ts';

/** What the policy wants in an OU or account. `why`: the reason why a configuration cannot provide it; `null`: it can. */
export interface ExplainedWant {
  readonly want: Want;
  readonly why: string | null;
  /** The configuration that applies to the account stays, because the account is unmanaged or in mode `alert`. */
  readonly keeps?: true;
}

const outside = (why: string): ExplainedWant => ({ want: 'outside', why });
const held = (why: string): ExplainedWant => ({ want: 'held', why });

/** Verdicts under which nothing about an account may change, with the words for people. */
const HELD: Partial<Record<Assessment['verdict'], string>> = {
  Suspended: 'suspended by an operator',
  Exempt: 'exempt',
  Unknown: 'Unknown',
};

/**
 * What the policy wants for an account; `null`: the account is not active, so it does not count. An exempt or suspended account counts even if it is
 * not active, because it would inherit a configuration if it were reinstated.
 * @param covered whether a configuration applies to the account now. Deleting it would change the account, which only a policy that enforces
 *   Inactive permits.
 */
export function wantOfAccount(
  context: JoinersContext,
  account: OrganizationAccount,
  assessment: Assessment,
  covered: boolean,
): ExplainedWant | null {
  const { policy } = context;
  const isActive = assessment.verdict !== 'NotApplicable';
  const heldBy = HELD[assessment.verdict];
  if (heldBy !== undefined || !policy.canDecide(account))
    return held(`account ${account.id} is ${heldBy ?? 'Unknown'}`);
  if (assessment.reason === 'contested') return held(`account ${account.id} is contested`);
  if (assessment.reason === 'rollout') return held(`account ${account.id} waits for the canary accounts`);
  const settings = policy.resolve(account);
  const { want, why } = wantOfValues({
    status: [settings[ASSOCIABLE]],
    ruleMode: [settings.organizationRules],
    mode: [settings.mode],
    prerequisites: kindOf(ASSOCIABLE).prerequisites.map((id) => [settings[id]]),
  });
  const mayRelease = settings.mode.value === 'enforce' && settings[ASSOCIABLE].value === 'Inactive';
  if (want === 'outside' && covered && !mayRelease && isActive)
    return {
      ...held(`account ${account.id}: ${why}; without the configuration that applies to it, the account would change`),
      keeps: true,
    };
  if (want === 'outside') return outside(`account ${account.id}: ${why}`);
  return isActive ? { want, why } : heldIfReinstated(context, account);
}

function heldIfReinstated(
  { policy, suspensions, now }: JoinersContext,
  account: OrganizationAccount,
): ExplainedWant | null {
  const about = `account ${account.id}, which may be reinstated, is`;
  if (policy.exemption(account.id, ASSOCIABLE, now) !== null) return held(`${about} exempt`);
  const isSuspended = suspensions.some(({ selector, until }) => {
    const parsed = parseOperatorSelector(selector);
    if (until !== null && until <= now) return false;
    // As everywhere, a selector that cannot be evaluated matches.
    if (!parsed.ok || (parsed.selector.match.usesTags && account.tags === null)) return true;
    return parsed.selector.match.test(account);
  });
  return isSuspended ? held(`${about} suspended by an operator`) : null;
}

export interface JoinersContext {
  readonly policy: CompiledPolicy;
  readonly knownIds: Joiner['knownIds'];
  readonly suspensions: readonly OperatorSuspension[];
  readonly now: EpochMs;
}

/** What the policy wants for accounts that join directly under an OU later; `outside` if that depends on the account. */
export function wantOfJoiners(context: JoinersContext, ou: string): ExplainedWant {
  const { policy, knownIds } = context;
  const joiner: Joiner = { ou, knownIds };
  const stopped = heldForJoiners(context, joiner);
  if (stopped !== null) return stopped;
  const possible = (field: Field): Possible => possibleValues(policy.policy, joiner, field);
  const { want, why } = wantOfValues({
    status: possible(ASSOCIABLE),
    ruleMode: possible('organizationRules'),
    mode: possible('mode'),
    prerequisites: kindOf(ASSOCIABLE).prerequisites.map(possible),
  });
  return want === 'outside' ? outside(`accounts that join ${ou} later: ${why}`) : { want, why };
}

/** An exemption or suspension that may be about an account that is not in the organization yet. */
function heldForJoiners({ policy, knownIds, suspensions, now }: JoinersContext, joiner: Joiner): ExplainedWant | null {
  for (const exemption of policy.policy.exemptions) {
    const unseen = exemption.accounts.find((id) => !knownIds.has(id));
    if (unseen !== undefined && now < exemption.endsAt && exempts(exemption, ASSOCIABLE))
      return held(`account ${unseen}, which may join ${joiner.ou} later, is exempt`);
  }
  for (const { selector, until } of suspensions) {
    const parsed = parseOperatorSelector(selector);
    if (until !== null && until <= now) continue;
    if (!parsed.ok || mayMatch(parsed.selector.match.match, joiner) !== 'no')
      return held(`accounts that join ${joiner.ou} later may be suspended by an operator (${selector})`);
  }
  return null;
}

type Possible = readonly PossibleValue[];

/** The rule mode, if it is the only possible one and status and mode can only be Active and `enforce`; otherwise `outside`. */
function wantOfValues(values: {
  readonly status: Possible;
  readonly ruleMode: Possible;
  readonly mode: Possible;
  readonly prerequisites: readonly Possible[];
}): ExplainedWant {
  const { title } = kindOf(ASSOCIABLE);
  const mode = values.mode.find(({ value }) => value !== 'enforce');
  if (mode !== undefined) return outside(`mode ${mode.value} (${mode.rule})`);
  const status = values.status.find(({ value }) => value !== 'Active');
  if (status !== undefined) return outside(`${title} is ${status.value} (${status.rule})`);
  const prerequisite = values.prerequisites.flat().find(({ value }) => value === 'Inactive');
  if (prerequisite !== undefined) return outside(`a prerequisite of ${title} is Inactive (${prerequisite.rule})`);
  const [first] = values.ruleMode;
  const other = values.ruleMode.find(({ value }) => value !== first?.value);
  if (first === undefined || other !== undefined)
    return outside(`organizationRules may be ${first?.value} (${first?.rule}) or ${other?.value} (${other?.rule})`);
  if (first.value !== 'AnyAllowed' && first.value !== 'NoneAllowed')
    return outside(`organizationRules is ${first.value} (${first.rule})`);
  return { want: first.value, why: null };
}

/** The OU paths that rules and suspensions name. An OU with such a path may be created later, below one that exists today. */
export function namedPaths({ policy, suspensions }: JoinersContext): ReadonlySet<string> {
  const paths = new Set<string>();
  const add = ({
    ou = [],
    not,
  }: {
    readonly ou?: readonly string[];
    readonly not?: { ou?: readonly string[] };
  }): void => {
    for (const path of ou) paths.add(path);
    if (not !== undefined) add(not);
  };
  for (const { match } of policy.policy.rules) add(match);
  for (const { selector } of suspensions) {
    const parsed = parseOperatorSelector(selector);
    if (parsed.ok) add(parsed.selector.match.match);
  }
  return paths;
}
