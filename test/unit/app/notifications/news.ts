import type { Deps } from '../../../../shared/app/context.ts';
import { writeEntries, writeOrganizationEntry } from '../../../../shared/app/ledger/write-entries.ts';
import { emptyRecord } from '../../../../shared/domain/account/record.ts';
import { type Detail, type EntryDraft, ORGANIZATION_CHAIN } from '../../../../shared/domain/ledger/entry.ts';
import type { EntryType } from '../../../../shared/domain/ledger/entry-types.ts';
import { toIso } from '../../../../shared/domain/time.ts';
import { accountId } from '../../../support/workshop.ts';

/** An entry as a use case would write it, about the nth member, or about the organization (`null`). */
function draft(deps: Deps, type: EntryType, n: number | null, rest: Partial<EntryDraft> = {}): EntryDraft {
  const account = n === null ? null : accountId(n);
  return {
    ...{ id: deps.newId(), chain: account ?? ORGANIZATION_CHAIN, at: toIso(deps.clock.now()), type },
    ...{ accountId: account, enrollment: account === null ? null : 'computeOptimizer', runId: 'run-1' },
    ...{ actor: deps.actor, before: null, after: null, reason: null, rule: null, policyHash: null, api: null },
    detail: null,
    ...rest,
  };
}

/** Appends one entry per account, as a scan does. */
export async function record(
  deps: Deps,
  type: EntryType,
  members: readonly (number | null)[],
  rest: Partial<EntryDraft> = {},
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const n of members.filter((each) => each === null)) {
    const entry = await writeOrganizationEntry(deps, () => draft(deps, type, n, rest));
    ids.push(entry.id);
  }
  const accounts = members.filter((each) => each !== null);
  const records = await deps.records.getMany(accounts.map(accountId));
  const written = await writeEntries(
    deps,
    accounts.map((n) => ({
      record: records.get(accountId(n)) ?? emptyRecord(accountId(n)),
      decide: () => [draft(deps, type, n, rest)],
    })),
  );
  ids.push(...written.flatMap(({ entries }) => entries.map(({ id }) => id)));
  return ids;
}

export const detail = (message: string, more: Detail = {}): Detail => ({ message, ...more });
