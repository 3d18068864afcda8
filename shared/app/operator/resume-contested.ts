import type { AccountRecord } from '../../domain/account/record.ts';
import { accountEntry } from '../../domain/account/transition.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import type { EntryDraft } from '../../domain/ledger/entry.ts';
import type { OperatorSelector } from '../../domain/policy/index.ts';
import type { Deps } from '../context.ts';
import { commandContext } from '../ledger/organization-entry.ts';
import { writeEntries } from '../ledger/write-entries.ts';

export type ResumeDeps = Pick<Deps, 'ledger' | 'records' | 'snapshots' | 'clock' | 'newId' | 'actor'>;

const MESSAGE = 'no longer contested: an operator has resumed it';

const isContested = (record: AccountRecord): boolean =>
  ENROLLMENT_IDS.some((enrollment) => record.conditions[enrollment]?.contested !== undefined);

/**
 * Lets Rollcall change matching contested accounts again: an `AccountResumed` entry makes each of them due immediately.
 * @returns the accounts that were contested
 */
export async function resumeContested(deps: ResumeDeps, selector: OperatorSelector): Promise<readonly AccountId[]> {
  const context = commandContext(deps);
  const resumed: AccountId[] = [];
  for await (const page of deps.records.all()) {
    const matching: AccountRecord[] = [];
    for (const record of page)
      if (isContested(record) && (await matches(deps, selector, record))) matching.push(record);
    const written = await writeEntries(
      deps,
      matching.map((record) => ({
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

async function matches(deps: ResumeDeps, { text, accounts, match }: OperatorSelector, { accountId }: AccountRecord) {
  if (text === 'all' || accounts.includes(accountId)) return true;
  const account = await deps.snapshots.get(accountId);
  return account !== null && !(match.usesTags && account.tags === null) && match.test(account);
}
