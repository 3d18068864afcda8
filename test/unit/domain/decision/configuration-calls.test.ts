import { describe, expect, it } from 'vitest';
import {
  type ConfigurationCall,
  decideConfigurations,
} from '../../../../shared/domain/decision/configuration-calls.ts';
import type { ConfigurationTree, TreeAccount, Want } from '../../../../shared/domain/decision/configuration-planner.ts';
import type { RuleMode } from '../../../../shared/domain/enrollment/model.ts';

const account = (id: string, parentId: string, want: Want, over: Partial<TreeAccount> = {}): TreeAccount => {
  return { id, parentId, want, status: 'Inactive', ruleMode: 'NoneAllowed', ...over };
};

function treeOf(accounts: readonly TreeAccount[], stored: Record<string, RuleMode> = {}, other: Want = 'AnyAllowed') {
  const containers = [
    { id: 'r', parentId: null, joiners: 'AnyAllowed' },
    { id: 'ou-a', parentId: 'r', joiners: 'AnyAllowed' },
    { id: 'ou-b', parentId: 'r', joiners: other },
  ] as const;
  return { containers, accounts, configurations: new Map(Object.entries(stored)) } satisfies ConfigurationTree;
}

const textOf = ({ effect, targetId, ruleMode, accounts }: ConfigurationCall): string =>
  [effect, targetId, ruleMode, ...[...accounts].map(([id, optOut]) => (optOut ? `${id}-` : id))].join(' ');

function decided(tree: ConfigurationTree, ours: readonly string[] = []) {
  const { calls, refused } = decideConfigurations(
    tree,
    ({ targetId }) => !tree.configurations.has(targetId) || ours.includes(targetId),
  );
  return { calls: calls.map(textOf), refused: refused.map(textOf) };
}

describe('the calls for configurations', () => {
  it('name the accounts that each changes, and not those that have a nearer configuration or are so already', () => {
    const tree = treeOf(
      [
        account('1', 'r', 'AnyAllowed'),
        account('2', 'ou-a', 'AnyAllowed', { status: 'Active', ruleMode: 'AnyAllowed' }),
        account('3', 'ou-b', 'NoneAllowed', { status: 'Active', ruleMode: 'AnyAllowed' }),
        account('4', 'ou-a', 'AnyAllowed', { status: 'Active' }),
      ],
      {},
      'NoneAllowed',
    );
    expect(decided(tree)).toEqual({ calls: ['put ou-b NoneAllowed 3-', 'put r AnyAllowed 1 4'], refused: [] });
  });

  it('count an account that loses AnyAllowed with a deleted configuration as an opt-out', () => {
    const active = { status: 'Active', ruleMode: 'AnyAllowed' } as const;
    const tree = treeOf([account('1', 'ou-a', 'outside', active)], { r: 'AnyAllowed', 'ou-b': 'AnyAllowed' });
    expect(decided(tree, ['r'])).toEqual({ calls: ['delete r NoneAllowed 1-'], refused: [] });
  });

  it('leave a configuration of somebody else and everything below it alone, and do not depend on it', () => {
    const tree = treeOf([account('1', 'ou-a', 'AnyAllowed'), account('2', 'ou-b', 'AnyAllowed')], {
      'ou-b': 'NoneAllowed',
    });
    expect(decided(tree)).toEqual({ calls: ['put r AnyAllowed 1'], refused: ['put ou-b AnyAllowed 2'] });
    expect(decided(tree, ['ou-b'])).toEqual({ calls: ['put ou-b AnyAllowed 2', 'put r AnyAllowed 1'], refused: [] });
  });

  it('do not exist if the root has a configuration of somebody else', () => {
    const tree = treeOf([account('1', 'ou-a', 'AnyAllowed')], { r: 'NoneAllowed' });
    expect(decided(tree)).toEqual({ calls: [], refused: ['put r AnyAllowed 1'] });
  });

  it('do not reach an OU whose own call may not be made', () => {
    const tree = treeOf([account('1', 'ou-a', 'AnyAllowed'), account('2', 'ou-b', 'NoneAllowed')], {}, 'NoneAllowed');
    const { calls, refused } = decideConfigurations(tree, ({ targetId }) => targetId !== 'ou-b');
    expect({ calls: calls.map(textOf), refused: refused.map(textOf) }).toEqual({
      calls: ['put ou-a AnyAllowed 1'],
      refused: ['put ou-b NoneAllowed 2'],
    });
  });
});
