import * as fc from 'fast-check';
import type {
  ConfigurationTree,
  Container,
  TreeAccount,
  Want,
} from '../../shared/domain/decision/configuration-planner.ts';
import type { RuleMode } from '../../shared/domain/enrollment/model.ts';

const want = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Want>('AnyAllowed') },
  { weight: 3, arbitrary: fc.constant<Want>('NoneAllowed') },
  { weight: 1, arbitrary: fc.constantFrom<Want>('outside', 'held') },
);

/** Uniform policies are the usual case, and the one in which configurations save calls. */
const wants = fc.oneof(want, fc.constant<Want>('AnyAllowed'));

/** An organization as AWS would have it: accounts that a configuration covers are as it says. */
export const anyTree: fc.Arbitrary<ConfigurationTree> = fc
  .record({ ous: fc.integer({ min: 0, max: 6 }), members: fc.integer({ min: 0, max: 8 }) })
  .chain(({ ous, members }) =>
    fc.record({
      parents: fc.array(fc.nat(), { minLength: ous, maxLength: ous }),
      joiners: fc.array(wants, { minLength: ous + 1, maxLength: ous + 1 }),
      accounts: fc.array(
        fc.record({
          parent: fc.nat({ max: ous }),
          want: wants,
          status: fc.constantFrom('Active' as const, 'Inactive' as const),
          ruleMode: fc.constantFrom('AnyAllowed' as const, 'NoneAllowed' as const),
        }),
        { minLength: members, maxLength: members },
      ),
      present: fc.array(fc.constantFrom(null, null, null, 'AnyAllowed' as const, 'NoneAllowed' as const), {
        minLength: ous + 1 + members,
        maxLength: ous + 1 + members,
      }),
    }),
  )
  .map(({ parents, joiners, accounts, present }) => {
    const containers = joiners.map((each, n): Container => {
      const parent = n === 0 ? null : `ou-${(parents[n - 1] ?? 0) % n}`;
      return { id: `ou-${n}`, parentId: parent, joiners: each };
    });
    const members = accounts.map(({ parent, ...rest }, n): TreeAccount => {
      return { ...rest, id: `account-${n}`, parentId: `ou-${parent}` };
    });
    const ids = [...containers, ...members].map(({ id }) => id);
    const configurations = new Map<string, RuleMode>();
    for (const [n, mode] of present.entries()) {
      const id = ids[n];
      if (id !== undefined && mode !== null) configurations.set(id, mode);
    }
    // A covered account has the rule mode of its configuration, and Automation is on.
    const covered = (account: TreeAccount): TreeAccount => {
      const mode = nearest({ containers, accounts: members, configurations }, configurations, account.id);
      return mode === null ? account : { ...account, ruleMode: mode, status: 'Active' };
    };
    return { containers, accounts: members.map(covered), configurations };
  });

export function parentOf({ containers, accounts }: ConfigurationTree, id: string): string | null {
  return [...containers, ...accounts].find((node) => node.id === id)?.parentId ?? null;
}

/** AWS's rule: the configuration nearest to the account decides. */
export function nearest(
  tree: ConfigurationTree,
  configurations: ReadonlyMap<string, RuleMode>,
  from: string,
): RuleMode | null {
  for (let id: string | null = from; id !== null; id = parentOf(tree, id)) {
    const mode = configurations.get(id);
    if (mode !== undefined) return mode;
  }
  return null;
}
