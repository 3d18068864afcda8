/** Generates the policy of `policy init`. It describes the present state of the organization, so it causes no changes. */

import { byKind, type EnrollmentId, FIRST_KIND, KINDS, kindOf, kindsInUse } from '../../enrollment/kinds/index.ts';
import type { EnrollmentStatus, OrganizationConfiguration } from '../../enrollment/model.ts';
import { jsonAscii } from '../../text.ts';
import { shown } from '../file/findings.ts';
import { formatDate } from '../file/values.ts';
import type { DesiredStatus, OrganizationAccount } from '../types.ts';
import { configurationComment } from './configuration-comment.ts';
import { type Label, labelTree, type OuNode, ouTree } from './rules-from-ous.ts';

/** An observed enrollment; null: it could not be read. */
export interface ObservedEnrollments extends Readonly<Record<EnrollmentId, EnrollmentStatus | null>> {
  readonly ruleMode: 'AnyAllowed' | 'NoneAllowed' | null;
}

export interface InitInput {
  readonly accounts: readonly OrganizationAccount[];
  /** By account id; accounts that were not read are missing. */
  readonly observed: ReadonlyMap<string, ObservedEnrollments>;
  /** Epoch ms, for the heading. */
  readonly now: number;
  readonly managementAccountId: string;
  /** The role in member accounts; absent: the defaults apply. */
  readonly organization?: MemberAccess;
  /** Organization enrollment configurations; `null`: they could not be listed. Absent: there are none. */
  readonly configurations?: readonly OrganizationConfiguration[] | null;
}

export interface MemberAccess {
  readonly memberRole?: string;
  readonly externalId?: string;
}

/**
 * The defaults describe the most common state, rules for OUs describe subtrees that differ, and rules for accounts the rest.
 * Enrollments that are pending, failed or unread stay unmanaged.
 */
export function initPolicy(input: InitInput): string {
  const active = input.accounts.filter((account) => account.state === 'ACTIVE');
  const labelled = active.map((account) => ({ account, label: labelOf(input.observed.get(account.id)) }));
  const majority = mostCommon(labelled.map(({ label }) => label));
  const nothingKnown = majority === null || labelled.every(({ label }) => label.key === UNREAD.key);
  const root = ouTree(labelled);
  const base = majority ?? UNREAD;
  const subtrees = labelTree(root, base);
  const exceptions = exceptionsOf(root, base, subtrees);
  const rules = [
    ...[...exceptions.values()].map(({ label, accounts }) => accountRule(label, accounts, input.managementAccountId)),
    ...deepestFirst(subtrees).map(([node, label]) => ouRule(node, label)),
  ];
  const ids = new Set<string>();
  return [
    `# The organization as it was on ${formatDate(input.now)}: ${input.accounts.length} accounts, ${active.length} of them ACTIVE.`,
    '# `mode: alert` announces drift and changes nothing. Edit what should be different, review the result with',
    '# `rollcall plan --policy` and this file, then set `mode: enforce`.',
    ...partlyUnread(labelled.map(({ label }) => label)),
    'version: 1',
    ...organizationLines(input.organization ?? {}, configurationComment(input)),
    'defaults:',
    ...(nothingKnown
      ? ['  # No enrollment could be read, so this is only a starting point.', `  ${FIRST_KIND.id}: Active`]
      : fields(base).map((line) => `  ${line}`)),
    '  mode: alert',
    ...(rules.length === 0 ? [] : ['# The first matching rule that sets a field decides it.', 'rules:']),
    ...rules.flatMap(({ id, lines }) => [`  - id: ${unique(id, ids)}`, ...lines.map((line) => `    ${line}`)]),
    '',
  ].join('\n');
}

/** Quoted: an external id may look like a number. */
function organizationLines({ memberRole, externalId }: MemberAccess, configurations: readonly string[]): string[] {
  const values = Object.entries({ memberRole, externalId }).filter(([, value]) => value !== undefined);
  if (values.length === 0 && configurations.length === 0) return [];
  return [
    'organization:',
    ...values.map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`),
    ...configurations.map((line) => `  ${line}`),
  ];
}

/** The desired state with which the account complies: only settled statuses, and no contradiction. */
function labelOf(observed: ObservedEnrollments | undefined): Label {
  const seen = byKind((id) => settled(observed?.[id] ?? null));
  // AWS never reports an enrollment as Active without its prerequisites, but two listings can be minutes apart.
  const statuses = byKind((id) => {
    const contradicted = kindOf(id).prerequisites.some((each) => seen[each] === 'Inactive');
    return seen[id] === 'Active' && contradicted ? 'unmanaged' : seen[id];
  });
  const associable = KINDS.some(({ id, hasRuleMode }) => hasRuleMode && statuses[id] === 'Active');
  return makeLabel({ ...statuses, organizationRules: associable ? (observed?.ruleMode ?? 'unmanaged') : 'unmanaged' });
}

const settled = (status: EnrollmentStatus | null): DesiredStatus =>
  status === 'Active' || status === 'Inactive' ? status : 'unmanaged';

/** A starter policy leaves the kinds of later releases out: they are unmanaged until somebody decides about them. */
const STARTER_FIELDS = [...kindsInUse(() => false).map(({ id }) => id), 'organizationRules'] as const;

function makeLabel(sets: Omit<Label, 'key'>): Label {
  return { ...sets, key: STARTER_FIELDS.map((field) => sets[field]).join('-') };
}

const UNREAD = makeLabel({ ...byKind(() => 'unmanaged' as const), organizationRules: 'unmanaged' });

function mostCommon(labels: readonly Label[]): Label | null {
  const counts = new Map<string, { label: Label; count: number }>();
  for (const label of labels) counts.set(label.key, { label, count: (counts.get(label.key)?.count ?? 0) + 1 });
  const [first] = [...counts.values()].sort((a, b) => b.count - a.count || (a.label.key < b.label.key ? -1 : 1));
  return first?.label ?? null;
}

function partlyUnread(labels: readonly Label[]): string[] {
  const { id, title } = FIRST_KIND;
  const unread = labels.filter((label) => label[id] === 'unmanaged').length;
  if (unread === 0) return [];
  return [`# ${title} was pending, failed or could not be read in ${unread} of them: unmanaged for now.`];
}

const fields = (label: Label): string[] => STARTER_FIELDS.map((field) => `${field}: ${label[field]}`);

interface Exception {
  readonly label: Label;
  readonly accounts: OrganizationAccount[];
}

/** Accounts that differ from their OU's rule or from the defaults, grouped by their state. */
function exceptionsOf(root: OuNode, base: Label, subtrees: ReadonlyMap<OuNode, Label>): Map<string, Exception> {
  const found = new Map<string, Exception>();
  const visit = (node: OuNode, inherited: Label): void => {
    const here = subtrees.get(node) ?? inherited;
    for (const { account, label } of node.accounts) {
      if (label.key === here.key) continue;
      const exception = found.get(label.key) ?? { label, accounts: [] };
      exception.accounts.push(account);
      found.set(label.key, exception);
    }
    for (const child of node.children.values()) visit(child, here);
  };
  visit(root, base);
  return found;
}

function accountRule(label: Label, accounts: readonly OrganizationAccount[], managementAccountId: string) {
  const byId = accounts.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const line = ({ id, name }: OrganizationAccount) =>
    `    - "${id}" # ${shown(name)}${id === managementAccountId ? ', the management account' : ''}`;
  return {
    id: groupName(label),
    lines: ['match:', '  accounts:', ...byId.map(line), ...fields(label)],
  };
}

/** Names a group of accounts, not values: an edited value must not contradict the name of its rule. */
function groupName(label: Label): string {
  const kinds = kindsInUse(() => false);
  if (kinds.some(({ id }) => label[id] === 'unmanaged')) return 'not-settled';
  const enabled = kinds.filter(({ id }) => label[id] === 'Active');
  if (enabled.length === 0) return 'not-enrolled';
  if (enabled.length === kinds.length) return 'enrolled';
  return `only-${enabled.map(({ title }) => title.toLowerCase().replaceAll(' ', '-')).join('-')}`;
}

function ouRule(node: OuNode, label: Label) {
  const slug = node.path
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 56)
    .replace(/^-+|-+$/g, '');
  const id = slug === '' || slug === 'defaults' ? `ou-${slug || 'rule'}` : slug;
  return { id, lines: [`match: { ou: ${jsonAscii(JSON.stringify(node.path))} }`, ...fields(label)] };
}

/** The rule of an OU must come before that of its parent. */
function deepestFirst(subtrees: ReadonlyMap<OuNode, Label>): [OuNode, Label][] {
  return [...subtrees].sort(([a], [b]) => b.depth - a.depth || (a.path < b.path ? -1 : 1));
}

function unique(id: string, taken: Set<string>): string {
  let name = id;
  for (let n = 2; taken.has(name); n++) name = `${id}-${n}`;
  taken.add(name);
  return name;
}
