import { countArgument } from '../../../shared/config/arguments.ts';
import type { WorkMessage } from '../../../shared/domain/work-message.ts';
import type { DeadLetter } from '../../../shared/ports/queue.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { withOperator } from '../operator.ts';
import { withStore } from '../session.ts';
import { table } from '../ui/table.ts';
import { count, instant } from '../ui/words.ts';

/** A dead letter with its time in ISO 8601, as in all output. */
const shown = (letter: DeadLetter) => ({ ...letter, at: new Date(letter.at).toISOString() });

export async function runList(context: CliContext, limitText: string): Promise<number> {
  const { output } = context;
  const limit = countArgument('--limit', limitText, { min: 1, max: 100_000 });
  const letters = await withStore(context, true, (store) => store.deadLetters.list(limit));
  output.result({ deadLetters: letters.map(shown) }, () =>
    letters.length === 0 ? ['There are no dead letters.'] : lettersTable(letters, output.width),
  );
  return EXIT.ok;
}

function lettersTable(letters: readonly DeadLetter[], width: number | null): string[] {
  const columns = [
    { title: 'ID' },
    { title: 'AT', dropOrder: 1 },
    { title: 'WHAT', shrinks: true },
    { title: 'CODE' },
    { title: 'LAST ERROR', shrinks: true },
  ];
  const rows = letters.map(({ id, at, message, reason }) => [
    id,
    instant(new Date(at).toISOString()),
    message === null ? 'unreadable' : messageText(message),
    reason.code,
    reason.message,
  ]);
  return table(columns, rows, width);
}

function messageText(message: WorkMessage): string {
  if (message.kind === 'account') return `${message.accountId} ${message.enrollment}`;
  if (message.kind === 'batch') return `${message.operation} for ${count(message.accountIds.length, 'account')}`;
  return 'organization-wide call';
}

export async function runShow(context: CliContext, id: string): Promise<number> {
  const letter = await withStore(context, true, (store) => store.deadLetters.show(id));
  if (letter === null) throw missing([id]);
  context.output.result(shown(letter), () => [JSON.stringify(shown(letter), null, 2)]);
  return EXIT.ok;
}

export async function runRedrive(context: CliContext, ids: readonly string[], all: boolean): Promise<number> {
  if (ids.length === 0 && !all) throw new CommandError('Usage', 'dlq redrive needs the ids of dead letters, or --all.');
  const { redrive } = await import('../../../shared/app/operator/commands.ts');
  const { redriven, left } = await withOperator(context, async (deps) => {
    const chosen = all ? (await deps.deadLetters.list(1_000_000)).map((letter) => letter.id) : ids;
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

function missing(ids: readonly string[]): CommandError {
  const which =
    ids.length === 1 ? `There is no dead letter ${ids[0]}` : `None of these can be put back: ${ids.join(', ')}`;
  return new CommandError('DeadLetterUnknown', `${which}. To list them: rollcall dlq list`);
}
