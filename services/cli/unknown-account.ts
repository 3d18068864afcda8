import type { CliContext } from './context.ts';
import { CommandError } from './errors.ts';
import { withStore } from './session.ts';
import { age } from './ui/words.ts';

/** The error for an account that the store does not know. */
export async function unknownAccount(context: CliContext, accountId: string): Promise<CommandError> {
  const { organizationOf } = await import('../../shared/app/coordination/organization-binding.ts');
  const [organization, scanned] = await withStore(context, true, async (store) =>
    Promise.all([organizationOf(store), store.snapshots.meta()]),
  );
  const where = organization ?? context.store.label;
  const since = scanned === null ? '' : ` (${age(context.clock.now() - scanned.takenAt)} ago)`;
  return new CommandError('AccountUnknown', `account ${accountId} is not known in ${where}`, {
    hints: [`Check the number. New since the last scan${since}? Run: rollcall scan`],
  });
}
