import type { AccountRecord } from '../../domain/account/record.ts';
import { accountEntry } from '../../domain/account/transition.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import type { EntryDraft } from '../../domain/ledger/entry.ts';
import type { OperatorSelector } from '../../domain/policy/index.ts';
import type { Deps } from '../context.ts';
import { LedgerWriter } from '../ledger/ledger-writer.ts';
import { commandContext } from '../ledger/organization-entry.ts';

export type ResumeDeps = Pick<Deps, 'ledger' | 'records' | 'snapshots' | 'clock' | 'newId' | 'actor'>;

const MESSAGE = 'no longer contested: an operator has resumed it';

const isContested = (record: AccountRecord): boolean =>
  ENROLLMENT_IDS.some((enrollment) => record.conditions[enrollment]?.contested !== undefined);

/**
 * Lets Rollcall change again what was contested, where the selector means it: an `AccountResumed` in the account's own chain, by which its
 * record forgets the fight and is due for a look at once. Needs no AWS.
 * @returns the accounts that were contested
 */
export async function resumeContested(deps: ResumeDeps, selector: OperatorSelector): Promise<readonly AccountId[]> {
  const journal = new LedgerWriter(deps);
  const context = commandContext(deps);
  const resumed: AccountId[] = [];
  for await (const page of deps.records.all()) {
    const meant: AccountRecord[] = [];
    for (const record of page) if (isContested(record) && (await isMeant(deps, selector, record))) meant.push(record);
    const written = await journal.writeMany(
      meant.map((record) => ({
        record,
        decide: (current: AccountRecord): EntryDraft[] =>
          isContested(current)
            ? [accountEntry(context, 'AccountResumed', current.accountId, null, { detail: { message: MESSAGE } })]
            : [],
      })),
    );
    resumed.push(...written.filter(({ entries }) => entries.length > 0).map(({ record }) => record.accountId));
  }
  return resumed;
}

async function isMeant(deps: ResumeDeps, { text, accounts, match }: OperatorSelector, { accountId }: AccountRecord) {
  if (text === 'all' || accounts.includes(accountId)) return true;
  const facts = await deps.snapshots.get(accountId);
  return facts !== null && !(match.usesTags && facts.tags === null) && match.test(facts);
}
