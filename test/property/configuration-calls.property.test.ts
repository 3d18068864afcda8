import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ConfigurationCall,
  type ConfigurationDecision,
  decideConfigurations,
} from '../../shared/domain/decision/configuration-calls.ts';
import {
  type ConfigurationTree,
  planConfigurations,
  type TreeAccount,
} from '../../shared/domain/decision/configuration-planner.ts';
import type { RuleMode } from '../../shared/domain/enrollment/model.ts';
import { anyTree, nearest, parentOf } from './configuration-trees.ts';

interface Case {
  readonly tree: ConfigurationTree;
  /** Configurations that somebody else set. */
  readonly foreign: ReadonlySet<string>;
  /** The foreign ones whose change is approved. */
  readonly approved: ReadonlySet<string>;
  /** Targets whose configuration somebody else keeps deleting. */
  readonly contested: ReadonlySet<string>;
}

const anyCase: fc.Arbitrary<Case> = anyTree.chain((tree) => {
  const stored = fc.subarray([...tree.configurations.keys()]);
  const nodes = [...tree.containers, ...tree.accounts].map(({ id }) => id);
  const few = fc.oneof(fc.constant([]), fc.subarray(nodes, { maxLength: Math.min(3, nodes.length) }));
  return fc.tuple(stored, stored, few).map(([foreign, asked, contested]) => {
    const approved = new Set(asked.filter((id) => foreign.includes(id)));
    return { tree, foreign: new Set(foreign), approved, contested: new Set(contested) };
  });
});

const isBarred = ({ foreign, approved, contested }: Case, id: string): boolean =>
  foreign.has(id) ? !approved.has(id) : contested.has(id);

const decide = (given: Case): ConfigurationDecision =>
  decideConfigurations(given.tree, ({ targetId }) => !isBarred(given, targetId));

/** The node and everything above it. */
function pathOf(tree: ConfigurationTree, from: string): string[] {
  const path: string[] = [];
  for (let id: string | null = from; id !== null; id = parentOf(tree, id)) path.push(id);
  return path;
}

/** The configurations after these calls. */
function withCalls(tree: ConfigurationTree, calls: readonly ConfigurationCall[]): Map<string, RuleMode> {
  const stored = new Map(tree.configurations);
  for (const { effect, targetId, ruleMode } of calls) {
    if (effect === 'put') stored.set(targetId, ruleMode);
    else stored.delete(targetId);
  }
  return stored;
}

const targets = (calls: readonly { readonly targetId: string }[]): string[] => calls.map(({ targetId }) => targetId);

/** An account once a call is made: AWS gives it the nearest configuration. The same object if that changes nothing. */
function changedBy(
  { effect, targetId }: ConfigurationCall,
  tree: ConfigurationTree,
  account: TreeAccount,
): TreeAccount {
  const governing = pathOf(tree, account.id).find((id) => id === targetId || tree.configurations.has(id));
  if (governing !== targetId) return account;
  const ruleMode = nearest(tree, tree.configurations, account.id) ?? 'NoneAllowed';
  const status = effect === 'put' ? 'Active' : account.status;
  return status === account.status && ruleMode === account.ruleMode ? account : { ...account, status, ruleMode };
}

/** The organization without what is at or below these targets. One without a configuration holds up what is above it. */
function restOf(tree: ConfigurationTree, stopped: ReadonlySet<string>): ConfigurationTree {
  const isLeft = ({ id }: { readonly id: string }): boolean => {
    const found = pathOf(tree, id).filter((each) => stopped.has(each));
    return found.length === 0 || (found.length === 1 && found[0] === id && !tree.configurations.has(id));
  };
  return {
    ...tree,
    containers: tree.containers
      .filter(isLeft)
      .map((each) => (stopped.has(each.id) ? { ...each, joiners: 'held' as const } : each)),
    accounts: tree.accounts
      .filter(isLeft)
      .map((each) => (stopped.has(each.id) ? { ...each, want: 'held' as const } : each)),
  };
}

/** Checks the property on many trees. @returns in how many of them a call was refused, or two were made */
function onTrees(check: (given: Case, decided: ConfigurationDecision) => void): { refused: number; several: number } {
  const seen = { refused: 0, several: 0 };
  const property = fc.property(anyCase, (given) => {
    const decided = decide(given);
    if (decided.refused.length > 0) seen.refused += 1;
    if (decided.calls.length > 1) seen.several += 1;
    check(given, decided);
  });
  fc.assert(property, { numRuns: 1_000 });
  return seen;
}

describe('the calls for configurations that belong to several owners', () => {
  it('never include one without the approval that it needs, a contested one, or one below either', () => {
    const seen = onTrees((given, { calls, refused }) => {
      const { tree } = given;
      expect(targets(calls).filter((id) => isBarred(given, id))).toEqual([]);
      const stopped = new Set(targets(refused).filter((id) => isBarred(given, id)));
      for (const id of targets(calls)) expect(pathOf(tree, id).filter((each) => stopped.has(each))).toEqual([]);
      for (const id of targets(refused)) expect(pathOf(tree, id).some((each) => stopped.has(each))).toBe(true);
    });
    expect(seen.refused).toBeGreaterThan(50);
    expect(seen.several).toBeGreaterThan(50);
  });

  it('change no configuration and no account at or below a target that was refused', () => {
    onTrees(({ tree }, { calls, refused }) => {
      const stopped = new Set(targets(refused));
      const stored = withCalls(tree, calls);
      const changed = new Set(calls.flatMap(({ accounts }) => [...accounts.keys()]));
      for (const { id } of [...tree.containers, ...tree.accounts]) {
        if (!pathOf(tree, id).some((each) => stopped.has(each))) continue;
        expect(stored.get(id)).toBe(tree.configurations.get(id));
        expect(nearest(tree, stored, id)).toBe(nearest(tree, tree.configurations, id));
        expect(changed.has(id)).toBe(false);
      }
    });
  });

  it('are those of the plan for the rest of the organization', () => {
    onTrees(({ tree }, { calls, refused, effective }) => {
      const planned = planConfigurations(restOf(tree, new Set(targets(refused))));
      expect(effective).toEqual(planned.effective);
      expect(calls.map(({ effect, targetId }) => ({ effect, targetId }))).toEqual(
        planned.calls.map(({ effect, targetId }) => ({ effect, targetId })),
      );
      for (const [n, call] of planned.calls.entries())
        if (call.effect === 'put') expect(calls[n]?.ruleMode).toBe(call.ruleMode);
    });
  });

  it('name exactly the accounts whose state they change, and the opt-outs among them', () => {
    onTrees(({ tree }, { calls }) => {
      let accounts = tree.accounts;
      let stored: ReadonlyMap<string, RuleMode> = tree.configurations;
      for (const call of calls) {
        stored = withCalls({ ...tree, configurations: stored }, [call]);
        const next = accounts.map((account) => changedBy(call, { ...tree, configurations: stored }, account));
        const changed = accounts.flatMap(({ id, ruleMode: was }, n): [string, boolean][] =>
          next[n] === accounts[n] ? [] : [[id, was === 'AnyAllowed' && next[n]?.ruleMode === 'NoneAllowed']],
        );
        expect(new Map(call.accounts)).toEqual(new Map(changed));
        accounts = next;
      }
    });
  });
});
