import { type Contention, foldContention, resumed } from './contested.ts';
import type { ChainHead, EntryType, Facet, LedgerEntry } from './ledger.ts';
import { EMPTY_CHAIN, headOf } from './ledger.ts';
import type { AccountId, Enrollment, EpochMs } from './types.ts';

/**
 * The present condition of one (account, enrollment). Plain JSON; times are ISO 8601 as in the facet it extends.
 * Nothing in it is known otherwise than from the ledger, so that it can be rebuilt from there.
 */
export interface Condition extends Facet, Contention {
  readonly rule: string | null;
  readonly policyHash: string | null;
  /** The run that last touched it. */
  readonly runId: string | null;
  /** When this verdict began. */
  readonly since: string;
  /** When anything of it last changed. */
  readonly changedAt: string;
  /** When the open drift was detected; `null` if none is open. Invariant 1: it ends resolved, blocked, failed or superseded. */
  readonly driftSince: string | null;
  /** An intent without an outcome: someone is making (or was making) a call. */
  readonly claim: Claim | null;
  /** When we last opted this enrollment out; the 24-hour cool-down counts from there as well as from AWS's timestamp. */
  readonly optedOutAt: string | null;
}

/** The worker's claim on a key, out of its `RemediationStarted`. */
export interface Claim {
  readonly entryId: string;
  readonly startedAt: string;
  /** After this the next worker finds out what happened. */
  readonly expiresAt: string;
  readonly operation: string;
  readonly clientToken: string | null;
  readonly optOut: boolean;
}

/** What a fold of a chain knows of its account. */
export interface AccountState {
  /** Member of the organization as of the last complete snapshot. */
  readonly present: boolean;
  readonly computeOptimizer: Condition | null;
  readonly automation: Condition | null;
}

/** All that is known of one account: the fold of its chain. */
export interface AccountRecord extends AccountState {
  readonly accountId: AccountId;
  /** The last entry that is folded in. */
  readonly head: ChainHead;
}

export function stateOf({ present, computeOptimizer, automation }: AccountRecord): AccountState {
  return { present, computeOptimizer, automation };
}

export function emptyRecord(accountId: AccountId): AccountRecord {
  return { accountId, head: EMPTY_CHAIN, present: false, computeOptimizer: null, automation: null };
}

const ENDS_DRIFT: ReadonlySet<EntryType> = new Set([
  'DriftResolved',
  'RemediationBlocked',
  'FlapDetected',
  // Failed, as far as this drift goes; it is looked at again, and what is then found begins another.
  'ConvergenceStalled',
  'AccountLeft',
]);

/** Verdicts under which no drift can be open: what was open is superseded. */
const SUPERSEDES_DRIFT: ReadonlySet<string> = new Set([
  'NotApplicable',
  'Unmanaged',
  'Exempt',
  'Suspended',
  'Compliant',
]);

function nextDriftSince(condition: Condition | null, entry: LedgerEntry, after: Facet): string | null {
  const open = condition?.driftSince ?? null;
  if (entry.type === 'DriftDetected') return open ?? entry.at;
  const failedForGood = entry.type === 'RemediationFailed' && after.reason === 'deadLettered';
  if (ENDS_DRIFT.has(entry.type) || failedForGood || SUPERSEDES_DRIFT.has(after.verdict)) return null;
  return open;
}

function nextClaim(condition: Condition | null, entry: LedgerEntry): Claim | null {
  const claim = condition?.claim ?? null;
  if (entry.type === 'RemediationStarted') {
    return {
      entryId: entry.id,
      startedAt: entry.at,
      expiresAt: entry.detail?.claimExpiresAt ?? entry.at,
      operation: entry.api?.operation ?? 'unknown',
      clientToken: entry.api?.clientToken ?? null,
      optOut: entry.detail?.optOut ?? false,
    };
  }
  // Only the outcome of that very intent closes it; a scan's observation in between does not.
  return claim !== null && entry.detail?.intentId === claim.entryId ? null : claim;
}

function foldFacet(condition: Condition | null, entry: LedgerEntry, after: Facet, enrollment: Enrollment): Condition {
  // Disassociating counts against `maxOptOuts`, but it does not turn Automation off: no cool-down follows [automation-org].
  const disabled = entry.detail?.optOut === true && entry.api?.operation !== 'DisassociateAccounts';
  const optOutDone = entry.type === 'RemediationSucceeded' && disabled;
  return {
    ...after,
    rule: entry.rule ?? entry.detail?.rules?.[enrollment] ?? condition?.rule ?? null,
    policyHash: entry.policyHash ?? condition?.policyHash ?? null,
    runId: entry.runId ?? condition?.runId ?? null,
    since: condition !== null && condition.verdict === after.verdict ? condition.since : entry.at,
    changedAt: entry.at,
    driftSince: nextDriftSince(condition, entry, after),
    claim: nextClaim(condition, entry),
    optedOutAt: optOutDone ? entry.at : (condition?.optedOutAt ?? null),
    ...foldContention(condition, entry, after),
  };
}

/**
 * The record after `entry`. Pure, so that replaying a chain from its start always gives the same record.
 * `entry` must follow the record's head (see `checkLink`); the caller has seen to that.
 */
export function foldEntry(record: AccountRecord, entry: LedgerEntry): AccountRecord {
  const current = entry.detail?.checkpoint?.current ?? null;
  // Changes nothing where the chain was followed from its start; where that is pruned away, this is where one knows it all.
  if (current !== null) return { accountId: record.accountId, head: headOf(entry), ...current };
  const facets = { ...entry.detail?.facets };
  if (entry.enrollment !== null && entry.after !== null) facets[entry.enrollment] = entry.after;
  const resumes = entry.type === 'AccountResumed';
  const fold = (enrollment: Enrollment): Condition | null => {
    const after = facets[enrollment];
    const folded = after === undefined ? record[enrollment] : foldFacet(record[enrollment], entry, after, enrollment);
    return resumes && (entry.enrollment ?? enrollment) === enrollment ? resumed(folded, entry.at) : folded;
  };
  return {
    accountId: record.accountId,
    head: headOf(entry),
    present: entry.type === 'AccountJoined' ? true : entry.type === 'AccountLeft' ? false : record.present,
    computeOptimizer: fold('computeOptimizer'),
    automation: fold('automation'),
  };
}

/** The times at which someone has to look at this condition again, epoch ms. */
function wakeTimes(condition: Condition | null): readonly EpochMs[] {
  if (condition === null) return [];
  const times = [condition.notBefore, condition.claim?.expiresAt ?? null];
  // A deadline wakes once, to turn Converging into Stalled; behind it there is nothing to wake for.
  if (condition.verdict === 'Converging') times.push(condition.deadline);
  return times.flatMap((time) => (time === null ? [] : [Date.parse(time)]));
}

/** When Automation that waits for Compute Optimizer got it. */
function unlockedAt({ computeOptimizer, automation }: AccountRecord): readonly EpochMs[] {
  if (computeOptimizer?.status !== 'Active' || automation?.verdict !== 'Blocked') return [];
  if (automation.reason !== 'prerequisite' || automation.notBefore !== null) return [];
  return [Date.parse(computeOptimizer.changedAt)];
}

/** The earliest time at which the record needs attention; `null` if it needs none. What the sparse index is over. */
export function wakeAt(record: AccountRecord): EpochMs | null {
  const times = [...wakeTimes(record.computeOptimizer), ...wakeTimes(record.automation), ...unlockedAt(record)];
  return times.length === 0 ? null : Math.min(...times);
}
