import { isDeepStrictEqual } from 'node:util';
import { type AccountRecord, emptyRecord, foldEntry } from '../../shared/domain/account/record.ts';
import type { Condition } from '../../shared/domain/enrollment/condition.ts';
import { byKind, ENROLLMENT_IDS, type EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import {
  checkLink,
  EMPTY_CHAIN,
  headOf,
  type LedgerEntry,
  ORGANIZATION_CHAIN,
} from '../../shared/domain/ledger/entry.ts';
import { readDrift } from '../support/drifts.ts';
import type { MemoryStores } from './memory-stores.ts';
import { unrecordedStates } from './recorded-states.ts';

export type ReportViolation = (invariant: number, what: string) => void;

export interface LedgerCheckOptions {
  readonly stores: MemoryStores;
  /** Ids of entries that the bus has accepted. */
  readonly accepted: ReadonlySet<string>;
  readonly heldBack: (accountId: AccountId, enrollment: EnrollmentId) => boolean;
  /** Whether processes of an older version take part. Their records leave the caller behind an open drift to the entries. */
  readonly withOlderVersion: boolean;
}

function comparable(record: AccountRecord | undefined, withOlderVersion: boolean): AccountRecord | undefined {
  if (!withOlderVersion || record === undefined) return record;
  const bare = (condition: Condition | null): Condition | null => {
    if (condition === null) return null;
    const { changedBy: _, ...rest } = condition;
    return rest;
  };
  return { ...record, conditions: byKind((id) => bare(record.conditions[id])) };
}

/** Checks the ledger at the end, when no work is pending (invariants 1, 2 and 7). */
export function checkLedger(options: LedgerCheckOptions, report: ReportViolation): void {
  // The previous version writes the entry after the state, so an entry can be lost.
  if (!options.withOlderVersion) for (const what of unrecordedStates(options.stores)) report(1, what);
  for (const [chain, entries] of options.stores.inside.chains) {
    checkLinks(options, chain, entries, report);
    if (chain === ORGANIZATION_CHAIN) continue;
    checkDrifts(options, chain, entries, report);
    checkIntents(chain, entries, report);
  }
}

function checkLinks(
  { stores, accepted }: LedgerCheckOptions,
  chain: string,
  entries: readonly LedgerEntry[],
  report: ReportViolation,
): void {
  const { published } = stores.inside;
  let head = EMPTY_CHAIN;
  for (const entry of entries) {
    const fault = checkLink(head, entry);
    if (fault !== null) report(7, `${chain}: ${fault.message}`);
    head = headOf(entry);
    if (!published.has(entry.id) || !accepted.has(entry.id))
      report(1, `${chain}: entry ${entry.seq} (${entry.type}) was never published`);
  }
}

function checkDrifts(
  { stores, heldBack, withOlderVersion }: LedgerCheckOptions,
  chain: AccountId,
  entries: readonly LedgerEntry[],
  report: ReportViolation,
): void {
  const folded = entries.reduce(foldEntry, emptyRecord(chain));
  const stored = stores.inside.records.get(chain);
  const [kept, expected] = [stored, folded].map((record) => comparable(record, withOlderVersion));
  if (!isDeepStrictEqual(kept, expected)) report(7, `${chain}: its record differs from the fold of its entries`);
  for (const enrollment of ENROLLMENT_IDS) {
    for (const entry of readDrift(entries, enrollment).undetected)
      report(1, `${chain} ${enrollment}: the drift of ${entry} was observed and not detected`);
    const drift = openDrift(entries, enrollment);
    if (drift !== null && !heldBack(chain, enrollment))
      report(1, `${chain} ${enrollment}: the drift of entry ${drift} has not ended`);
  }
}

function checkIntents(chain: AccountId, entries: readonly LedgerEntry[], report: ReportViolation): void {
  for (const { type, after, seq } of entries) {
    // Only an observation makes an account Compliant.
    if (type === 'RemediationSucceeded' && after?.verdict === 'Compliant')
      report(1, `${chain}: entry ${seq} records an answer as an observation`);
  }
  for (const intent of entries.filter(({ type }) => type === 'RemediationStarted')) {
    const outcomes = entries.filter(({ detail }) => detail?.intentId === intent.id);
    if (outcomes.length !== 1) report(2, `${chain}: intent ${intent.seq} has ${outcomes.length} outcomes`);
    const end = outcomes[0]?.seq ?? Number.POSITIVE_INFINITY;
    const another = entries.find(
      ({ type, seq, enrollment }) =>
        type === 'RemediationStarted' && enrollment === intent.enrollment && seq > intent.seq && seq < end,
    );
    if (another !== undefined)
      report(2, `${chain}: intents ${intent.seq} and ${another.seq} are open at the same time`);
  }
}

/** The intent without an outcome, or `null`. */
export function openIntent(entries: readonly LedgerEntry[], enrollment: EnrollmentId): LedgerEntry | null {
  const intent = entries.findLast((entry) => entry.type === 'RemediationStarted' && entry.enrollment === enrollment);
  return intent === undefined || entries.some(({ detail }) => detail?.intentId === intent.id) ? null : intent;
}

/** The sequence number of the entry whose drift is not yet resolved, waiting, needing attention or superseded; `null` if there is no such drift. */
export function openDrift(entries: readonly LedgerEntry[], enrollment: EnrollmentId): number | null {
  const { open, settled } = readDrift(entries, enrollment);
  return settled ? null : open;
}
