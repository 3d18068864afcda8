import { accountArgument } from '../../shared/config/arguments.ts';
import { ConfigError } from '../../shared/config/config-error.ts';
import type { OrganizationSnapshot } from '../../shared/ports/cloud.ts';
import type { CliContext } from './context.ts';
import { CommandError } from './errors.ts';
import { withStore } from './session.ts';

/** How many accounts of the same name an error lists. */
const SHOWN = 5;

/**
 * The id of the account that the user named: by its id, or by its exact name in the last scan.
 * @param flag the argument or option, for the error
 * @throws ConfigError or CommandError if it is neither, or if several accounts have the name
 */
export async function accountNamed(context: CliContext, flag: string, word: string): Promise<string> {
  if (word.trim() === '')
    throw new ConfigError(
      'Usage',
      `${flag} ${JSON.stringify(word)} is empty; expected an account id of 12 digits, or an exact name.`,
    );
  if (/^\d+$/.test(word)) return accountArgument(flag, word);
  const snapshot = await lastSnapshot(context);
  const ids = snapshot?.accounts.flatMap(({ id, name }) => (name === word ? [id] : [])) ?? [];
  const [id, ...others] = ids;
  if (id !== undefined && others.length === 0) return id;
  const named = `${flag} ${JSON.stringify(word)}`;
  if (snapshot === null) {
    throw new CommandError('AccountUnknown', `${named}: account names are not known, because there is no scan yet`, {
      hints: ['Use the account id, or run rollcall scan first'],
    });
  }
  if (id === undefined) {
    throw new CommandError('AccountUnknown', `${named}: no account has this id or name in the last scan`, {
      hints: ['To search by a part of the name: rollcall accounts --name "*part*"'],
    });
  }
  const list = `${ids.slice(0, SHOWN).join(', ')}${ids.length > SHOWN ? ', …' : ''}`;
  throw new CommandError('AccountAmbiguous', `${named}: ${ids.length} accounts have this name`, {
    hints: [`Use the id: ${list}`],
  });
}

async function lastSnapshot(context: CliContext): Promise<OrganizationSnapshot | null> {
  try {
    return await withStore(context, true, ({ snapshots }) => snapshots.load());
  } catch (error) {
    if (context.store.isMissing(error)) return null;
    throw error;
  }
}
