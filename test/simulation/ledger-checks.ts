import { isDeepStrictEqual } from 'node:util';
import { emptyRecord, foldEntry } from '../../shared/domain/account/record.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
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

export type Accuse = (invariant: number, what: string) => void;

export interface BooksOptions {
  readonly stores: MemoryStores;
  /** Ids of entries that the bus has taken. */
  readonly accepted: ReadonlySet<string>;
  readonly heldBack: (accountId: AccountId, enrollment: EnrollmentId) => boolean;
}

/** What must hold of the ledger at the end, when nothing is on its way any more (invariants 1, 2 and 7). */
export function checkBooks(options: BooksOptions, accuse: Accuse): void {
  for (const [chain, entries] of options.stores.inside.chains) {
    checkLinks(options, chain, entries, accuse);
    if (chain === ORGANIZATION_CHAIN) continue;
    checkDrifts(options, chain, entries, accuse);
    checkIntents(chain, entries, accuse);
  }
}

function checkLinks(
  { stores, accepted }: BooksOptions,
  chain: string,
  entries: readonly LedgerEntry[],
  accuse: Accuse,
): void {
  const { published } = stores.inside;
  let head = EMPTY_CHAIN;
  for (const entry of entries) {
    const fault = checkLink(head, entry);
    if (fault !== null) accuse(7, `${chain}: ${fault.message}`);
    head = headOf(entry);
    if (!published.has(entry.id) || !accepted.has(entry.id))
      accuse(1, `${chain}: entry ${entry.seq} (${entry.type}) was never published`);
  }
}

function checkDrifts(
  { stores, heldBack }: BooksOptions,
  chain: AccountId,
  entries: readonly LedgerEntry[],
  accuse: Accuse,
): void {
  const folded = entries.reduce(foldEntry, emptyRecord(chain));
  const stored = stores.inside.records.get(chain);
  if (!isDeepStrictEqual(stored, folded)) accuse(7, `${chain}: its record is not what its entries say`);
  for (const enrollment of ENROLLMENT_IDS) {
    for (const entry of readDrift(entries, enrollment).undetected)
      accuse(1, `${chain} ${enrollment}: the drift of ${entry} was observed and not detected`);
    const drift = openDrift(entries, enrollment);
    if (drift !== null && !heldBack(chain, enrollment))
      accuse(1, `${chain} ${enrollment}: the drift of entry ${drift} has not ended`);
  }
}

function checkIntents(chain: AccountId, entries: readonly LedgerEntry[], accuse: Accuse): void {
  for (const { type, after, seq } of entries) {
    // Only an observation makes an account Compliant.
    if (type === 'RemediationSucceeded' && after?.verdict === 'Compliant')
      accuse(1, `${chain}: entry ${seq} takes an answer for an observation`);
  }
  for (const intent of entries.filter(({ type }) => type === 'RemediationStarted')) {
    const outcomes = entries.filter(({ detail }) => detail?.intentId === intent.id);
    if (outcomes.length !== 1) accuse(2, `${chain}: intent ${intent.seq} has ${outcomes.length} outcomes`);
    const end = outcomes[0]?.seq ?? Number.POSITIVE_INFINITY;
    const another = entries.find(
      ({ type, seq, enrollment }) =>
        type === 'RemediationStarted' && enrollment === intent.enrollment && seq > intent.seq && seq < end,
    );
    if (another !== undefined) accuse(2, `${chain}: intents ${intent.seq} and ${another.seq} are open at once`);
  }
}

/** The intent without an outcome, if there is one. */
export function openIntent(entries: readonly LedgerEntry[], enrollment: EnrollmentId): LedgerEntry | null {
  const intent = entries.findLast((entry) => entry.type === 'RemediationStarted' && entry.enrollment === enrollment);
  return intent === undefined || entries.some(({ detail }) => detail?.intentId === intent.id) ? null : intent;
}

/** The number of the entry whose drift has not ended resolved, waiting, needing attention or superseded; `null`: all have. */
export function openDrift(entries: readonly LedgerEntry[], enrollment: EnrollmentId): number | null {
  const { open, settled } = readDrift(entries, enrollment);
  return settled ? null : open;
}
