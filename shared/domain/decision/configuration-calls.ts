import type { AccountId, RuleMode } from '../enrollment/model.ts';
import { type ConfigurationTree, planConfigurations, type TreeAccount } from './configuration-planner.ts';

/** A Put or Delete call, and the accounts whose state it changes. */
export interface ConfigurationCall {
  readonly effect: 'put' | 'delete';
  /** The root, an OU or an account. */
  readonly targetId: string;
  /** The rule mode that it gives to the accounts that it reaches, later joiners included. */
  readonly ruleMode: RuleMode;
  /** The accounts that it changes; `true`: from AnyAllowed to NoneAllowed, which counts as an opt-out. */
  readonly accounts: ReadonlyMap<AccountId, boolean>;
  /** The accounts whose nearest configuration this is, whether or not the call changes them. */
  readonly reached: readonly AccountId[];
}

export interface ConfigurationDecision {
  /** In the order in which they may be made. */
  readonly calls: readonly ConfigurationCall[];
  /** Calls that may not be made, and those at targets below theirs. The other calls do not depend on them and do not reach those targets. */
  readonly refused: readonly ConfigurationCall[];
  /**
   * The rule mode of the root and each OU and account once all calls are made, by id; `null`: no configuration applies. Everything below the target of a
   * refused call is left out, and the target too if it has a configuration.
   */
  readonly effective: ReadonlyMap<string, RuleMode | null>;
}

/**
 * The calls to make, without touching a configuration that is not ours to change. Such a configuration shields everything below it from calls
 * above it, so the rest of the organization is planned as if that part did not exist. A target without a configuration is not shielded: if its
 * call may not be made, nothing above it changes either.
 * @param mayChange whether a call may be made: whether the configuration that it replaces or deletes is ours, and not contested
 */
export function decideConfigurations(
  tree: ConfigurationTree,
  mayChange: (call: ConfigurationCall) => boolean,
): ConfigurationDecision {
  const refused: ConfigurationCall[] = [];
  for (let left = tree; ; ) {
    const planned = planConfigurations(left);
    const calls = withEffects(left, planned.calls);
    const stopped = calls.filter((call) => !mayChange(call));
    if (stopped.length === 0) return { calls, refused, effective: planned.effective };
    const targets = new Set(stopped.map(({ targetId }) => targetId));
    const gone = atOrBelow(left, targets);
    refused.push(...calls.filter(({ targetId }) => gone.has(targetId)));
    left = without(left, gone, targets);
  }
}

/** The tree without these parts. A target that nothing shields stays, as held. */
function without(tree: ConfigurationTree, gone: ReadonlySet<string>, targets: ReadonlySet<string>): ConfigurationTree {
  const { containers, accounts, configurations } = tree;
  const isHeld = ({ id, parentId }: { readonly id: string; readonly parentId: string | null }): boolean =>
    targets.has(id) && !configurations.has(id) && (parentId === null || !gone.has(parentId));
  return {
    containers: containers.flatMap((each) =>
      isHeld(each) ? [{ ...each, joiners: 'held' as const }] : gone.has(each.id) ? [] : [each],
    ),
    accounts: accounts.flatMap((each) =>
      isHeld(each) ? [{ ...each, want: 'held' as const }] : gone.has(each.id) ? [] : [each],
    ),
    configurations,
  };
}

function atOrBelow({ containers, accounts }: ConfigurationTree, targets: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set(targets);
  for (const { id, parentId } of [...containers, ...accounts])
    if (parentId !== null && found.has(parentId)) found.add(id);
  return found;
}

type State = Pick<TreeAccount, 'status' | 'ruleMode'>;

/** Makes the calls one after the other on a copy, as AWS does [API_automation_PutOrganizationEnrollmentConfiguration]. */
function withEffects(
  tree: ConfigurationTree,
  calls: ReturnType<typeof planConfigurations>['calls'],
): readonly ConfigurationCall[] {
  const stored = new Map(tree.configurations);
  const parents = new Map([...tree.containers, ...tree.accounts].map(({ id, parentId }) => [id, parentId]));
  const reachedFrom = reachOf(tree, stored);
  const states = new Map<AccountId, State>(tree.accounts.map((account) => [account.id, account]));
  const inherited = (targetId: string): RuleMode => {
    for (let id = parents.get(targetId) ?? null; id !== null; id = parents.get(id) ?? null) {
      const mode = stored.get(id);
      if (mode !== undefined) return mode;
    }
    return 'NoneAllowed';
  };
  return calls.map((call): ConfigurationCall => {
    const { effect, targetId } = call;
    if (effect === 'put') stored.set(targetId, call.ruleMode);
    else stored.delete(targetId);
    const ruleMode = effect === 'put' ? call.ruleMode : inherited(targetId);
    const reached = reachedFrom(targetId);
    const accounts = new Map<AccountId, boolean>();
    for (const id of reached) {
      const before = states.get(id);
      const status = effect === 'put' ? 'Active' : (before?.status ?? null);
      const mode = before?.ruleMode ?? 'NoneAllowed';
      if (before?.status === status && mode === ruleMode) continue;
      accounts.set(id, mode === 'AnyAllowed' && ruleMode === 'NoneAllowed');
      states.set(id, { status, ruleMode });
    }
    return { effect, targetId, ruleMode, accounts, reached };
  });
}

/** Finds the accounts below a target that have no nearer configuration. */
function reachOf(tree: ConfigurationTree, stored: ReadonlyMap<string, RuleMode>) {
  const units = Map.groupBy(tree.containers, ({ parentId }) => parentId);
  const accounts = Map.groupBy(tree.accounts, ({ parentId }) => parentId);
  const isAccount = new Set(tree.accounts.map(({ id }) => id));
  return (targetId: string): readonly AccountId[] => {
    if (isAccount.has(targetId)) return [targetId];
    const found: AccountId[] = [];
    const open = [targetId];
    // The loop also visits the OUs that it adds.
    for (const unit of open) {
      for (const { id } of accounts.get(unit) ?? []) if (!stored.has(id)) found.push(id);
      for (const { id } of units.get(unit) ?? []) if (!stored.has(id)) open.push(id);
    }
    return found;
  };
}
