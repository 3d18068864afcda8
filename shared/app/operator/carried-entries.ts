import { withDetection } from '../../domain/account/drift-detection.ts';
import { type AccountRecord, emptyRecord, foldEntry } from '../../domain/account/record.ts';
import { accountEntry, type EntryContext, facetOfCondition } from '../../domain/account/transition.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import type { EntryDraft, LedgerEntry } from '../../domain/ledger/entry.ts';
import type { StoredContent } from '../../ports/restore.ts';

/** The entries of the replaced store that a restore copies to the chains of the backup. */
export interface CarriedEntries {
  /** In the order in which they are appended. */
  readonly drafts: readonly EntryDraft[];
  /** The number of changes in progress. */
  readonly underWay: number;
  /** The number of contested accounts. */
  readonly contested: number;
}

/** @param replaced the readable content of the replaced store */
export function carriedEntries(
  context: EntryContext,
  backup: StoredContent,
  replaced: StoredContent | null,
): CarriedEntries {
  if (replaced === null) return { drafts: [], underWay: 0, contested: 0 };
  const stores = { context, backup, replaced };
  const found = [...openConditions(stores)];
  const claims = found.map((each) => claimDrafts(stores, each)).filter((drafts) => drafts.length > 0);
  const contested = found.flatMap((each) => contestedDraft(stores, each) ?? []);
  return {
    drafts: detected(stores, [...claims.flat(), ...contested]),
    underWay: claims.length,
    contested: new Set(contested.map(({ accountId }) => accountId)).size,
  };
}

interface Stores {
  readonly context: EntryContext;
  readonly backup: StoredContent;
  readonly replaced: StoredContent;
}

/** An enrollment that has an open claim in the replaced store, or is contested there. */
interface Found {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
  readonly condition: Condition;
  /** The condition in the backup. */
  readonly known: Condition | null;
}

function* openConditions({ backup, replaced }: Stores): Iterable<Found> {
  for (const { accountId, conditions } of replaced.records()) {
    for (const enrollment of ENROLLMENT_IDS) {
      const condition = conditions[enrollment];
      if (condition === null || (condition.claim === null && condition.contested === undefined)) continue;
      const known = backup.record(accountId)?.conditions[enrollment] ?? null;
      yield { accountId, enrollment, condition, known };
    }
  }
}

/**
 * The entries of a change in progress are copied to the restored log. When its claim expires, a worker determines the outcome. An enrollment has
 * at most one open claim, so an earlier one that is still open in the backup is closed first.
 */
function claimDrafts(stores: Stores, found: Found): EntryDraft[] {
  const { accountId, condition, known } = found;
  const { claim } = condition;
  if (claim === null || known?.claim?.entryId === claim.entryId) return [];
  if (stores.backup.intent(accountId, claim.entryId) !== null) return [];
  const intent = stores.replaced.intent(accountId, claim.entryId);
  return intent === null ? [] : [...outcomeOfEarlier(stores, found), draftOf(intent)];
}

function outcomeOfEarlier({ context, replaced }: Stores, { accountId, enrollment, known }: Found): EntryDraft[] {
  if (known === null || known.claim === null) return [];
  const { entryId: intentId, operation, clientToken, optOut } = known.claim;
  const entry = replaced.outcome(accountId, intentId);
  if (entry !== null) return [draftOf(entry)];
  // The replaced store has pruned the outcome, or does not descend from the backup.
  const facet = facetOfCondition(known);
  const message =
    'restored: the replaced store has a later change and not the outcome of this one, so it is not known whether the account was changed';
  return [
    accountEntry(context, 'RemediationFailed', accountId, enrollment, {
      before: facet,
      after: facet,
      reason: facet.reason,
      rule: known.rule,
      api: { operation, requestId: null, clientToken },
      detail: { intentId, optOut, message },
    }),
  ];
}

/** An account that is contested in the replaced store stays contested until an operator resumes it. */
function contestedDraft(
  { context, replaced }: Stores,
  { accountId, enrollment, condition, known }: Found,
): EntryDraft | null {
  if (condition.contested === undefined || known?.contested !== undefined) return null;
  const entry = replaced.contest(accountId, enrollment);
  if (entry !== null) return draftOf(entry);
  const { message } = condition.contested;
  const rest = { after: facetOfCondition(condition), reason: 'contested', detail: { message } } as const;
  return accountEntry(context, 'FlapDetected', accountId, enrollment, rest);
}

/** The drafts in order, each with `DriftDetected` before it if it is the first to record a drift. */
function detected({ context, backup }: Stores, drafts: readonly EntryDraft[]): EntryDraft[] {
  const records = new Map<AccountId, AccountRecord>();
  return drafts.flatMap((draft) => {
    const { chain } = draft;
    let record = records.get(chain) ?? backup.record(chain) ?? emptyRecord(chain);
    const all = withDetection(record, draft, context.newId);
    for (const each of all) record = foldEntry(record, { ...each, seq: 0, prevHash: '', hash: '' });
    records.set(chain, record);
    return all;
  });
}

/** The entry without its place in the old chain; appending it to the restored chain gives it a new one. */
function draftOf({ seq: _seq, prevHash: _prevHash, hash: _hash, ...draft }: LedgerEntry): EntryDraft {
  return draft;
}
