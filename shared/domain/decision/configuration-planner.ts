import type { AccountId, EnrollmentStatus, RuleMode } from '../enrollment/model.ts';

/**
 * What the policy wants of Automation in one OU or account:
 * - a rule mode: an Active enrollment with this rule mode, which an enrollment configuration can provide
 * - `outside`: no configuration can provide it (unmanaged, Inactive, only alerted on, or not the same for all accounts)
 * - `held`: no change for now (exempt, suspended, Unknown or contested)
 */
export type Want = RuleMode | 'outside' | 'held';

/** The root or an OU. */
export interface Container {
  /** `r-…` or `ou-…`. */
  readonly id: string;
  /** `null`: the root. */
  readonly parentId: string | null;
  /** What the policy wants for accounts that join directly under it later. */
  readonly joiners: Want;
}

/** A member account. The management account has no place here, because configurations do not apply to it [automation-org]. */
export interface TreeAccount {
  readonly id: AccountId;
  readonly parentId: string;
  readonly want: Want;
  readonly status: EnrollmentStatus | null;
  readonly ruleMode: RuleMode | null;
}

export interface ConfigurationTree {
  /** Each after its parent; the root is first. */
  readonly containers: readonly Container[];
  readonly accounts: readonly TreeAccount[];
  /** The organization enrollment configurations that AWS stores now, by the id of the root, OU or account. */
  readonly configurations: ReadonlyMap<string, RuleMode>;
}

type PutOrDelete =
  | { readonly effect: 'put'; readonly targetId: string; readonly ruleMode: RuleMode }
  | { readonly effect: 'delete'; readonly targetId: string };

export interface ConfigurationPlan {
  /**
   * In the order in which they may be made. Configurations are put below first and deleted above first, so that no account passes through
   * a rule mode that the policy does not want.
   */
  readonly calls: readonly PutOrDelete[];
  /** By the id of each root, OU and account: the rule mode of the nearest configuration once all calls are made; `null`: none applies. */
  readonly effective: ReadonlyMap<string, RuleMode | null>;
}

/**
 * The fewest Put and Delete calls that give all accounts and later joiners what the policy wants. An account inherits the nearest
 * configuration on its path to the root [automation-org].
 *
 * - Nothing changes at or above a `held` account or OU.
 * - No configuration covers a subtree with something `outside`; accounts there are changed by association or member calls.
 * - Every other OU gets the rule mode of its joiners, and accounts below it that want the other mode get a configuration of their own.
 *
 * These rules fix the rule mode of each OU, so a call is needed exactly where the mode differs from the parent's and is not configured yet.
 * `test/property/configuration-plan.property.test.ts` compares the result with every possible assignment.
 */
export function planConfigurations(tree: ConfigurationTree): ConfigurationPlan {
  const blocked = subtreesWith(tree);
  const effective = new Map<string, RuleMode | null>();
  const puts: PutOrDelete[] = [];
  const deletes: PutOrDelete[] = [];

  const settle = (id: string, parentId: string | null, wanted: RuleMode | 'none' | 'unchanged'): void => {
    const present = tree.configurations.get(id) ?? null;
    const inherited = parentId === null ? null : (effective.get(parentId) ?? null);
    if (wanted === 'unchanged') {
      effective.set(id, present ?? inherited);
    } else if (wanted === 'none') {
      if (present !== null) deletes.push({ effect: 'delete', targetId: id });
      effective.set(id, inherited);
    } else {
      if ((present ?? inherited) !== wanted) puts.push({ effect: 'put', targetId: id, ruleMode: wanted });
      effective.set(id, wanted);
    }
  };

  for (const { id, parentId, joiners } of tree.containers) {
    if (blocked.held.has(id)) settle(id, parentId, 'unchanged');
    else if (blocked.outside.has(id) || !isRuleMode(joiners)) settle(id, parentId, 'none');
    else settle(id, parentId, joiners);
  }
  for (const account of tree.accounts) {
    const isCovered = (effective.get(account.parentId) ?? null) !== null;
    const hasOwn = tree.configurations.has(account.id);
    if (account.want === 'held') settle(account.id, account.parentId, 'unchanged');
    else if (account.want === 'outside') settle(account.id, account.parentId, 'none');
    else if (isCovered || hasOwn || needsTwoCalls(account)) settle(account.id, account.parentId, account.want);
    else effective.set(account.id, null);
  }
  return { calls: [...puts.reverse(), ...deletes], effective };
}

/** Whether the account would need two calls (disassociate it, then enable it through its role), which one configuration of its own replaces. */
function needsTwoCalls({ want, status, ruleMode }: TreeAccount): boolean {
  return want === 'NoneAllowed' && ruleMode === 'AnyAllowed' && status === 'Inactive';
}

function isRuleMode(want: Want): want is RuleMode {
  return want !== 'outside' && want !== 'held';
}

/** The containers in which, or below which, something is `held` or `outside`. */
function subtreesWith({ containers, accounts }: ConfigurationTree) {
  const parents = new Map(containers.map(({ id, parentId }) => [id, parentId]));
  const found = { held: new Set<string>(), outside: new Set<string>() };
  const mark = (want: Want, from: string): void => {
    if (isRuleMode(want)) return;
    // The ancestors of a marked container are marked too, so the walk ends at the first marked one.
    for (let id: string | null = from; id !== null && !found[want].has(id); id = parents.get(id) ?? null)
      found[want].add(id);
  };
  for (const { id, joiners } of containers) mark(joiners, id);
  for (const { parentId, want } of accounts) mark(want, parentId);
  return found;
}
