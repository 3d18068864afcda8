import type { Field, Match, Policy, Settings } from '../types.ts';
import { ouCovers } from './match.ts';

/** Whether a condition holds for an account that does not exist yet. */
export type Possibility = 'yes' | 'no' | 'maybe';

/** An account that may join directly under an OU later: only its OU is known. */
export interface Joiner {
  /** The path of the OU, as in a policy: `/`, `/A/B`. */
  readonly ou: string;
  /** The accounts of the organization. A joiner has another id, so a selector that names only these cannot match it. */
  readonly knownIds: ReadonlySet<string>;
}

/** A value that a field may have for a joiner, with the rule (or `defaults`) that sets it. */
export interface PossibleValue {
  readonly value: Settings[Field];
  readonly rule: string;
}

/** Whether a selector matches a joiner. Names and tags are unknown, so conditions on them give `maybe`. */
export function mayMatch({ accounts, ou, name, tags, not }: Match, joiner: Joiner): Possibility {
  const conditions: Possibility[] = [];
  if (accounts !== undefined) conditions.push(accounts.every((id) => joiner.knownIds.has(id)) ? 'no' : 'maybe');
  if (ou !== undefined) conditions.push(ou.some((path) => ouCovers(path, joiner.ou)) ? 'yes' : 'no');
  if (name !== undefined) conditions.push('maybe');
  if (tags !== undefined) conditions.push('maybe');
  if (not !== undefined) conditions.push(opposite(mayMatch(not, joiner)));
  if (conditions.includes('no')) return 'no';
  return conditions.includes('maybe') ? 'maybe' : 'yes';
}

function opposite(possibility: Possibility): Possibility {
  if (possibility === 'maybe') return 'maybe';
  return possibility === 'yes' ? 'no' : 'yes';
}

/** Every value that a field may have for a joiner: of the rules that may match it, down to the first that certainly does. */
export function possibleValues({ rules, defaults }: Policy, joiner: Joiner, field: Field): readonly PossibleValue[] {
  const values: PossibleValue[] = [];
  for (const { id, sets, match } of rules) {
    const value = sets[field];
    const matches = value === undefined ? 'no' : mayMatch(match, joiner);
    if (value === undefined || matches === 'no') continue;
    values.push({ value, rule: id });
    if (matches === 'yes') return values;
  }
  return [...values, { value: defaults[field], rule: 'defaults' }];
}
