/** Selectors, compiled once for many accounts. */

import { shown } from '../file/findings.ts';
import type { ConditionResult, Match, OrganizationAccount } from '../types.ts';
import { compileGlob } from './glob.ts';

export interface CompiledMatch {
  readonly match: Match;
  /** Whether any condition, at any depth, needs tags. */
  readonly usesTags: boolean;
  /** Whether any condition, at any depth, needs the name. */
  readonly usesName: boolean;
  /** Treats tags that were not read as no tags; `matchSelector` and `resolve` throw instead. */
  readonly test: (account: OrganizationAccount) => boolean;
  /** The result of each condition, with its reason in words. */
  readonly explain: (account: OrganizationAccount) => readonly ConditionResult[];
}

/** A selector that needs tags was evaluated for an account whose tags were not read. Callers check `canDecide` first. */
export class TagsNotReadError extends Error {
  constructor(accountId: string) {
    super(`The tags of account ${accountId} were not read, but this selector asks for tags.`);
    this.name = 'TagsNotReadError';
  }
}

interface Condition {
  readonly name: ConditionResult['condition'];
  readonly test: (account: OrganizationAccount) => boolean;
  readonly why: (account: OrganizationAccount, holds: boolean) => string;
}

export function compileMatch(match: Match): CompiledMatch {
  const inner = match.not === undefined ? null : compileMatch(match.not);
  const conditions: Condition[] = [];
  if (match.accounts) conditions.push(accountsCondition(match.accounts));
  if (match.ou) conditions.push(ouCondition(match.ou));
  if (match.name) conditions.push(nameCondition(match.name));
  if (match.tags) for (const [key, values] of Object.entries(match.tags)) conditions.push(tagCondition(key, values));
  if (inner) conditions.push(notCondition(inner));
  const tests = conditions.map((condition) => condition.test);
  const [only, second] = tests;
  return {
    match,
    usesTags: match.tags !== undefined || (inner?.usesTags ?? false),
    usesName: match.name !== undefined || (inner?.usesName ?? false),
    test: only !== undefined && second === undefined ? only : allOf(tests),
    explain: (account) =>
      conditions.map(({ name, test, why }) => {
        const holds = test(account);
        return { condition: name, holds, why: why(account, holds) };
      }),
  };
}

/** A plain loop for speed: this runs for every account and rule. */
function allOf(tests: readonly Condition['test'][]): Condition['test'] {
  return (account) => {
    for (const test of tests) if (!test(account)) return false;
    return true;
  };
}

/** Whether the account is selected. Throws `TagsNotReadError` if that depends on tags which were not read. */
export function matchSelector(match: CompiledMatch, account: OrganizationAccount): boolean {
  requireTags(match.usesTags, account);
  return match.test(account);
}

/** Unread tags must not count as no tags: under `not`, they would select accounts that must not be selected. */
export function requireTags(usesTags: boolean, account: OrganizationAccount): void {
  if (usesTags && account.tags === null) throw new TagsNotReadError(account.id);
}

function accountsCondition(accounts: readonly string[]): Condition {
  const ids = new Set(accounts);
  return {
    name: 'accounts',
    test: (account) => ids.has(account.id),
    why: (account, holds) => `${account.id} is ${holds ? '' : 'not '}among the ${ids.size} listed`,
  };
}

/** Whether `ou` is `covering` or below it. Compares whole names. */
export function ouCovers(covering: string, ou: string): boolean {
  if (covering === '/') return true;
  // Compared in place, so that no string is built for an account that does not match.
  return ou.startsWith(covering) && (ou.length === covering.length || ou.charCodeAt(covering.length) === SLASH);
}

const SLASH = 47;

function ouCondition(paths: readonly string[]): Condition {
  const listed = new Set(paths);
  const [only, second] = listed;
  const coveredBy = (ou: string): string | undefined => {
    for (let end = ou.length; end > 0; end = ou.lastIndexOf('/', end - 1)) {
      const above = ou.slice(0, end);
      if (listed.has(above)) return above;
    }
    return listed.has('/') ? '/' : undefined;
  };
  return {
    name: 'ou',
    test:
      only !== undefined && second === undefined
        ? (account) => ouCovers(only, account.ou)
        : (account) => coveredBy(account.ou) !== undefined,
    why: (account) => {
      const covering = coveredBy(account.ou);
      return covering === undefined
        ? `${shown(account.ou)} is not in or below ${some(paths)}`
        : `${shown(account.ou)} is in or below ${shown(covering)}`;
    },
  };
}

/** The first few of a list, for a sentence. */
function some(values: readonly string[]): string {
  const first = values.slice(0, 5).map(shown).join(', ');
  return values.length > 5 ? `${first} and ${values.length - 5} more` : first;
}

function nameCondition(globs: readonly string[]): Condition {
  const compiled = globs.map(compileGlob);
  return {
    name: 'name',
    test: (account) => compiled.some((fits) => fits(account.name)),
    why: (account, holds) => `the name ${shown(account.name)} ${holds ? 'matches' : 'does not match'} ${some(globs)}`,
  };
}

function tagCondition(key: string, values: readonly string[]): Condition {
  const wanted = new Set(values);
  const read = (account: OrganizationAccount): string | undefined =>
    account.tags !== null && Object.hasOwn(account.tags, key) ? account.tags[key] : undefined;
  return {
    name: 'tags',
    test: (account) => {
      const value = read(account);
      return value !== undefined && wanted.has(value);
    },
    why: (account, holds) => {
      const value = read(account);
      if (value === undefined) return `there is no tag ${shown(key)}`;
      return `the tag ${shown(key)} is ${shown(value)}${holds ? '' : `, not ${some(values)}`}`;
    },
  };
}

function notCondition(inner: CompiledMatch): Condition {
  return {
    name: 'not',
    test: (account) => !inner.test(account),
    why: (account) =>
      inner
        .explain(account)
        .map((result) => result.why)
        .join('; '),
  };
}
