import type { OpenStore } from '../../../shared/compose/stores/profile.ts';
import { countArgument } from '../../../shared/config/arguments.ts';
import type { DeadLetter, DeadLetters } from '../../../shared/ports/queue.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { withOperator } from '../operator.ts';
import { withStore } from '../session.ts';
import { fullId, isShortId } from '../short-ids.ts';
import { deadLettersText, type LetterFacts } from '../ui/dead-letters-text.ts';
import { count } from '../ui/words.ts';

/** A dead letter with its time in ISO 8601, as in all output. */
const shown = (letter: DeadLetter) => ({ ...letter, at: new Date(letter.at).toISOString() });

export async function runList(context: CliContext, limitText: string): Promise<number> {
  const { output, clock } = context;
  const limit = countArgument('--limit', limitText, { min: 1, max: 100_000 });
  const { letters, about } = await withStore(context, true, async (store) => {
    const found = await store.deadLetters.list(limit);
    return { letters: found, about: output.json ? new Map() : await factsOf(store, found) };
  });
  output.result({ deadLetters: letters.map(shown) }, () => deadLettersText(letters, about, output, clock.now()));
  return EXIT.ok;
}

/** The name and the failed attempts of each letter about one account, by the letter's id. */
async function factsOf({ snapshots, records }: OpenStore, letters: readonly DeadLetter[]): Promise<LetterFacts> {
  const facts = new Map<string, { readonly name: string; readonly attempts: number | null }>();
  for (const { id, message } of letters) {
    if (message?.kind !== 'account') continue;
    const { accountId, enrollment } = message;
    const [account, record] = [await snapshots.get(accountId), await records.get(accountId)];
    facts.set(id, { name: account?.name ?? '', attempts: record?.conditions[enrollment]?.attempts ?? null });
  }
  return facts;
}

export async function runShow(context: CliContext, id: string): Promise<number> {
  const letter = await withStore(context, true, async ({ deadLetters }) => {
    const [full = id] = await fullIds(deadLetters, [id]);
    return deadLetters.show(full);
  });
  if (letter === null) throw missing([id]);
  context.output.result(shown(letter), () => [JSON.stringify(shown(letter), null, 2)]);
  return EXIT.ok;
}

export async function runRedrive(context: CliContext, ids: readonly string[], all: boolean): Promise<number> {
  if (ids.length === 0 && !all) throw new CommandError('Usage', 'dlq redrive needs the ids of dead letters, or --all.');
  const { redrive } = await import('../../../shared/app/operator/commands.ts');
  const { redriven, left } = await withOperator(context, async (deps) => {
    const chosen = await (all ? allIds(deps.deadLetters) : fullIds(deps.deadLetters, ids));
    const back = chosen.length === 0 ? [] : await redrive(deps, chosen, null);
    return { redriven: back, left: chosen.filter((id) => !back.includes(id)) };
  });
  if (left.length > 0 && redriven.length === 0 && !all) throw missing(left);
  const them = redriven.length === 1 ? 'it' : 'them';
  context.output.result({ redriven, left }, () => [
    `Put ${count(redriven.length, 'dead letter')} back on the queue; apply or serve retries ${them} next.`,
    ...(left.length === 0 ? [] : [`Not put back (unknown, or their body cannot be read): ${left.join(', ')}`]),
  ]);
  return left.length > 0 ? EXIT.partly : EXIT.ok;
}

async function allIds(deadLetters: DeadLetters): Promise<readonly string[]> {
  return (await deadLetters.list(1_000_000)).map(({ id }) => id);
}

/** Completes short ids. @throws CommandError if one belongs to several dead letters */
async function fullIds(deadLetters: DeadLetters, given: readonly string[]): Promise<readonly string[]> {
  if (!given.some(isShortId)) return given;
  const known = await allIds(deadLetters);
  return given.map((id) =>
    fullId(
      id,
      known.filter((each) => each.endsWith(id.toUpperCase())),
      'dead letters',
    ),
  );
}

function missing(ids: readonly string[]): CommandError {
  const which =
    ids.length === 1 ? `There is no dead letter ${ids[0]}` : `None of these can be put back: ${ids.join(', ')}`;
  return new CommandError('DeadLetterUnknown', `${which}. To list them: rollcall dlq list`);
}
