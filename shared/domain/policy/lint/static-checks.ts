/** Checks of a policy that need no organization. */

import { ENROLLMENT_IDS, KINDS } from '../../enrollment/kinds/index.ts';
import { type Finding, findingAt, shown } from '../file/findings.ts';
import { exempts } from '../rules/compile.ts';
import { DESIRED_FIELDS, FIELDS, type Policy, type Rule, type Settings } from '../types.ts';
import { covers, selectsNothing } from './coverage.ts';

export function staticFindings(policy: Policy): Finding[] {
  const live = policy.rules.filter((rule) => !selectsNothing(rule.match));
  return [
    ...managesNothing(policy, live),
    ...unmetNeeds(policy),
    ...deadRules(policy),
    ...overlappingExemptions(policy),
  ];
}

/** Reports a policy that cannot manage any account of any organization. */
function managesNothing(policy: Policy, rules: readonly Rule[]): Finding[] {
  const layers: Partial<Settings>[] = [policy.defaults, ...rules.map((rule) => rule.sets)];
  const wants = layers.some((sets) => DESIRED_FIELDS.some((field) => (sets[field] ?? 'unmanaged') !== 'unmanaged'));
  const on = layers.some((sets) => (sets.mode ?? 'off') !== 'off');
  if (wants && on) return [];
  return [
    findingAt(policy.source, wants ? 'defaults' : '', {
      severity: 'error',
      message: 'this policy cannot match any account',
      found: wants ? 'mode: off everywhere' : 'only unmanaged enrollments',
      expected: 'at least one managed enrollment for some account',
      hint: wants
        ? 'Set `mode: alert` or `mode: enforce` in `defaults` or in a rule.'
        : `Set for example \`defaults: { ${ENROLLMENT_IDS[0]}: Active }\`, or add a rule.`,
    }),
  ];
}

/** Reports a field whose prerequisite nothing in the file can provide. */
function unmetNeeds(policy: Policy): Finding[] {
  const layers = [policy.defaults, ...policy.rules.map((rule) => rule.sets)];
  return policy.rules.flatMap(({ sets }, i) =>
    KINDS.flatMap((kind) => [
      ...unmetByRuleMode(policy, kind, { sets, layers, path: `rules[${i}]` }),
      ...unmetPrerequisites(policy, kind, { sets, layers, path: `rules[${i}]` }),
    ]),
  );
}

interface Layer {
  readonly sets: Partial<Settings>;
  /** The defaults and all rules. */
  readonly layers: readonly Partial<Settings>[];
  readonly path: string;
}

function unmetByRuleMode(
  { source }: Policy,
  { id, hasRuleMode }: (typeof KINDS)[number],
  { sets, layers, path }: Layer,
): Finding[] {
  if (!hasRuleMode || sets.organizationRules !== 'AnyAllowed' || sets[id] !== undefined) return [];
  if (layers.some((layer) => layer[id] === 'Active')) return [];
  return [
    findingAt(source, `${path}.organizationRules`, {
      severity: 'error',
      message: `contradiction: organizationRules: AnyAllowed needs ${id}: Active, which nothing in this file sets`,
      found: `no \`${id}: Active\``,
      expected: `\`${id}: Active\` for the same accounts`,
      hint: `Set \`${id}: Active\` here too, or set organizationRules to NoneAllowed or unmanaged.`,
    }),
  ];
}

function unmetPrerequisites(
  policy: Policy,
  { id, prerequisites }: (typeof KINDS)[number],
  { sets, layers, path }: Layer,
): Finding[] {
  if (sets[id] !== 'Active') return [];
  const off = prerequisites.filter(
    (each) =>
      sets[each] === undefined && layers.every((layer) => (layer[each] ?? policy.defaults[each]) === 'Inactive'),
  );
  return off.map((each) =>
    findingAt(policy.source, `${path}.${id}`, {
      severity: 'error',
      message: `contradiction: ${id}: Active needs ${each}: Active, but this file says Inactive everywhere`,
      found: `\`${each}: Inactive\` for every account`,
      expected: `\`${each}: Active\` for the same accounts`,
      hint: `Set \`${each}: Active\` here too, or set ${id} to Inactive or unmanaged.`,
    }),
  );
}

function deadRules(policy: Policy): Finding[] {
  const findings: Finding[] = [];
  for (const [i, rule] of policy.rules.entries()) {
    if (selectsNothing(rule.match)) {
      findings.push(
        findingAt(policy.source, `rules[${i}].match`, {
          severity: 'warning',
          message: `the rule ${shown(rule.id)} matches nothing: its \`not\` excludes everything that its other conditions select`,
          found: 'conditions that no account can meet',
          expected: 'a match that some account can meet',
          hint: 'Make the `not` narrower, or remove the rule.',
        }),
      );
      continue;
    }
    const fields = FIELDS.filter((field) => rule.sets[field] !== undefined);
    const by = fields.map((field) =>
      policy.rules.find((r, j) => j < i && r.sets[field] !== undefined && covers(r.match, rule.match)),
    );
    if (by.includes(undefined)) continue;
    const deciders = policy.rules.filter((r) => by.includes(r)).map((r) => r.id);
    findings.push(unreachable(policy, i, deciders));
  }
  return findings;
}

function unreachable(policy: Policy, index: number, by: readonly string[]): Finding {
  const id = policy.rules[index]?.id ?? '';
  return findingAt(policy.source, `rules[${index}]`, {
    severity: 'warning',
    message: `the rule ${shown(id)} can never decide anything: ${by.map(shown).join(' and ')} above it ${by.length === 1 ? 'decides' : 'decide'} everything that it sets`,
    found: 'an unreachable rule',
    expected: 'narrower rules above wider ones',
    hint: 'Move it up, or remove it.',
  });
}

function overlappingExemptions(policy: Policy): Finding[] {
  const first = new Map<string, string>();
  const findings: Finding[] = [];
  for (const exemption of policy.exemptions) {
    const overlaps = new Map<string, string>();
    for (const id of new Set(exemption.accounts)) {
      for (const enrollment of ENROLLMENT_IDS.filter((name) => exempts(exemption, name))) {
        const key = `${id} ${enrollment}`;
        const earlier = first.get(key);
        if (earlier === undefined) first.set(key, exemption.path);
        else overlaps.set(id, earlier);
      }
    }
    const [one] = overlaps;
    if (one === undefined) continue;
    const others = overlaps.size > 1 ? ` and ${overlaps.size - 1} more` : '';
    findings.push(
      findingAt(policy.source, `${exemption.path}.accounts`, {
        severity: 'warning',
        message: `this exemption overlaps with ${one[1]}; the one that ends last counts`,
        found: `${one[0]}${others} in both`,
        expected: 'one exemption for each account and enrollment',
        hint: 'Merge them.',
      }),
    );
  }
  return findings;
}
