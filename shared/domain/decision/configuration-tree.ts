import type { AccountId, OrganizationalUnit, RuleMode } from '../enrollment/model.ts';
import type { Assessment } from '../enrollment/verdict.ts';
import { type OrganizationAccount, ouCovers } from '../policy/index.ts';
import { isInactive } from './assess.ts';
import type { ConfigurationTree, Container, TreeAccount } from './configuration-planner.ts';
import {
  type ExplainedWant,
  type JoinersContext,
  namedPaths,
  wantOfAccount,
  wantOfJoiners,
} from './configuration-wants.ts';

export interface ConfigurationFacts extends JoinersContext {
  /** All OUs, each after its parent; the root is first. */
  readonly units: readonly OrganizationalUnit[];
  readonly accounts: readonly { readonly account: OrganizationAccount; readonly assessment: Assessment }[];
  readonly configurations: ReadonlyMap<string, RuleMode>;
}

export interface ExplainedTree {
  /** The input of {@link planConfigurations}. */
  readonly tree: ConfigurationTree;
  /** For each OU that no configuration can cover, by id, the reason. */
  readonly whyNot: ReadonlyMap<string, string>;
  /** For each configuration that stays because of an account that is unmanaged, in mode `alert` or not active, by the id of its target, the reason. */
  readonly kept: ReadonlyMap<string, string>;
}

/** The organization changed between reading its OUs and its accounts, so the two do not fit together. Both must be read again. */
export class TreeChangedError extends Error {
  override readonly name = 'TreeChangedError';
}

/** @throws TreeChangedError if an account is in an OU that the tree lacks */
export function configurationTree(facts: ConfigurationFacts): ExplainedTree {
  const { units, configurations } = facts;
  const whyNot = new Map<string, string>();
  const kept = new Map<string, string>();
  const note = (id: string, { why }: ExplainedWant): void => {
    if (why !== null && !whyNot.has(id)) whyNot.set(id, why);
  };
  const missing = missingPaths(facts);
  const containers = units.map(({ id, parentId, path }): Container => {
    const joiners = strictest(
      [path, ...(missing.get(path) ?? [])].map((each) => wantOfJoiners(facts, each)),
      path,
    );
    note(id, joiners);
    return { id, parentId, joiners: joiners.want };
  });
  const idOf = new Map(units.map(({ id, path }) => [path, id]));
  const covered = coveredIn(facts);
  const accounts: TreeAccount[] = [];
  /** Accounts whose own configurations cannot be deleted. */
  const fixed = new Set<AccountId>();
  for (const { account, assessment } of facts.accounts) {
    const parentId = idOf.get(account.ou);
    if (parentId === undefined)
      throw new TreeChangedError(`account ${account.id} is in ${account.ou}, which the OU tree does not have`);
    // Configurations do not apply to the management account [automation-org].
    const isCovered = covered.has(parentId) || configurations.has(account.id);
    const found = account.management ? null : wantOfAccount(facts, account, assessment, isCovered);
    if (found === null) continue;
    note(parentId, found);
    const governing = configurations.has(account.id) ? account.id : covered.get(parentId);
    if (found.keeps && found.why !== null && governing !== undefined && !kept.has(governing))
      kept.set(governing, found.why);
    if (isInactive(account) && found.want === 'outside' && configurations.has(account.id)) {
      fixed.add(account.id);
      kept.set(
        account.id,
        `account ${account.id} is ${account.state}, and an account that is not active is never changed`,
      );
    }
    const { status, ruleMode } = assessment;
    accounts.push({ id: account.id, parentId, want: found.want, status, ruleMode });
  }
  const changeable = new Map([...configurations].filter(([id]) => !fixed.has(id)));
  return { tree: { containers, accounts, configurations: changeable }, whyNot, kept };
}

/** The target of the configuration that applies now, by the id of each root and OU that has one itself or above it. */
function coveredIn({ units, configurations }: ConfigurationFacts): ReadonlyMap<string, string> {
  const covered = new Map<string, string>();
  // A parent comes before its OUs.
  for (const { id, parentId } of units) {
    const target = configurations.has(id) ? id : covered.get(parentId ?? '');
    if (target !== undefined) covered.set(id, target);
  }
  return covered;
}

/**
 * OU paths that the policy or a suspension names but that do not exist. The key is the nearest existing OU above, from which such an OU will inherit.
 */
function missingPaths(facts: ConfigurationFacts): ReadonlyMap<string, readonly string[]> {
  const known = new Set(facts.units.map(({ path }) => path));
  const missing = new Map<string, string[]>();
  for (const path of namedPaths(facts)) {
    if (known.has(path)) continue;
    const above = [...known].filter((each) => ouCovers(each, path)).sort((a, b) => b.length - a.length)[0] ?? '/';
    missing.set(above, [...(missing.get(above) ?? []), path]);
  }
  return missing;
}

/** One want for an OU and for the OUs that may be created below it, because an OU that does not exist cannot have its own configuration. */
function strictest(wants: readonly ExplainedWant[], path: string): ExplainedWant {
  const stopped = wants.find(({ want }) => want === 'held') ?? wants.find(({ want }) => want === 'outside');
  if (stopped !== undefined) return stopped;
  const [first, ...others] = wants;
  if (first === undefined) throw new Error('unreachable: an OU has joiners of its own');
  const differs = others.find(({ want }) => want !== first.want);
  if (differs === undefined) return first;
  return { want: 'outside', why: `the policy wants ${differs.want} in an OU below ${path} that does not exist yet` };
}
