import { emptyRecord, foldEntry } from '../../shared/domain/account/record.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import { READ_DELAY_MS, type Touched } from './policy-checks.ts';

type Change = Pick<Touched, 'account' | 'enrollment' | 'organizationWide' | 'enrolls'>;

/**
 * Whether a change needs an open intent.
 * @param chain the entries about the account
 */
export function needsIntent(change: Change, chain: readonly LedgerEntry[], at: number): boolean {
  const { account, enrollment, organizationWide, enrolls = false } = change;
  if (organizationWide) return at - account[enrollment].lastUpdatedTimestamp.getTime() >= READ_DELAY_MS;
  return !(enrolls && isAwaited(change, chain, at));
}

/**
 * Whether the account waits for the result of an accepted change that enrolls it. The intent of that change also covers this one: Rollcall
 * cannot know that AWS will never make the first, for example because the account was moved before AWS had applied the configuration of its OU.
 */
function isAwaited({ account, enrollment }: Change, chain: readonly LedgerEntry[], at: number): boolean {
  const known = chain.reduce(foldEntry, emptyRecord(account.accountId)).conditions[enrollment];
  if (known === null || known.deadline === null || known.desired !== 'Active') return false;
  // The verdict that the call is based on can be this old.
  const isInTime = at - READ_DELAY_MS < Date.parse(known.deadline);
  return known.verdict === 'Converging' && known.reason === 'acted' && isInTime;
}
