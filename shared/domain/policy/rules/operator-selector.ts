import { didYouMean, shown } from '../file/findings.ts';
import { isOuPath } from '../file/values.ts';
import type { Match } from '../types.ts';
import { type CompiledMatch, compileMatch } from './match.ts';

/** A selector on the command line, e.g. of `suspend`. */
export interface OperatorSelector {
  /** The canonical form, for storage. Parses to the same selector. */
  readonly text: string;
  readonly match: CompiledMatch;
  /** The ids, if it names accounts; empty for the other kinds. */
  readonly accounts: readonly string[];
  /** The path, if it names an OU. */
  readonly ou: string | null;
}

export type OperatorSelectorResult =
  | { readonly ok: true; readonly selector: OperatorSelector }
  | { readonly ok: false; readonly message: string; readonly hint: string };

const KINDS = ['ou:', 'tag:', 'name:', 'all'];
const USAGE =
  'Write account ids (separated by commas or spaces), ou:/Path, tag:key=value, name:glob, or all. Quote globs and names with spaces.';

/** `123456789012,210987654321` · `ou:/Sandbox` · `tag:env=dev` · `name:dev-*` · `all`. */
export function parseOperatorSelector(text: string): OperatorSelectorResult {
  const trimmed = text.trim();
  if (trimmed === 'all') return selected('all', {});
  const kind = /^(ou|tag|name):/.exec(trimmed)?.[1];
  const rest = kind === undefined ? trimmed : trimmed.slice(kind.length + 1);
  if (kind === 'ou') {
    if (!isOuPath(rest)) return refused(`${shown(rest)} is not the path of an OU`, 'Write it like ou:/Workloads/Prod.');
    return selected(`ou:${rest}`, { ou: [rest] });
  }
  if (kind === 'name') {
    if (rest === '') return refused('a name or glob is missing', 'Write it like name:dev-*.');
    return selected(`name:${rest}`, { name: [rest] });
  }
  if (kind === 'tag') return tagSelector(rest);
  return accountsSelector(trimmed);
}

/** AWS allows `=` in tag keys, but here the first `=` ends the key. */
function tagSelector(rest: string): OperatorSelectorResult {
  const at = rest.indexOf('=');
  if (at < 1) return refused(`${shown(rest)} is not key=value`, 'Write it like tag:env=dev.');
  const tags = Object.fromEntries([[rest.slice(0, at), [rest.slice(at + 1)]]]);
  return selected(`tag:${rest}`, { tags });
}

function accountsSelector(text: string): OperatorSelectorResult {
  const ids = text.split(/[\s,]+/).filter((id) => id !== '');
  if (ids.length === 0) return refused('nothing is selected', USAGE);
  const bad = ids.find((id) => !/^\d{12}$/.test(id));
  if (bad === undefined) {
    const accounts = [...new Set(ids)].sort();
    return selected(accounts.join(','), { accounts }, accounts);
  }
  if (/^\d+$/.test(bad)) {
    return refused(`${shown(bad)} has ${bad.length} digits`, 'An account id has 12; leading zeros belong to it.');
  }
  const meant = didYouMean(bad.split(/[:=/]/, 1)[0] ?? '', ['ou', 'tag', 'name', 'all']);
  const kind = KINDS.find((name) => name.replace(':', '') === meant);
  const suggestion = kind === undefined ? nameSuggestion(text) : `Did you mean \`${kind}\`? `;
  return refused(`${shown(bad)} is not a selector`, `${suggestion}${USAGE}`);
}

/** A single word without a colon is probably the name of an account. */
function nameSuggestion(text: string): string {
  return /^[\w.-]+$/.test(text) ? `For the account of that name: name:${text}. ` : '';
}

function selected(text: string, match: Match, accounts: readonly string[] = []): OperatorSelectorResult {
  return { ok: true, selector: { text, match: compileMatch(match), accounts, ou: match.ou?.[0] ?? null } };
}

function refused(message: string, hint: string): OperatorSelectorResult {
  return { ok: false, message, hint };
}
