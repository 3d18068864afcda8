import { actorName } from '../../shared/domain/actor.ts';
import type { Ledger, LedgerPeriod } from '../../shared/ports/ledger.ts';
import type { CliContext } from './context.ts';
import { CommandError } from './errors.ts';
import { withStore } from './session.ts';
import { actorText } from './ui/words.ts';

/** How many actors of the same name an error lists. */
const SHOWN = 5;

/**
 * The actor whose entries `--actor` selects. The word is its full name, its name in lists (`role/NAME/SESSION`), or the last part of either. Warns if no
 * entry of the period has such an actor.
 * @throws CommandError if several actors have this name
 */
export async function actorNamed(context: CliContext, word: string, { since, until }: LedgerPeriod): Promise<string> {
  const period = { ...(since !== undefined && { since }), ...(until !== undefined && { until }) };
  const found = await withStore(context, true, ({ ledger }) => actorsNamed(ledger, word, period));
  const [actor, ...others] = found;
  const named = `--actor ${JSON.stringify(word)}`;
  if (actor === undefined) {
    const isWhole = since === undefined && until === undefined;
    context.output.note(
      `warning: ${named}: no entry${isWhole ? '' : ' of this period'} has an actor of this name. The actor of a drift entry is the process that recorded the drift, not the caller that changed the account.`,
    );
    return word;
  }
  if (others.length === 0) return actor;
  throw new CommandError('ActorAmbiguous', `${named}: ${found.length} actors have this name`, {
    hints: [`Use the full name: ${found.slice(0, SHOWN).join(', ')}${found.length > SHOWN ? ', …' : ''}`],
  });
}

/** The actors with this name. A full name is looked up. For any other name, the index of the period is read, which has the actor of each entry. */
async function actorsNamed(
  ledger: Pick<Ledger, 'facts' | 'query'>,
  word: string,
  period: LedgerPeriod,
): Promise<readonly string[]> {
  if ((await ledger.query({ ...period, actor: word }, { limit: 1 })).entries.length > 0) return [word];
  const actors = new Set<string>();
  for await (const page of ledger.facts(period)) for (const { actor } of page) actors.add(actor);
  const wanted = word.toLowerCase();
  return [...actors].filter((actor) => namesOf(actor).some((name) => name.toLowerCase() === wanted)).sort();
}

const namesOf = (actor: string): readonly string[] => [
  ...[actorText(actor), actorName(actor)],
  actor.split(/[/:]/).at(-1) ?? actor,
];
