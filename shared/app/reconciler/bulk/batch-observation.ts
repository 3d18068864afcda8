import { type AccountRecord, emptyRecord } from '../../../domain/account/record.ts';
import { transition } from '../../../domain/account/transition.ts';
import { assess } from '../../../domain/decision/assess.ts';
import { ASSOCIABLE, byKind, type EnrollmentId, kindOf } from '../../../domain/enrollment/kinds/index.ts';
import type { Observations } from '../../../domain/enrollment/mismatch.ts';
import type { AccountId, Observation } from '../../../domain/enrollment/model.ts';
import type { Assessment } from '../../../domain/enrollment/verdict.ts';
import type { EntryDraft } from '../../../domain/ledger/entry.ts';
import type { OrganizationAccount } from '../../../domain/policy/index.ts';
import { CloudError } from '../../../ports/cloud.ts';
import { changesBehind } from '../../events/change-attribution.ts';
import { writeEntries } from '../../ledger/write-entries.ts';
import { absent } from '../../survey/observations.ts';
import type { Listing } from '../../survey/paged-listing.ts';
import { CLOCKS_MS } from '../bulk-listings.ts';
import {
  accountInSnapshot,
  assessContext,
  entryContext,
  type MessageContext,
  type WorkContext,
} from '../worker-context.ts';

/** A listing that is refused or fails is a failed read of every account of the batch, not a defect of the message. */
export async function readRecent(work: WorkContext, since: number): Promise<Listing | CloudError> {
  try {
    return await work.listings.of(ASSOCIABLE).recent(since);
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    return error;
  }
}

/** Maximum age of a listing in which the results of earlier calls are looked for, ms: one serves all batches of a tick. */
const POLL_MAX_AGE_MS = 2_000;

/**
 * The listing must have been started after this time, epoch ms. An older listing would show the state before the last change, whose time another
 * machine may have recorded by a slower clock.
 */
export function listingSince({ deps }: WorkContext, records: readonly AccountRecord[]): number {
  // Changes of the prerequisites count as well, because only accounts that meet them are listed.
  const shown = [ASSOCIABLE, ...kindOf(ASSOCIABLE).prerequisites];
  const changes = records.flatMap(({ conditions }) =>
    shown.map((id) => Date.parse(conditions[id]?.changedAt ?? '1970-01-01') + CLOCKS_MS),
  );
  const polls = records.some(({ conditions }) => conditions[ASSOCIABLE]?.verdict === 'Converging');
  return Math.max(0, polls ? deps.clock.now() - POLL_MAX_AGE_MS : 0, ...changes);
}

/** Only accounts with the prerequisites are listed, so a listed account meets them. Nothing is known of other enrollments. */
function observedIn(listing: Listing, accountId: AccountId): Observations {
  const unlisted = { kind: 'unknown', reason: 'notListed', message: null } as const;
  const found: Record<EnrollmentId, Observation> = byKind(() => unlisted);
  const seen = listing.seen.get(accountId);
  if (seen === undefined) return found;
  for (const id of kindOf(ASSOCIABLE).prerequisites) found[id] = { ...absent(id), status: 'Active' };
  return { ...found, [ASSOCIABLE]: seen };
}

/** An account of a batch, with its assessment. */
export interface Member {
  readonly facts: OrganizationAccount;
  readonly record: AccountRecord;
  readonly assessment: Assessment;
}

/**
 * Assesses accounts by a listing and records what has changed. Omits accounts that the snapshot lacks and accounts whose record has just changed.
 */
export async function assessAndRecord(
  work: MessageContext,
  runId: string,
  accountIds: readonly AccountId[],
  listing: Listing,
  records: ReadonlyMap<AccountId, AccountRecord>,
): Promise<Member[]> {
  await work.controls.now();
  const present = await inSnapshot(work, accountIds, records);
  const assessed = (facts: OrganizationAccount, record: AccountRecord): Assessment =>
    assess(assessContext(work), facts, observedIn(listing, facts.id), record)[ASSOCIABLE];
  const found = present.map(({ facts, record }) => ({ record, assessments: [assessed(facts, record)] }));
  const details = await changesBehind(work.deps, found);
  const written = await writeEntries(
    work.deps,
    present.map(({ facts, record }) => ({
      record,
      decide: (current: AccountRecord): EntryDraft[] => {
        if (current.head.hash !== record.head.hash) return [];
        const assessment = assessed(facts, current);
        // An account that is not listed is read on its own. Its absence from the listing is not recorded.
        if (assessment.verdict === 'Unknown') return [];
        const draft = transition(entryContext(work, runId), current, assessment, details.get(facts.id)?.[ASSOCIABLE]);
        return draft === null ? [] : [draft];
      },
    })),
  );
  return present.flatMap(({ facts, record: known }, index) => {
    const { record, entries } = written[index] ?? { record: known, entries: [] };
    // Another worker has just written to this record, perhaps after a newer observation than this listing, so the account is read on its own.
    if (entries.length === 0 && record.head.hash !== known.head.hash) return [];
    return [{ facts, record, assessment: assessed(facts, record) }];
  });
}

/** The accounts that the snapshot has, with their records. */
async function inSnapshot(
  work: WorkContext,
  accountIds: readonly AccountId[],
  records: ReadonlyMap<AccountId, AccountRecord>,
): Promise<readonly Pick<Member, 'facts' | 'record'>[]> {
  const known = await Promise.all(
    accountIds.map(async (id) => ({
      facts: await accountInSnapshot(work, id),
      record: records.get(id) ?? emptyRecord(id),
    })),
  );
  return known.flatMap(({ facts, record }) => (facts === null ? [] : [{ facts, record }]));
}
