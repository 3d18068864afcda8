import { quoted } from '../../../shared/domain/check-result.ts';

/** The commands of the program, any of which a text may suggest. */
export const SUGGESTED = (
  'account accounts apply approve audit backup completion demo dlq doctor evidence halt help install plan policy restore ' +
  'resume sandbox scan serve status suspend unhalt version'
).split(' ');

/** `rollcall` followed by one of its commands, and not part of a path or a name. */
const COMMAND = new RegExp(`(?<![\\w./-])rollcall (?=(?:${SUGGESTED.join('|')})(?![\\w-]))`, 'g');

/**
 * Writes the commands in a text as the user has to type them. Texts call the program `rollcall`, but a checkout and npx do not install that command, and
 * a command without the store of this one would use another.
 */
export function asTyped(text: string, program: string): string {
  if (program === 'rollcall') return text;
  // A program such as `npx --package FILE rollcall` ends with the word that is replaced, and some texts already contain the whole program.
  const typed = / rollcall$/.test(program) ? program.slice(0, -'rollcall'.length) : null;
  return text.replaceAll(COMMAND, (found, offset: number) =>
    typed !== null && text.slice(0, offset).endsWith(typed) ? found : `${program} `,
  );
}

/** The option that repeats the policy of this command in a suggested one. @param named the policy that `--policy` names */
export function policyFlag(named: string | undefined): string {
  return named === undefined ? '' : ` --policy ${quoted(named)}`;
}
