import { ENROLLMENT_IDS, EVERY_ENROLLMENT } from '../../enrollment/kinds/index.ts';
import { nearestPlace } from '../file/findings.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { type DesiredState, FIELDS, type Place } from '../types.ts';
import type { Expectation, Expectations } from './expectations.ts';

/** A difference between policy and expectation. */
interface Mismatch {
  /** A field, `exempt`, `canary` or `contradiction`. */
  readonly field: string;
  readonly expected: string;
  readonly found: string;
  /** The position of the expectation. */
  readonly line: number;
  readonly column: number;
}

/** The shape of an element of `results` in `policy test --json`. */
export interface Outcome extends Place {
  readonly name: string;
  readonly passed: boolean;
  readonly mismatches: readonly Mismatch[];
}

export interface TestResult {
  readonly results: readonly Outcome[];
  /** Rules of the policy that decide nothing for the accounts of the expectations. */
  readonly untestedRules: readonly string[];
}

/** Checks every expectation against the policy. @param now epoch ms, for expectations without a day */
export function tryExpectations(policy: CompiledPolicy, { list, source }: Expectations, now: number): TestResult {
  const deciding = new Set<string>();
  const results = list.map((expectation) => {
    const desired = policy.resolve(expectation.account);
    for (const field of FIELDS) deciding.add(desired[field].rule);
    const found = differences(policy, expectation, desired, now);
    const mismatches = found.map(({ path, ...rest }) => ({ ...rest, ...nearestPlace(source, path) }));
    const { line, column } = nearestPlace(source, expectation.path);
    return { name: expectation.name, passed: mismatches.length === 0, line, column, mismatches };
  });
  const untestedRules = policy.policy.rules.map(({ id }) => id).filter((id) => !deciding.has(id));
  return { results, untestedRules };
}

type Difference = Pick<Mismatch, 'field' | 'expected' | 'found'> & { readonly path: string };

function differences(
  policy: CompiledPolicy,
  expectation: Expectation,
  desired: DesiredState,
  now: number,
): readonly Difference[] {
  const { fields, account, at, exempt, canary, contradiction, path } = expectation;
  const found: Difference[] = [];
  const compare = (field: string, expected: string | null, is: string): void => {
    if (expected !== null && expected !== is)
      found.push({ field, expected, found: is, path: `${path}.expect.${field}` });
  };
  for (const field of FIELDS) {
    const wanted = fields[field];
    if (wanted === undefined) continue;
    const { value, rule } = desired[field];
    if (wanted.value === value && (wanted.rule === null || wanted.rule === rule)) continue;
    const expected = wanted.rule === null ? wanted.value : `${wanted.value} (${wanted.rule})`;
    found.push({ field, expected, found: `${value} (${rule})`, path: `${path}.expect.${field}` });
  }
  compare('exempt', exempt, exemptionOf(policy, account.id, at ?? now));
  compare('canary', canary === null ? null : String(canary), String(policy.isCanary(account)));
  const { contradiction: is } = desired;
  if (contradiction !== null && contradiction !== (is !== null)) {
    compare('contradiction', String(contradiction), is === null ? 'false' : `true: ${is.message}`);
  }
  return found;
}

/** The enrollments that are exempt, in the words of an expectation. */
function exemptionOf(policy: CompiledPolicy, accountId: string, at: number): string {
  const exempt = ENROLLMENT_IDS.filter((enrollment) => policy.exemption(accountId, enrollment, at) !== null);
  if (exempt.length === ENROLLMENT_IDS.length) return EVERY_ENROLLMENT;
  return exempt.length === 0 ? 'none' : exempt.join(', ');
}
