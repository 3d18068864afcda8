import { driftCallers } from '../../shared/app/queries/audit/caused-drift.ts';
import { actorName, NOBODY_NAMED } from '../../shared/domain/actor.ts';
import type { Ledger, LedgerFilter, LedgerPeriod } from '../../shared/ports/ledger.ts';
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
  const isWhole = since === undefined && until === undefined;
  return onlyOne(context, found, word, {
    option: '--actor',
    absent: `no entry${isWhole ? '' : ' of this period'} has an actor of this name. The actor of a drift entry is the process that recorded the drift. For drift that a caller caused: --changed-by ${JSON.stringify(word)}`,
  });
}

/**
 * The caller whose drift `--changed-by` selects, named as for `--actor`. Warns if no drift that matches the filter has such a caller.
 * @throws CommandError if several callers have this name
 */
export async function callerNamed(context: CliContext, word: string, filter: LedgerFilter): Promise<string> {
  if (word.toLowerCase() === NOBODY_NAMED) return NOBODY_NAMED;
  const callers = await withStore(context, true, ({ ledger }) => driftCallers(ledger, filter));
  const found = callers.has(word) ? [word] : thoseNamed(callers, word);
  return onlyOne(context, found, word, {
    option: '--changed-by',
    absent:
      'no matching drift has a caller of this name. A caller is known only if a CloudTrail event named it. For drift whose caller is unknown: --changed-by unknown',
  });
}

interface Search {
  readonly option: string;
  /** The warning if no actor has this name. */
  readonly absent: string;
}

function onlyOne(context: CliContext, found: readonly string[], word: string, { option, absent }: Search): string {
  const [actor, ...others] = found;
  const named = `${option} ${JSON.stringify(word)}`;
  if (actor === undefined) {
    context.output.note(`warning: ${named}: ${absent}.`);
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
  return thoseNamed(actors, word);
}

function thoseNamed(actors: ReadonlySet<string>, word: string): readonly string[] {
  const wanted = word.toLowerCase();
  return [...actors].filter((actor) => namesOf(actor).some((name) => name.toLowerCase() === wanted)).sort();
}

const namesOf = (actor: string): readonly string[] => [
  ...[actorText(actor), actorName(actor)],
  actor.split(/[/:]/).at(-1) ?? actor,
];
