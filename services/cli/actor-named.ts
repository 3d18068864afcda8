import { actorName } from '../../shared/domain/actor.ts';
import type { Ledger, LedgerPeriod } from '../../shared/ports/ledger.ts';
import type { CliContext } from './context.ts';
import { CommandError } from './errors.ts';
import { withStore } from './session.ts';
import { actorText } from './ui/words.ts';

/** How many actors of the same name an error lists. */
const SHOWN = 5;

/**
 * The actor whose entries `--actor` selects: its full name, the name in lists (`role/NAME/SESSION`), or the last part of it. Warns if no entry of the
 * period is by such an actor.
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
      `warning: ${named}: no entry${isWhole ? '' : ' of this period'} is by an actor of this name. Of drift, it is the process that saw it, not the actor that changed the account.`,
    );
    return word;
  }
  if (others.length === 0) return actor;
  throw new CommandError('ActorAmbiguous', `${named}: ${found.length} actors have this name`, {
    hints: [`Use the full name: ${found.slice(0, SHOWN).join(', ')}${found.length > SHOWN ? ', …' : ''}`],
  });
}

/** The actors with this name. A full name is looked up; for another one, the index of the period is read, which has the actor of each entry. */
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
