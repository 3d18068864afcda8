import type { Ledger } from '../../shared/ports/ledger.ts';
import { CommandError } from './errors.ts';
import { fullId, isShortId } from './short-ids.ts';

/**
 * Finds something by the id of an entry, by the last characters of the id, or by a position such as `123456789012#4`.
 * @param find takes the full id or the position; `null`: there is none
 * @throws CommandError if there is none, or several ids end so
 */
export async function entryNamed<T>(
  ledger: Ledger,
  id: string,
  find: (reference: string) => Promise<T | null>,
): Promise<T> {
  const { idsEndingWith } = await import('../../shared/app/queries/audit/short-ids.ts');
  const ends = isShortId(id) ? await idsEndingWith(ledger, id.toUpperCase()) : [];
  const found = await find(fullId(id, ends, 'entries'));
  if (found !== null) return found;
  throw new CommandError(
    'EntryUnknown',
    `There is no entry ${JSON.stringify(id)}. Expected an id from \`audit list\` (26 characters, or the last 8 of them), or a position such as 123456789012#4.`,
  );
}
