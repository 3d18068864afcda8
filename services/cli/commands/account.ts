import { accountArgument, countArgument } from '../../../shared/config/arguments.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { loadPolicyIfAny, withStore } from '../session.ts';
import { accountText } from '../ui/account-text.ts';

export interface AccountFlags {
  readonly policy?: string;
  readonly limit: string;
}

export async function runAccount(context: CliContext, id: string, flags: AccountFlags): Promise<number> {
  const accountId = accountArgument('account', id);
  const limit = countArgument('--limit', flags.limit, { min: 1, max: 1_000 });
  const loaded = await loadPolicyIfAny(context, flags.policy);
  const { accountView } = await import('../../../shared/app/queries/account-view.ts');
  const { output, clock } = context;
  const query = { accountId, policy: loaded?.policy ?? null, limit, now: clock.now() };
  const view = await withStore(context, true, (store) => accountView(store, query));
  if (view === null) {
    throw new CommandError(
      'AccountUnknown',
      `Account ${accountId} is not known in ${context.store.label}: it is neither in the last snapshot of the organization nor in the ledger. ` +
        'Check the number. An account that has just joined is known after the next scan.',
    );
  }
  output.result(view, () => accountText(view, output, clock.now()));
  return EXIT.ok;
}
