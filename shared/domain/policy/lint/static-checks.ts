/** What can be said about a policy without knowing the organization. */

import type { EnrollmentId } from '../../enrollment/kinds/index.ts';
import { type Finding, findingAt, shown } from '../file/findings.ts';
import { exempts } from '../rules/compile.ts';
import { FIELDS, type Policy, type Rule, type Settings } from '../types.ts';
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

const SETS: readonly (keyof Settings)[] = ['computeOptimizer', 'automation', 'organizationRules'];

/** A policy under which no account could be managed, whatever the organization looks like. */
function managesNothing(policy: Policy, rules: readonly Rule[]): Finding[] {
  const layers: Partial<Settings>[] = [policy.defaults, ...rules.map((rule) => rule.sets)];
  const wants = layers.some((sets) => SETS.some((field) => (sets[field] ?? 'unmanaged') !== 'unmanaged'));
  const on = layers.some((sets) => (sets.mode ?? 'off') !== 'off');
  if (wants && on) return [];
  return [
    findingAt(policy.source, wants ? 'defaults' : '', {
      severity: 'error',
      message: 'this policy can match no account at all',
      found: wants ? 'mode: off everywhere' : 'only unmanaged enrollments',
      expected: 'at least one enrollment to keep, for some account',
      hint: wants
        ? 'Set `mode: alert` or `mode: enforce` in `defaults` or in a rule.'
        : 'Set for example `defaults: { computeOptimizer: Active }`, or add a rule.',
    }),
  ];
}

/** A field that is set somewhere although nothing in the file could give any account what it needs. */
function unmetNeeds(policy: Policy): Finding[] {
  const layers = [policy.defaults, ...policy.rules.map((rule) => rule.sets)];
  const anyAutomation = layers.some((sets) => sets.automation === 'Active');
  const computeOptimizer = new Set(layers.map((sets) => sets.computeOptimizer ?? policy.defaults.computeOptimizer));
  const findings: Finding[] = [];
  for (const [i, { sets }] of policy.rules.entries()) {
    if (sets.organizationRules === 'AnyAllowed' && sets.automation === undefined && !anyAutomation) {
      findings.push(
        findingAt(policy.source, `rules[${i}].organizationRules`, {
          severity: 'error',
          message:
            'contradiction: organizationRules: AnyAllowed needs automation: Active, which nothing in this file sets',
          found: 'no `automation: Active`',
          expected: '`automation: Active` for the same accounts',
          hint: 'Set `automation: Active` here too, or set organizationRules to NoneAllowed or unmanaged.',
        }),
      );
    }
    const onlyInactive = computeOptimizer.size === 1 && computeOptimizer.has('Inactive');
    if (sets.automation === 'Active' && sets.computeOptimizer === undefined && onlyInactive) {
      findings.push(
        findingAt(policy.source, `rules[${i}].automation`, {
          severity: 'error',
          message:
            'contradiction: automation: Active needs computeOptimizer: Active, but this file says Inactive everywhere',
          found: '`computeOptimizer: Inactive` for every account',
          expected: '`computeOptimizer: Active` for the same accounts',
          hint: 'Set `computeOptimizer: Active` here too, or set automation to Inactive or unmanaged.',
        }),
      );
    }
  }
  return findings;
}

function deadRules(policy: Policy): Finding[] {
  const findings: Finding[] = [];
  for (const [i, rule] of policy.rules.entries()) {
    if (selectsNothing(rule.match)) {
      findings.push(
        findingAt(policy.source, `rules[${i}].match`, {
          severity: 'warning',
          message: `the rule ${shown(rule.id)} matches nothing: its \`not\` excludes all that its other conditions select`,
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
    message: `the rule ${shown(id)} can never decide anything: ${by.map(shown).join(' and ')} above it ${by.length === 1 ? 'decides' : 'decide'} all that it sets`,
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
      for (const enrollment of ENROLLMENTS.filter((name) => exempts(exemption, name))) {
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

const ENROLLMENTS: readonly EnrollmentId[] = ['computeOptimizer', 'automation'];
