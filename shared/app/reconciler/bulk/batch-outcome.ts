import { type AccountRecord, emptyRecord } from '../../../domain/account/record.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { Assessment } from '../../../domain/enrollment/verdict.ts';
import type { EntryDraft } from '../../../domain/ledger/entry.ts';
import type { OrganizationAccount } from '../../../domain/policy/index.ts';
import type { WorkMessage } from '../../../domain/work-message.ts';
import { CloudError, type CloudErrorKind } from '../../../ports/cloud.ts';
import { errorFacts, failureEntry, holdsClaim, type Remediation } from '../remediation/entries.ts';
import { type FailureOutcome, fateOf } from '../remediation/error-policy.ts';
import { failRead } from '../remediation/record-failure.ts';
import { countFailure } from '../remediation/remediate.ts';
import { NOTHING, type WorkContext, type WorkResult } from '../worker-context.ts';

export type BatchMessage = Extract<WorkMessage, { kind: 'batch' }>;
type AccountMessage = Extract<WorkMessage, { kind: 'account' }>;

/** The key of one account of a batch, to be looked at by itself. */
export function alone({ v, policyHash, runId, planHash }: BatchMessage, accountId: AccountId): AccountMessage {
  return { v, policyHash, runId, planHash, kind: 'account', accountId, enrollment: 'automation' };
}

/** An account of a batch whose intent is written. */
export interface Claimed {
  readonly facts: OrganizationAccount;
  readonly record: AccountRecord;
  readonly assessment: Assessment;
  readonly undertaking: Remediation;
}

/**
 * What became of all accounts of a batch call that failed as a whole. What is wrong with the call or with the organization (throttled,
 * denied, a prerequisite that all of them lack) is recorded for all of them and tried again as a batch after a pause: one call, not one per
 * account. `null`: it may be one of the accounts that spoils it, so each has to go on alone.
 * @throws CloudError of kind Unauthenticated if the credentials were refused while finding out
 */
export async function failTogether(
  work: WorkContext,
  runId: string,
  claimed: readonly Claimed[],
  error: CloudError,
): Promise<Pick<WorkResult, 'outcomes' | 'dead'> | null> {
  const kind = await sharedCause(work, error);
  if (kind === null) return null;
  const { clock, random } = work.deps;
  // The same draw for all: a batch that comes back at different times is none.
  const draw = random();
  const fates = claimed.map(({ record, assessment }) =>
    fateOf({
      enrollment: assessment.enrollment,
      ...{
        kind,
        attempts: record.conditions[assessment.enrollment]?.attempts ?? 0,
        maxAttempts: work.settings.maxAttempts,
      },
      ...{ now: clock.now(), random: () => draw, lastUpdated: assessment.lastUpdated },
    }),
  );
  const facts = { ...errorFacts(error), kind };
  const entries = new Map(
    claimed.map(({ undertaking, facts: { id } }, index) => {
      const fate = fates[index];
      if (fate === undefined) throw new Error('one fate an account');
      return [id, failureEntry(work, undertaking, fate, facts)];
    }),
  );
  const records = await closeAll(work, claimed, ({ facts: { id } }) => entries.get(id) ?? null);
  // One call has failed, however many accounts it was about.
  if (fates.some(({ counts }) => counts)) await countFailure(work, runId);
  const firstDead = records[fates.findIndex(({ dead }) => dead)];
  return {
    outcomes: claimed.map(({ facts: { id } }, index) => ({ accountId: id, outcome: outcomeOf(fates[index]) })),
    dead:
      firstDead === undefined
        ? null
        : { code: facts.code, message: facts.message, entryId: `${firstDead.accountId}#${firstDead.head.seq}` },
  };
}

/** The listing that a batch is judged by was refused, or did not come: a failed read of each of its accounts, and one pause for all. */
export async function unreadable(
  work: WorkContext,
  message: BatchMessage,
  records: ReadonlyMap<AccountId, AccountRecord>,
  error: CloudError,
): Promise<WorkResult> {
  const draw = work.deps.random();
  const together = { ...work, deps: { ...work.deps, random: () => draw } };
  // Read for the whole organization, it is refused to the organization: trusted access is off, or we may not.
  const lacking = error.kind === 'Denied' && error.details.ambiguous;
  const cause = lacking ? new CloudError(error.message, { ...error.details, kind: 'Prerequisite' }) : error;
  const results: WorkResult[] = [];
  for (const accountId of message.accountIds) {
    const record = records.get(accountId) ?? emptyRecord(accountId);
    // An open claim is its holder's: what became of it is found out account by account.
    if (record.conditions.automation?.claim) results.push({ ...NOTHING, followUps: [alone(message, accountId)] });
    else results.push(await failRead(together, alone(message, accountId), record, cause));
  }
  await Promise.all(message.accountIds.map((accountId) => work.journal.settled(accountId)));
  return {
    outcomes: results.flatMap(({ outcomes }) => outcomes),
    followUps: results.flatMap(({ followUps }) => followUps),
    dead: results.find(({ dead }) => dead !== null)?.dead ?? null,
  };
}

function outcomeOf(fate: FailureOutcome | undefined): 'dead' | 'blocked' | 'retrying' {
  if (fate?.dead === true) return 'dead';
  return fate?.verdict === 'Blocked' ? 'blocked' : 'retrying';
}

/** What kind of failure all accounts of the batch have in common; `null` if they may have none. */
async function sharedCause(work: WorkContext, error: CloudError): Promise<CloudErrorKind | null> {
  if (error.passing || error.kind === 'Prerequisite') return error.kind;
  if (error.kind !== 'Denied') return null;
  if (!error.details.ambiguous) return 'Denied';
  // Trusted access switched off, or one account that may not? AWS uses the code for both: if not even a listing is answered, it is the former.
  try {
    await work.automationListing.begunAfter(work.deps.clock.now());
    return null;
  } catch (cause) {
    if (!(cause instanceof CloudError) || cause.kind === 'Unauthenticated') throw cause;
    return cause.kind === 'Denied' || cause.kind === 'Prerequisite' ? 'Prerequisite' : error.kind;
  }
}

/** Writes an outcome for each account whose claim is still ours. @returns the records after it, in the order of the accounts. */
export async function closeAll(
  work: WorkContext,
  claimed: readonly Claimed[],
  outcome: (member: Claimed) => EntryDraft | null,
): Promise<readonly AccountRecord[]> {
  const written = await work.journal.writeMany(
    claimed.map((member) => ({
      record: member.record,
      decide: (current: AccountRecord): EntryDraft[] => {
        const draft = holdsClaim(current, member.undertaking) ? outcome(member) : null;
        return draft === null ? [] : [draft];
      },
    })),
  );
  return written.map(({ record }) => record);
}
