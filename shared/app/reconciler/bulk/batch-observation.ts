import { type AccountRecord, emptyRecord } from '../../../domain/account/record.ts';
import { transition } from '../../../domain/account/transition.ts';
import { assess } from '../../../domain/decision/assess.ts';
import { ENROLLMENT_IDS } from '../../../domain/enrollment/kinds/index.ts';
import type { Observations } from '../../../domain/enrollment/mismatch.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { Assessment } from '../../../domain/enrollment/verdict.ts';
import type { EntryDraft } from '../../../domain/ledger/entry.ts';
import type { OrganizationAccount } from '../../../domain/policy/index.ts';
import { CloudError } from '../../../ports/cloud.ts';
import { changesBehind } from '../../events/change-attribution.ts';
import { AUTOMATION_ABSENT } from '../../survey/observations.ts';
import type { Listing } from '../../survey/paged-listing.ts';
import { assessContext, entryContext, freshFacts, type WorkContext } from '../worker-context.ts';
import type { BatchMessage } from './batch-outcome.ts';

/** A listing that is refused or does not come is a failed read of every account of the batch, and no defect of the message. */
export async function readRecent(work: WorkContext, since: number): Promise<Listing | CloudError> {
  try {
    return await work.automationListing.recent(since);
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    return error;
  }
}

/** A result that is looked for is looked for in a listing at most this old, ms: one serves all batches of a tick. */
const POLL_MAX_AGE_MS = 2_000;

/** Since when the listing must have been begun: an older one would show what was there before somebody acted. */
export function oldest({ deps }: WorkContext, records: readonly AccountRecord[]): number {
  // Compute Optimizer as well: only who is enrolled there is listed.
  const changes = records.flatMap(({ conditions }) =>
    ENROLLMENT_IDS.map((id) => Date.parse(conditions[id]?.changedAt ?? '1970-01-01')),
  );
  const polls = records.some(({ conditions }) => conditions.automation?.verdict === 'Converging');
  return Math.max(0, polls ? deps.clock.now() - POLL_MAX_AGE_MS : 0, ...changes);
}

/** The listing names accounts that are enrolled in Compute Optimizer: being in it proves the prerequisite. */
function observedIn(listing: Listing, accountId: AccountId): Observations {
  const automation = listing.seen.get(accountId);
  const enrolled = { ...AUTOMATION_ABSENT, ruleMode: null, status: 'Active' as const };
  if (automation !== undefined) return { computeOptimizer: enrolled, automation };
  const unlisted = { kind: 'unknown', reason: 'notListed', message: null } as const;
  return { computeOptimizer: unlisted, automation: unlisted };
}

/** An account of a batch, with what is known and decided of it. */
export interface Member {
  readonly facts: OrganizationAccount;
  readonly record: AccountRecord;
  readonly assessment: Assessment;
}

/** Judges accounts by a listing and records what is news. Accounts without fresh facts, or that someone else has just written, are left out. */
export async function judgeMembers(
  work: WorkContext,
  message: BatchMessage,
  accountIds: readonly AccountId[],
  listing: Listing,
  records: ReadonlyMap<AccountId, AccountRecord>,
): Promise<Member[]> {
  await work.controls.now();
  const known = await Promise.all(
    accountIds.map(async (id) => ({ facts: await freshFacts(work, id), record: records.get(id) ?? emptyRecord(id) })),
  );
  const present = known.flatMap(({ facts, record }) => (facts === null ? [] : [{ facts, record }]));
  const judge = (facts: OrganizationAccount, record: AccountRecord): Assessment =>
    assess(assessContext(work), facts, observedIn(listing, facts.id), record).automation;
  const found = present.map(({ facts, record }) => ({ record, assessments: [judge(facts, record)] }));
  const details = await changesBehind(work.deps, found);
  const written = await work.journal.writeMany(
    present.map(({ facts, record }) => ({
      record,
      decide: (current: AccountRecord): EntryDraft[] => {
        if (current.head.hash !== record.head.hash) return [];
        const found = judge(facts, current);
        // What the listing does not name is read by itself; that it is not named is no news.
        if (found.verdict === 'Unknown') return [];
        const draft = transition(entryContext(work, message.runId), current, found, details.get(facts.id)?.automation);
        return draft === null ? [] : [draft];
      },
    })),
  );
  return present.flatMap(({ facts, record: known }, index) => {
    const { record, entries } = written[index] ?? { record: known, entries: [] };
    // Someone wrote meanwhile, and may have seen something newer than our listing: the account is left out, and read by itself.
    if (entries.length === 0 && record.head.hash !== known.head.hash) return [];
    return [{ facts, record, assessment: judge(facts, record) }];
  });
}
