import { userInfo } from 'node:os';
import type { Deps } from '../../shared/app/context.ts';
import type { OpenStore } from '../../shared/compose/stores/profile.ts';
import { makeNewId } from '../../shared/compose/system.ts';
import type { CliContext } from './context.ts';
import { CommandError } from './errors.ts';
import { withStore } from './session.ts';

/**
 * The actor of an operator's command in the audit log: the ARN of the AWS credentials, as for the runs of the same operator, otherwise the operating
 * system's user.
 */
export async function operator({ store }: Pick<CliContext, 'store'>): Promise<string> {
  return (await store.operator()) ?? systemUser();
}

/** Runs an operator's command on the open store, with the operator as the actor of its entries. */
export async function withOperator<T>(
  context: CliContext,
  command: (deps: OpenStore & Pick<Deps, 'clock' | 'newId' | 'actor'>) => Promise<T>,
): Promise<T> {
  const { clock } = context;
  return withStore(context, false, async (store) =>
    command({ ...store, clock, newId: makeNewId(clock), actor: await operator(context) }),
  );
}

function systemUser(): string {
  try {
    return `user:${userInfo().username}`;
  } catch {
    // A container may run as a user id that has no name.
    return `user:${process.getuid?.() ?? 'unknown'}`;
  }
}

const MAX_REASON = 500;

/** The value of `--reason`, which is stored in the ledger; `null`: none was given. @throws CommandError unless it is one line */
export function reasonArgument(text: string | undefined): string | null {
  if (text === undefined) return null;
  const reason = text.trim();
  const problem =
    reason === ''
      ? 'is empty'
      : reason.length > MAX_REASON
        ? `has ${reason.length} characters`
        : /\p{Cc}/u.test(reason)
          ? 'has a control character'
          : null;
  if (problem === null) return reason;
  throw new CommandError('Usage', `--reason ${problem}: expected one line of 1 to ${MAX_REASON} characters.`);
}
