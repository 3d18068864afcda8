import type { Condition, Facet } from '../enrollment/condition.ts';
import { byKind, ENROLLMENT_IDS, type EnrollmentId } from '../enrollment/kinds/index.ts';
import type { AccountId, EnrollmentStatus, RuleMode, TargetStatus } from '../enrollment/model.ts';
import type { ReasonCode, Verdict } from '../enrollment/verdict.ts';
import type { Checkpoint, LedgerEntry } from '../ledger/entry.ts';
import { type AccountRecord, emptyRecord, foldEntry } from './record.ts';
import { fromStoredState } from './stored-state.ts';

/** How one enrollment of one account stood at some time. */
interface StandingFacts {
  readonly verdict: Verdict;
  readonly reason: ReasonCode | null;
  readonly observed: EnrollmentStatus | null;
  readonly observedRuleMode: RuleMode | null;
  readonly desired: TargetStatus | null;
  readonly desiredRuleMode: RuleMode | null;
  readonly rule: string | null;
}

export interface Standing extends StandingFacts {
  /** When this verdict began, ISO 8601. */
  readonly since: string;
}

/** The last word of a chain about an enrollment: `since` is `null` where only older entries tell when the verdict began. */
export interface LastWord extends StandingFacts {
  readonly since: string | null;
}

export function standingOf(condition: Condition): Standing {
  return { ...factsOf(condition), rule: condition.rule, since: condition.since };
}

function factsOf(facet: Facet): Omit<StandingFacts, 'rule'> {
  const { verdict, reason, status, ruleMode, desired, desiredRuleMode } = facet;
  return { verdict, reason, observed: status, observedRuleMode: ruleMode, desired, desiredRuleMode };
}

function ruleIn(entry: LedgerEntry, enrollment: EnrollmentId): string | null {
  return entry.rule ?? entry.detail?.rules?.[enrollment] ?? null;
}

/** What an entry says of an enrollment; `null`: nothing. */
export function facetIn(entry: LedgerEntry, enrollment: EnrollmentId): Facet | null {
  if (entry.enrollment === enrollment && entry.after !== null) return entry.after;
  return entry.detail?.facets?.[enrollment] ?? null;
}

/** The entries that decide, in the chain's order, and what stands for older ones. */
export interface Tail {
  readonly accountId: AccountId;
  readonly entries: readonly LedgerEntry[];
  readonly checkpoint: Checkpoint | null;
}

/** `unclear`: the last entries alone do not tell; the chain has to be replayed. `pruned`: what was so then is no longer there. */
export type TailState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'pruned' }
  | { readonly kind: 'unclear' }
  | { readonly kind: 'present'; readonly words: Readonly<Record<EnrollmentId, LastWord | null>> };

/**
 * An account's state at `until` (ISO 8601) out of the last entries of its chain: the same as the fold of all entries up to then, without
 * reading them.
 */
export function tailState(tail: Tail, until: string): TailState {
  const { checkpoint, entries } = tail;
  const toldSince = checkpoint === null || checkpoint.throughAt <= until;
  // What is left of before the checkpoint is about to be removed, and says nothing that the checkpoint does not.
  const kept = checkpoint === null ? entries : entries.filter(({ seq }) => seq > checkpoint.through.seq);
  if (!toldSince) return { kind: 'pruned' };
  const base = checkpoint?.state ? fromStoredState(checkpoint.state) : null;
  const presence = kept.findLast(({ type }) => type === 'AccountJoined' || type === 'AccountLeft');
  const present = presence === undefined ? (base?.present ?? false) : presence.type === 'AccountJoined';
  if (!present) return { kind: 'absent' };
  const words: Record<EnrollmentId, LastWord | null> = byKind(() => null);
  for (const enrollment of ENROLLMENT_IDS) {
    const last = kept.findLast((entry) => entry.enrollment === enrollment || entry === presence);
    const word = last === undefined ? null : wordOf(last, enrollment);
    // An entry that says nothing of what it is about: what was so before it stands further back.
    if (last !== undefined && word === null && (kept.length > 1 || base !== null)) return { kind: 'unclear' };
    words[enrollment] = word ?? fromCheckpoint(base?.conditions[enrollment] ?? null);
  }
  return { kind: 'present', words };
}

function wordOf(entry: LedgerEntry, enrollment: EnrollmentId): LastWord | null {
  const facet = facetIn(entry, enrollment);
  if (facet === null) return null;
  return { ...factsOf(facet), rule: ruleIn(entry, enrollment), since: sinceOf(entry, facet) };
}

function fromCheckpoint(condition: Condition | null): LastWord | null {
  return condition === null ? null : standingOf(condition);
}

function sinceOf(entry: LedgerEntry, { verdict }: Facet): string | null {
  // Whoever joins was unknown before, or had left, and then nothing applied to them.
  if (entry.type === 'AccountJoined') return entry.seq === 1 || verdict !== 'NotApplicable' ? entry.at : null;
  // `before` is what stood there by the entry's own word; the same verdict, or none told, and the beginning lies further back.
  return entry.before !== null && entry.before.verdict !== verdict ? entry.at : null;
}

/** The slow and certain way: the record behind all entries of a chain that were written at or before `until`, in the chain's order. */
export function replay(
  accountId: AccountId,
  checkpoint: Checkpoint | null,
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
