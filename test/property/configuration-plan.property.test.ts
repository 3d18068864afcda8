import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ConfigurationTree,
  planConfigurations,
  type Want,
} from '../../shared/domain/decision/configuration-planner.ts';
import type { RuleMode } from '../../shared/domain/enrollment/model.ts';
import { anyTree, nearest } from './configuration-trees.ts';

/** AWS's limit of accounts in one AssociateAccounts or DisassociateAccounts call; small here, so that several calls are needed. */
const BATCH = 3;

type Configurations = ReadonlyMap<string, RuleMode>;

/** Every want at or below a node. */
function wantsBelow(tree: ConfigurationTree, id: string): Want[] {
  const own = [
    ...tree.containers.filter((each) => each.id === id).map(({ joiners }) => joiners),
    ...tree.accounts.filter((each) => each.id === id).map((each) => each.want),
  ];
  const children = [...tree.containers, ...tree.accounts].filter(({ parentId }) => parentId === id);
  return [...own, ...children.flatMap((child) => wantsBelow(tree, child.id))];
}

/** Whether the configurations at a node and above it are what the policy wants there, as far as held accounts allow it. */
function isGoodAt(tree: ConfigurationTree, configurations: Configurations, id: string): boolean {
  const below = new Set(wantsBelow(tree, id));
  if (below.has('held')) return configurations.get(id) === tree.configurations.get(id);
  const account = tree.accounts.find((each) => each.id === id);
  const mode = nearest(tree, configurations, id);
  if (below.has('outside')) return !configurations.has(id);
  if (account !== undefined) return mode === null || mode === account.want;
  return tree.containers.some(({ id: container, joiners }) => container === id && joiners === mode);
}

function isGood(tree: ConfigurationTree, configurations: Configurations): boolean {
  return [...tree.containers, ...tree.accounts].every(({ id }) => isGoodAt(tree, configurations, id));
}

/** The mutating calls from the present configurations to these, and then for the accounts that no configuration covers. */
function callsFor(tree: ConfigurationTree, configurations: Configurations): number {
  const ids = new Set([...tree.configurations.keys(), ...configurations.keys()]);
  let calls = [...ids].filter((id) => tree.configurations.get(id) !== configurations.get(id)).length;
  let associated = 0;
  let disassociated = 0;
  for (const { id, want: wanted, status, ruleMode } of tree.accounts) {
    if (wanted === 'held' || wanted === 'outside' || nearest(tree, configurations, id) !== null) continue;
    // Deleting the last configuration above an account sets NoneAllowed.
    const mode = nearest(tree, tree.configurations, id) === null ? ruleMode : 'NoneAllowed';
    if (wanted === 'AnyAllowed') {
      if (mode !== 'AnyAllowed' || status !== 'Active') associated += 1;
      continue;
    }
    if (mode === 'AnyAllowed') disassociated += 1;
    if (status !== 'Active') calls += 1;
  }
  calls += Math.ceil(associated / BATCH) + Math.ceil(disassociated / BATCH);
  return calls;
}

/**
 * Every assignment of configurations that is good, found node by node from the root: what a node may have depends only on its ancestors and on the
 * wants below it, so a bad choice is dropped before the nodes below are tried.
 */
function* goodAssignments(tree: ConfigurationTree): Generator<Configurations> {
  const ids = [...tree.containers, ...tree.accounts].map(({ id }) => id);
  const options = [undefined, 'AnyAllowed', 'NoneAllowed'] as const;
  function* choose(index: number, chosen: Configurations): Generator<Configurations> {
    const id = ids[index];
    if (id === undefined) {
      yield chosen;
      return;
    }
    for (const mode of options) {
      const next = mode === undefined ? chosen : new Map(chosen).set(id, mode);
      if (isGoodAt(tree, next, id)) yield* choose(index + 1, next);
    }
  }
  yield* choose(0, new Map());
}

/** The configurations once the calls of the plan are made. */
function planned(tree: ConfigurationTree): Map<string, RuleMode> {
  const configurations = new Map(tree.configurations);
  for (const call of planConfigurations(tree).calls) {
    if (call.effect === 'put') configurations.set(call.targetId, call.ruleMode);
    else configurations.delete(call.targetId);
  }
  return configurations;
}

describe('the plan of organization enrollment configurations', () => {
  it('gives every account and joiner what the policy wants', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const configurations = planned(tree);
        expect(isGood(tree, configurations)).toBe(true);
        const { effective } = planConfigurations(tree);
        for (const { id } of [...tree.containers, ...tree.accounts])
          expect(effective.get(id)).toBe(nearest(tree, configurations, id));
      }),
      { numRuns: 1_500 },
    );
  });

  it('plans nothing once its calls are made', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const configurations = planned(tree);
        const accounts = tree.accounts.map((account) => {
          const mode = nearest(tree, configurations, account.id);
          const was = nearest(tree, tree.configurations, account.id);
          if (mode !== null) return { ...account, status: 'Active' as const, ruleMode: mode };
          return was === null ? account : { ...account, ruleMode: 'NoneAllowed' as const };
        });
        expect(planConfigurations({ ...tree, accounts, configurations }).calls).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('needs as few calls as the best of all assignments', () => {
    let compared = 0;
    fc.assert(
      fc.property(anyTree, (tree) => {
        let best = Number.POSITIVE_INFINITY;
        for (const each of goodAssignments(tree)) {
          best = Math.min(best, callsFor(tree, each));
          compared += 1;
        }
        expect(callsFor(tree, planned(tree))).toBe(best);
      }),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(5_000);
  });

  it('never leads an account through a rule mode that it has neither now nor in the end', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const configurations = new Map(tree.configurations);
        const end = planned(tree);
        for (const call of planConfigurations(tree).calls) {
          if (call.effect === 'put') configurations.set(call.targetId, call.ruleMode);
          else configurations.delete(call.targetId);
          for (const { id } of tree.accounts) {
            const allowed = [nearest(tree, tree.configurations, id), nearest(tree, end, id)];
            expect(allowed).toContain(nearest(tree, configurations, id));
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
