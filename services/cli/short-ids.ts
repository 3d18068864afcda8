import { CommandError } from './errors.ts';

/** The last 8 characters of an id, as tables show it. */
const SHORT = /^[0-9A-Z]{8}$/i;

export function isShortId(id: string): boolean {
  return SHORT.test(id);
}

/**
 * The full id of a short id; the given id if no full id matches.
 * @param found the ids that end with it
 * @throws CommandError if there are several
 */
export function fullId(given: string, found: readonly string[], what: string): string {
  if (found.length <= 1) return found[0] ?? given;
  throw new CommandError(
    'IdAmbiguous',
    `${given} is the end of ${found.length} ${what}: ${found.slice(0, 5).join(', ')}`,
    {
      hints: ['Name one of them in full.'],
    },
  );
}
