import type { OrganizationAccount, Settings } from '../types.ts';

/** The desired state of an account without the mode. Equal states have the same `key`. */
export type Label = Omit<Settings, 'mode'> & { readonly key: string };

export interface OuNode {
  readonly path: string;
  readonly depth: number;
  readonly accounts: { readonly account: OrganizationAccount; readonly label: Label }[];
  readonly children: Map<string, OuNode>;
}

function makeNode(path: string, depth: number): OuNode {
  return { path, depth, accounts: [], children: new Map() };
}

/** The OUs that contain accounts, as a tree below the root of the organization. */
export function ouTree(labelled: OuNode['accounts']): OuNode {
  const root = makeNode('/', 0);
  for (const entry of labelled) {
    let node = root;
    for (const name of entry.account.ou.split('/').slice(1)) {
      // No selector can name this path (an OU name contains a slash), so the account counts to the parent OU.
      if (name === '') break;
      const path = node === root ? `/${name}` : `${node.path}/${name}`;
      const child = node.children.get(name) ?? makeNode(path, node.depth + 1);
      node.children.set(name, child);
      node = child;
    }
    node.accounts.push(entry);
  }
  return root;
}

/** A rule for an OU costs slightly more than naming one account, so a single account is named. */
const RULE_COST = 1.5;

interface Choice {
  readonly cost: number;
  readonly label: Label;
}

/**
 * Finds the rules for OUs that describe the tree with the fewest rules and single accounts: for every OU and every label that it
 * may inherit from above, the cheapest description of its subtree.
 */
export function labelTree(root: OuNode, base: Label): Map<OuNode, Label> {
  const known = new Map<OuNode, Map<string, Choice>>();

  const costWith = (node: OuNode, label: Label): number => {
    let cost = node.accounts.filter((entry) => entry.label.key !== label.key).length;
    for (const child of node.children.values()) cost += choose(child, label).cost;
    return cost;
  };
  const choose = (node: OuNode, inherited: Label): Choice => {
    const byLabel = known.get(node) ?? new Map<string, Choice>();
    known.set(node, byLabel);
    const before = byLabel.get(inherited.key);
    if (before !== undefined) return before;
    let best: Choice = { cost: costWith(node, inherited), label: inherited };
    for (const label of labelsBelow(node).values()) {
      if (label.key === inherited.key || best.cost <= RULE_COST) continue;
      const cost = RULE_COST + costWith(node, label);
      if (cost < best.cost) best = { cost, label };
    }
    byLabel.set(inherited.key, best);
    return best;
  };

  const rules = new Map<OuNode, Label>();
  const collect = (node: OuNode, inherited: Label): void => {
    for (const child of node.children.values()) {
      const { label } = choose(child, inherited);
      if (label.key !== inherited.key) rules.set(child, label);
      collect(child, label);
    }
  };
  collect(root, base);
  return rules;
}

function labelsBelow(node: OuNode, into = new Map<string, Label>()): Map<string, Label> {
  for (const { label } of node.accounts) into.set(label.key, label);
  for (const child of node.children.values()) labelsBelow(child, into);
  return into;
}
