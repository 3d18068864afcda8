import { actorName } from '../../shared/domain/actor.ts';
import type { Ledger } from '../../shared/ports/ledger.ts';
import type { CliContext } from './context.ts';
import { CommandError } from './errors.ts';
import { withStore } from './session.ts';
import { actorText } from './ui/words.ts';

/** How many actors of the same name an error lists. */
const SHOWN = 5;

/**
 * The actor whose entries `--actor` selects: its full name, the name in lists (`role/NAME/SESSION`), or the last part of it. Warns if no entry is by
 * such an actor.
 * @throws CommandError if several actors have this name
 */
export async function actorNamed(context: CliContext, word: string): Promise<string> {
  const found = await withStore(context, true, ({ ledger }) => actorsNamed(ledger, word));
  const [actor, ...others] = found;
  const named = `--actor ${JSON.stringify(word)}`;
  if (actor === undefined) {
    context.output.note(
      `warning: ${named}: no entry is by an actor of this name. Of drift, it is the process that saw it, not the actor that changed the account.`,
    );
    return word;
  }
  if (others.length === 0) return actor;
  throw new CommandError('ActorAmbiguous', `${named}: ${found.length} actors have this name`, {
    hints: [`Use the full name: ${found.slice(0, SHOWN).join(', ')}${found.length > SHOWN ? ', …' : ''}`],
  });
}

/** The actors of the log with this name. The index of the log has one actor for each entry, and reads no entry. */
async function actorsNamed(ledger: Pick<Ledger, 'facts'>, word: string): Promise<readonly string[]> {
  const actors = new Set<string>();
  for await (const page of ledger.facts({})) for (const { actor } of page) actors.add(actor);
  if (actors.has(word)) return [word];
  const wanted = word.toLowerCase();
  return [...actors].filter((actor) => namesOf(actor).some((name) => name.toLowerCase() === wanted)).sort();
}

const namesOf = (actor: string): readonly string[] => [
  ...[actorText(actor), actorName(actor)],
  actor.split(/[/:]/).at(-1) ?? actor,
];
