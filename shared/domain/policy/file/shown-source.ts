import { renderPath } from './findings.ts';
import type { Spot, Taken } from './nodes.ts';

/** Written in place of a secret. Both are valid values, so the text stays a policy. */
const HIDDEN_ID = 'HIDDEN';
const HIDDEN_TEMPLATE = `"\${${HIDDEN_ID}}"`;

/** Values that may be secrets: a webhook's address is a password, and so is an external id. */
const SECRETS: readonly { readonly path: readonly string[]; readonly placeholder: string }[] = [
  { path: ['notify', 'webhook', 'url'], placeholder: HIDDEN_TEMPLATE },
  { path: ['notify', 'webhook', 'secret'], placeholder: HIDDEN_TEMPLATE },
  { path: ['organization', 'externalId'], placeholder: HIDDEN_ID },
];

/** A value that only names a variable. */
const ONLY_A_VARIABLE = /^["']?\$\{\w+\}["']?$/;
/** The same settings in a comment, such as a line that was commented out. */
const IN_A_COMMENT = /(#.*?\b(?:url|secret|externalId)["']?\s*:\s*)\S.*/g;

/** The text of a policy file as people may see it: without secrets, with the same lines. */
export function shownSource(text: string, { spots }: Pick<Taken, 'spots'>): string {
  const hidden = SECRETS.flatMap(({ path, placeholder }) => {
    const range = spots.get(renderPath([...path]))?.range ?? null;
    return range === null || ONLY_A_VARIABLE.test(text.slice(...range)) ? [] : [{ range, placeholder }];
  });
  const shown = hidden
    .toSorted((a, b) => b.range[0] - a.range[0])
    .reduce((rest, { range, placeholder }) => replaced(rest, range, placeholder), text);
  return shown.replaceAll(IN_A_COMMENT, `$1${HIDDEN_ID}`);
}

function replaced(text: string, [from, to]: NonNullable<Spot['range']>, placeholder: string): string {
  const lines = text.slice(from, to).split('\n').length - 1;
  return `${text.slice(0, from)}${placeholder}${'\n'.repeat(lines)}${text.slice(to)}`;
}
