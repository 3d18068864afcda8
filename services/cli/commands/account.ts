import { countArgument } from '../../../shared/config/arguments.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { accountNamed } from '../named-account.ts';
import { loadPolicyIfAny, withStore } from '../session.ts';
import { accountText } from '../ui/account-text.ts';
import { unknownAccount } from '../unknown-account.ts';

export interface AccountFlags {
  readonly policy?: string;
  readonly limit: string;
}

export async function runAccount(context: CliContext, id: string, flags: AccountFlags): Promise<number> {
  const limit = countArgument('--limit', flags.limit, { min: 1, max: 1_000 });
  const accountId = await accountNamed(context, 'account', id);
  const loaded = await loadPolicyIfAny(context, flags.policy);
  const { accountView } = await import('../../../shared/app/queries/account-view.ts');
  const { output, clock } = context;
  const query = { accountId, policy: loaded?.policy ?? null, limit, now: clock.now() };
  const view = await withStore(context, true, (store) => accountView(store, query));
  if (view === null) {
    throw await unknownAccount(context, accountId);
  }
  output.result(view, () => accountText(view, output, clock.now()));
  return EXIT.ok;
}
