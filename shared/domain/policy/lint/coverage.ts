/** Relations between selectors that hold for every account. May miss a relation, but never reports a false one. */
import { compileGlob } from '../rules/glob.ts';
import { ouCovers } from '../rules/match.ts';
import type { Match } from '../types.ts';

/** Whether `wide` certainly selects every account that `narrow` selects. */
export function covers(wide: Match, narrow: Match): boolean {
  return (
    holdsAll(wide.accounts, narrow.accounts, (a, b) => a === b) &&
    (wide.ou?.includes('/') || holdsAll(wide.ou, narrow.ou, ouCovers)) &&
    (wide.name?.includes('*') || holdsAll(wide.name, narrow.name, globCovers)) &&
    Object.entries(wide.tags ?? {}).every(([key, values]) =>
      holdsAll(values, own(narrow.tags, key), (a, b) => a === b),
    ) &&
    (wide.not === undefined || excludes(narrow, wide.not))
  );
}

/** Whether no account can match, because `not` excludes everything that the other conditions select. */
export function selectsNothing(match: Match): boolean {
  if (match.not === undefined) return false;
  const { not, ...rest } = match;
  return covers(not, rest);
}

/** Whether `match` certainly selects no account that `unwanted` selects. */
function excludes(match: Match, unwanted: Match): boolean {
  if (match.not !== undefined && covers(match.not, unwanted)) return true;
  const disjoint = (a: readonly string[] | undefined, b: readonly string[] | undefined) =>
    a !== undefined && b !== undefined && !a.some((x) => b.includes(x));
  const apart = (a: readonly string[] | undefined, b: readonly string[] | undefined) =>
    a !== undefined && b !== undefined && !a.some((x) => b.some((y) => ouCovers(x, y) || ouCovers(y, x)));
  return (
    disjoint(match.accounts, unwanted.accounts) ||
    apart(match.ou, unwanted.ou) ||
    Object.entries(match.tags ?? {}).some(([key, values]) => disjoint(values, own(unwanted.tags, key)))
  );
}

/** Whether a condition of the wide selector holds for every account that the narrow selector's condition selects. */
function holdsAll(
  wide: readonly string[] | undefined,
  narrow: readonly string[] | undefined,
  coversOne: (wide: string, narrow: string) => boolean,
): boolean {
  if (wide === undefined) return true;
  if (narrow === undefined) return false;
  const isCovered = (n: string) => wide.some((w) => w === n || coversOne(w, n));
  // Most pairs of selectors already differ in the first value, so the set is rarely built.
  const [first] = narrow;
  if (first !== undefined && !isCovered(first)) return false;
  const same = new Set(wide);
  return narrow.every((n) => same.has(n) || isCovered(n));
}

function globCovers(wide: string, narrow: string): boolean {
  return !/[*?]/.test(narrow) && compileGlob(wide)(narrow);
}

function own(tags: Match['tags'], key: string): readonly string[] | undefined {
  return tags !== undefined && Object.hasOwn(tags, key) ? tags[key] : undefined;
}
