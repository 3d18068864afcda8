import type { Condition, Facet } from '../enrollment/condition.ts';
import { byKind, ENROLLMENT_IDS, type EnrollmentId } from '../enrollment/kinds/index.ts';
import type { AccountId, EnrollmentStatus, RuleMode, TargetStatus } from '../enrollment/model.ts';
import type { ReasonCode } from '../enrollment/reason-codes.ts';
import type { Verdict } from '../enrollment/verdict.ts';
import type { LedgerEntry, PrunedPart } from '../ledger/entry.ts';
import { type AccountRecord, emptyRecord, foldEntry } from './record.ts';
import { fromStoredState } from './stored-state.ts';

/** The state of an enrollment, as the last entry about it in its account's chain records it. */
export interface LastWord {
  readonly verdict: Verdict;
  readonly reason: ReasonCode | null;
  readonly observed: EnrollmentStatus | null;
  readonly observedRuleMode: RuleMode | null;
  readonly desired: TargetStatus | null;
  readonly desiredRuleMode: RuleMode | null;
  readonly rule: string | null;
  /** When this verdict began, ISO 8601; `null`: only older entries show it. */
  readonly since: string | null;
}

/** The state of one enrollment of one account at some time. */
export interface Standing extends LastWord {
  readonly since: string;
}

export function standingOf(condition: Condition): Standing {
  return { ...fieldsOf(condition), rule: condition.rule, since: condition.since };
}

function fieldsOf(facet: Facet): Omit<LastWord, 'rule' | 'since'> {
  const { verdict, reason, status, ruleMode, desired, desiredRuleMode } = facet;
  return { verdict, reason, observed: status, observedRuleMode: ruleMode, desired, desiredRuleMode };
}

function ruleIn(entry: LedgerEntry, enrollment: EnrollmentId): string | null {
  return entry.rule ?? entry.detail?.rules?.[enrollment] ?? null;
}

/** The facet (state before or after an entry) that an entry records for an enrollment; `null`: none. */
export function facetIn(entry: LedgerEntry, enrollment: EnrollmentId): Facet | null {
  if (entry.enrollment === enrollment && entry.after !== null) return entry.after;
  return entry.detail?.facets?.[enrollment] ?? null;
}

/** The last entries of an account's chain, in order, and the checkpoint that replaces older entries. */
export interface Tail {
  readonly accountId: AccountId;
  readonly entries: readonly LedgerEntry[];
  readonly checkpoint: PrunedPart | null;
}

/** `unclear`: the last entries are not enough, so the chain must be replayed. `pruned`: the entries of that time have been removed. */
export type TailState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'pruned' }
  | { readonly kind: 'unclear' }
  | { readonly kind: 'present'; readonly words: Readonly<Record<EnrollmentId, LastWord | null>> };

/** An account's state at `until` (ISO 8601), from the last entries alone. The result equals a replay of all entries until then. */
export function tailState(tail: Tail, until: string): TailState {
  const { checkpoint, entries } = tail;
  const covered = checkpoint === null || checkpoint.throughAt <= until;
  // The checkpoint already includes the entries before it; some of them may have been removed.
  const kept = checkpoint === null ? entries : entries.filter(({ seq }) => seq > checkpoint.through.seq);
  if (!covered) return { kind: 'pruned' };
  const base = checkpoint?.state ? fromStoredState(checkpoint.state) : null;
  const presence = kept.findLast(({ type }) => type === 'AccountJoined' || type === 'AccountLeft');
  const present = presence === undefined ? (base?.present ?? false) : presence.type === 'AccountJoined';
  if (!present) return { kind: 'absent' };
  const words: Record<EnrollmentId, LastWord | null> = byKind(() => null);
  for (const enrollment of ENROLLMENT_IDS) {
    const last = kept.findLast((entry) => entry.enrollment === enrollment || entry === presence);
    const word = last === undefined ? null : wordOf(last, enrollment);
    // The entry is about the enrollment but does not record its state, so older entries are needed. The first entry of a chain has none.
    const hasOlder = last !== undefined && last.seq > 1 && (kept.length > 1 || base !== null);
    if (hasOlder && word === null) return { kind: 'unclear' };
    const atCheckpoint = base?.conditions[enrollment] ?? null;
    words[enrollment] = word ?? (atCheckpoint === null ? null : standingOf(atCheckpoint));
  }
  return { kind: 'present', words };
}

function wordOf(entry: LedgerEntry, enrollment: EnrollmentId): LastWord | null {
  const facet = facetIn(entry, enrollment);
  if (facet === null) return null;
  return { ...fieldsOf(facet), rule: ruleIn(entry, enrollment), since: sinceOf(entry, facet) };
}

function sinceOf(entry: LedgerEntry, { verdict }: Facet): string | null {
  // Joining begins the verdict, unless the account returns and is NotApplicable: it already was while it was away.
  if (entry.type === 'AccountJoined') return entry.seq === 1 || verdict !== 'NotApplicable' ? entry.at : null;
  // If `before` is missing or has the same verdict, the verdict began at an older entry.
  return entry.before !== null && entry.before.verdict !== verdict ? entry.at : null;
}

/** The record after all entries of a chain that were written at or before `until`, in the order of the chain. */
export function replay(
  accountId: AccountId,
  checkpoint: PrunedPart | null,
  entries: readonly LedgerEntry[],
  until: string,
): AccountRecord {
  const start = checkpoint?.state
    ? { ...emptyRecord(accountId), ...fromStoredState(checkpoint.state) }
    : emptyRecord(accountId);
  const from = checkpoint?.through.seq ?? 0;
  return entries
    .filter(({ seq, at, type }) => seq > from && at <= until && type !== 'ChainPruned')
    .reduce(foldEntry, start);
}
