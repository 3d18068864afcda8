/** Converts zod's issues to findings with a position, the value found, and a hint. */
import type * as z from 'zod';
import { didYouMean, type Finding, type Path, renderPath, shown } from './findings.ts';
import type { Taken } from './nodes.ts';
import { type Report, reporter, START } from './report.ts';
import { type Expecting, readExpecting } from './schema-fields.ts';

type Issue = z.core.$ZodIssue;

interface Checked extends Taken {
  readonly fieldsNamed: (name: string) => readonly string[];
}

/**
 * One finding per issue, except for values that have already been reported as unreadable.
 * @param fieldsNamed the paths of the schema's fields with this name, to suggest the right section for a field in the wrong one
 */
export function issueFindings(
  issues: readonly Issue[],
  taken: Taken,
  file: string,
  fieldsNamed: Checked['fieldsNamed'] = () => [],
): Finding[] {
  const findings: Finding[] = [];
  const report = reporter(file, findings);
  // A map whose keys are all misspelt also violates "at least one"; the findings about the unknown keys are enough.
  const misspelt = new Set(issues.filter((i) => i.code === 'unrecognized_keys').map((i) => i.path.join('\0')));
  for (const issue of issues) {
    if (issue.code === 'custom' && misspelt.has(issue.path.join('\0'))) continue;
    convert(issue, [], { ...taken, fieldsNamed }, report);
  }
  return findings;
}

function convert(issue: Issue, base: Path, taken: Checked, report: Report): void {
  const path: Path = [...base, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
  if (isBroken(path, taken)) return;
  if (issue.code === 'unrecognized_keys') {
    const { choices, ...expecting } = readExpecting(issue.message);
    // A file with many unknown keys is another kind of file, for which suggestions make no sense and take long.
    const guesses = issue.keys.length > 100 || choices === undefined ? {} : { choices };
    for (const key of issue.keys) unknownKey([...path, key], key, { ...expecting, ...guesses }, taken, report);
    return;
  }
  if (issue.code === 'invalid_union') {
    const branch = pickBranch(issue.errors, valueAt(taken.value, path));
    if (branch !== null) {
      for (const inner of branch) convert(inner, path, taken, report);
      return;
    }
  }
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  wrongValue(path, readExpecting(message), taken, report);
}

/** The intended branch of a union: the only one whose type matches. */
function pickBranch(branches: readonly (readonly Issue[])[], value: unknown): readonly Issue[] | null {
  const wrongType = (issue: Issue) => issue.code === 'invalid_type' && issue.path.length === 0;
  const fitting = branches.filter((branch) => !branch.some(wrongType));
  if (fitting.length === 1) return fitting[0] ?? null;
  const scalar = typeof value === 'number' || typeof value === 'boolean';
  const wantsText = branches.find((branch) =>
    branch.some((issue) => wrongType(issue) && issue.code === 'invalid_type' && issue.expected === 'string'),
  );
  // An unquoted string, e.g. an account id, is read as a number. The string branch has the right hint.
  return scalar && wantsText !== undefined && branches.length === 2 && isListBranch(branches) ? wantsText : null;
}

function isListBranch(branches: readonly (readonly Issue[])[]): boolean {
  return branches.some((branch) => branch.some((i) => i.code === 'invalid_type' && i.expected === 'array'));
}

function unknownKey(path: Path, key: string, expecting: Expecting, taken: Checked, report: Report): void {
  const spot = taken.spots.get(renderPath(path));
  const elsewhere = expecting.choices === undefined ? [] : taken.fieldsNamed(key);
  const similar = elsewhere.length > 0 ? null : didYouMean(key, expecting.choices ?? []);
  const meant = similar === null ? elsewhere : [similar];
  report(spot?.key ?? spot?.value ?? START, path, {
    message: `unknown key ${shown(key)}`,
    found: shown(key),
    expected: expecting.expected,
    hint: meant.length === 0 ? 'Remove it.' : `Did you mean ${meant.map((each) => `\`${each}\``).join(' or ')}?`,
  });
}

function wrongValue(path: Path, expecting: Expecting, taken: Taken, report: Report): void {
  const spot = taken.spots.get(renderPath(path));
  const last = path.at(-1);
  if (spot === undefined && typeof last === 'string') {
    const parent = taken.spots.get(renderPath(path.slice(0, -1)));
    report(parent?.value ?? START, path, {
      message: `${shown(last)} is missing`,
      found: 'nothing',
      expected: expecting.expected,
      hint: [`Add \`${last}: …\`.`, expecting.hint].filter(Boolean).join(' '),
    });
    return;
  }
  const value = valueAt(taken.value, path);
  report(spot?.value ?? START, path, {
    message: 'wrong value',
    found: describe(value, spot?.source ?? null, path),
    expected: expecting.expected,
    hint: hintFor(value, spot?.source ?? null, expecting),
  });
}

function hintFor(value: unknown, source: string | null, expecting: Expecting): string {
  const meant = typeof value === 'string' ? didYouMean(value, expecting.choices ?? []) : null;
  if (meant !== null) return `Did you mean \`${meant}\`?`;
  const unquoted = source !== null && (typeof value === 'number' || typeof value === 'boolean');
  if (unquoted && expecting.pattern !== undefined && new RegExp(expecting.pattern).test(source)) {
    return `Without quotes YAML reads a ${typeof value} here. Write it in quotes: "${source}".`;
  }
  if (expecting.hint !== undefined) return expecting.hint;
  return expecting.choices === undefined ? `Write ${expecting.expected}.` : `Write one of ${expecting.expected}.`;
}

function describe(value: unknown, source: string | null, path: Path): string {
  if (value === null || value === undefined) return source === null || source === '' ? 'nothing' : shown(source);
  // The text may be a webhook's URL in the wrong place, which is a secret.
  const maybeUrl = typeof value === 'string' && !/^[\w-]*$/.test(value);
  if (path[0] === 'notify' && (maybeUrl || path.at(-1) === 'secret')) return 'a value that is not shown here';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty map' : 'a map';
  if (typeof value === 'string') return shown(value);
  return `the ${typeof value} ${shown(source ?? String(value))}`;
}

function isBroken(path: Path, taken: Taken): boolean {
  if (taken.broken.size === 0) return false;
  return [...path, ''].some((_, length) => taken.broken.has(renderPath(path.slice(0, length))));
}

/** The plain value at a path, or undefined. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}
