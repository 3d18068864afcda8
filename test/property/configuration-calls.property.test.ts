import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ConfigurationCall,
  type ConfigurationDecision,
  decideConfigurations,
} from '../../shared/domain/decision/configuration-calls.ts';
import { type ConfigurationTree, planConfigurations } from '../../shared/domain/decision/configuration-plan.ts';
import type { RuleMode } from '../../shared/domain/enrollment/model.ts';
import { anyTree, nearest, parentOf } from './configuration-trees.ts';

interface Case {
  readonly tree: ConfigurationTree;
  /** Configurations that somebody else set. */
  readonly foreign: ReadonlySet<string>;
  /** The foreign ones whose change is approved. */
  readonly approved: ReadonlySet<string>;
}

const anyCase: fc.Arbitrary<Case> = anyTree.chain((tree) => {
  const stored = fc.subarray([...tree.configurations.keys()]);
  return fc.tuple(stored, stored).map(([foreign, asked]) => {
    return { tree, foreign: new Set(foreign), approved: new Set(asked.filter((id) => foreign.includes(id))) };
  });
});

const needsApproval = ({ foreign, approved }: Case, id: string): boolean => foreign.has(id) && !approved.has(id);

const decide = (given: Case): ConfigurationDecision =>
  decideConfigurations(given.tree, ({ targetId }) => !needsApproval(given, targetId));

/** The node and everything above it. */
function pathOf(tree: ConfigurationTree, from: string): string[] {
  const path: string[] = [];
  for (let id: string | null = from; id !== null; id = parentOf(tree, id)) path.push(id);
  return path;
}

/** The configurations after these calls. */
function afterCalls(tree: ConfigurationTree, calls: readonly ConfigurationCall[]): Map<string, RuleMode> {
  const stored = new Map(tree.configurations);
  for (const { effect, targetId, ruleMode } of calls) {
    if (effect === 'put') stored.set(targetId, ruleMode);
    else stored.delete(targetId);
  }
  return stored;
}

const targets = (calls: readonly { readonly targetId: string }[]): string[] => calls.map(({ targetId }) => targetId);

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
  it('never include one without the approval that it needs, nor one below it', () => {
    const seen = onTrees((given, { calls, refused }) => {
      const { tree } = given;
      expect(targets(calls).filter((id) => needsApproval(given, id))).toEqual([]);
      const stopped = new Set(targets(refused).filter((id) => needsApproval(given, id)));
      for (const id of targets(calls)) expect(pathOf(tree, id).filter((each) => stopped.has(each))).toEqual([]);
      for (const id of targets(refused)) expect(pathOf(tree, id).some((each) => stopped.has(each))).toBe(true);
    });
    expect(seen.refused).toBeGreaterThan(50);
    expect(seen.several).toBeGreaterThan(50);
  });

  it('change no configuration and no account at or below a target that was refused', () => {
    onTrees(({ tree }, { calls, refused }) => {
      const stopped = new Set(targets(refused));
      const stored = afterCalls(tree, calls);
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
      const stopped = new Set(targets(refused));
      const isLeft = ({ id }: { readonly id: string }): boolean => !pathOf(tree, id).some((each) => stopped.has(each));
      const rest = { ...tree, containers: tree.containers.filter(isLeft), accounts: tree.accounts.filter(isLeft) };
      const planned = planConfigurations(rest);
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
      const states = new Map(tree.accounts.map(({ id, status, ruleMode }) => [id, { status, ruleMode }]));
      let stored: ReadonlyMap<string, RuleMode> = tree.configurations;
      for (const call of calls) {
        stored = afterCalls({ ...tree, configurations: stored }, [call]);
        const expected = new Map<string, boolean>();
        for (const [id, before] of states) {
          const path = pathOf(tree, id);
          const governing = path.find((each) => stored.has(each) || each === call.targetId);
          if (governing !== call.targetId) continue;
          const ruleMode = nearest(tree, stored, id) ?? 'NoneAllowed';
          const status = call.effect === 'put' ? 'Active' : before.status;
          if (status === before.status && ruleMode === before.ruleMode) continue;
          expected.set(id, before.ruleMode === 'AnyAllowed' && ruleMode === 'NoneAllowed');
          states.set(id, { status, ruleMode });
        }
        expect(new Map(call.accounts)).toEqual(expected);
      }
    });
  });
});
