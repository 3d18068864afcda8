import type { StoredState } from '../account/stored-state.ts';
import { canonicalJson, sha256Hex } from '../canonical-hash.ts';
import type { Facet } from '../enrollment/condition.ts';
import type { EnrollmentId } from '../enrollment/kinds/index.ts';
import type { AccountId, TargetStatus } from '../enrollment/model.ts';

/**
 * Everything that can be recorded. `VerdictChanged` is for transitions that have no name of their own, `ChainPruned` the checkpoint behind
 * which older entries of its chain are removed, `DigestPublished` the day's hash over the ends of all chains. `ScanRequested` and `DeadLettersRedriven` are operators'
 * commands; `StoreRestored` records that a backup replaced the store, and the end of the organization's chain that it replaced.
 */
export const ENTRY_TYPES = [
  'ScanStarted',
  'ScanCompleted',
  'AccountJoined',
  'AccountLeft',
  'DriftDetected',
  'DriftResolved',
  'RemediationStarted',
  'RemediationSucceeded',
  'RemediationFailed',
  'RemediationBlocked',
  'ConvergenceStalled',
  'ExemptionExpiring',
  'ExemptionExpired',
  'GuardrailTripped',
  'PlanApproved',
  'RolloutAdvanced',
  'EnforcementHalted',
  'EnforcementResumed',
  'AccountSuspended',
  'AccountResumed',
  'PolicyChanged',
  'FlapDetected',
  'VerdictChanged',
  'ChainPruned',
  'DigestPublished',
  'ScanRequested',
  'DeadLettersRedriven',
  'StoreRestored',
] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

/** Entries that record the progress of a change: the last of them about an enrollment of an account shows how the change ended, or how far it is. */
export const STEP_TYPES = [
  'DriftResolved',
  'RemediationStarted',
  'RemediationSucceeded',
  'RemediationFailed',
  'RemediationBlocked',
  'ConvergenceStalled',
] as const satisfies readonly EntryType[];
export type StepType = (typeof STEP_TYPES)[number];

/** The chain of entries about the organization as a whole; every other chain is an account id. */
export const ORGANIZATION_CHAIN = 'organization';

/** `prevHash` of the first entry of a chain. */
export const GENESIS_HASH = '0'.repeat(64);

interface ApiCall {
  readonly operation: string;
  readonly requestId: string | null;
  readonly clientToken: string | null;
}

/** Somebody else's call, as CloudTrail recorded it. */
export interface ChangedBy {
  /** ARN, else what CloudTrail says of who called; at most 512 characters. */
  readonly actor: string;
  readonly operation: string;
  readonly requestId: string | null;
  /** When the call was made, ISO 8601. */
  readonly at: string;
}

/** What an entry may carry beside the fixed fields, by need of its type. JSON; never secrets. */
export interface Detail {
  /** One sentence for people. */
  readonly message?: string;
  /** AccountJoined, AccountLeft: the conditions that need no entry of their own. */
  readonly facets?: Readonly<Partial<Record<EnrollmentId, Facet>>>;
  /** AccountJoined: which rule decides each of them. */
  readonly rules?: Readonly<Partial<Record<EnrollmentId, string>>>;
  /** RemediationStarted: when others may find out what happened to it. */
  readonly claimExpiresAt?: string;
  /** An outcome: the id of the `RemediationStarted` that it closes. */
  readonly intentId?: string;
  /** An outcome: certainly no request was sent for its intent. Absent if a request may have been sent. */
  readonly unsent?: true;
  readonly optOut?: boolean;
  readonly scope?: string;
  /** The accounts that one batch call covers, or the number of them. */
  readonly batch?: readonly AccountId[];
  readonly target?: TargetStatus | null;
  readonly error?: { readonly kind: string; readonly code: string; readonly message: string };
  /** Name, OU and state of an account that joined, moved or left. */
  readonly account?: { readonly name: string; readonly ou: string; readonly state: string };
  /** AccountSuspended, AccountResumed: what the operator named. */
  readonly selector?: string;
  /** AccountSuspended, ExemptionExpiring, ExemptionExpired: when it ends, ISO 8601; `null`: not before it is resumed. */
  readonly until?: string | null;
  /** ExemptionExpiring, ExemptionExpired: which exemption, by a hash of its content. */
  readonly exemption?: string;
  readonly planHash?: string;
  /** DriftDetected: who changed it behind our back, if CloudTrail told. */
  readonly changedBy?: ChangedBy;
  readonly summary?: Readonly<Record<string, unknown>>;
  /** ChainPruned: what it replaces. */
  readonly checkpoint?: Checkpoint;
  /** DigestPublished: what it is over. */
  readonly digest?: Digest;
  /** StoreRestored: the backup, and the store that it replaced. */
  readonly restore?: Restore;
}

/** Stands for the entries of its chain up to `through`, which are removed once it is stored. */
export interface Checkpoint {
  /** The last entry that is replaced. Its hash covers all before it; the first one that stays names it as its predecessor. */
  readonly through: ChainHead;
  /** When the latest of them was written, ISO 8601: from then on the state can still be told. */
  readonly throughAt: string;
  /** The state behind that entry; `null` in the organization's chain. */
  readonly state: StoredState | null;
  /** The state right before this checkpoint. */
  readonly current: StoredState | null;
}

/** A backup that replaced a store. */
interface Restore {
  /** The backup's path, as the operator gave it. */
  readonly file: string;
  /** The end of the organization's chain in the store that was replaced; `null`: there was no store, or it could not be read. */
  readonly replaced: (ChainHead & { readonly chain: string }) | null;
  /** Entries of the replaced store that the backup lacks; `null`: unknown. Times are ISO 8601. */
  readonly lost: {
    readonly entries: number;
    readonly runs: number;
    readonly from: string | null;
    readonly to: string | null;
  } | null;
}

/** A hash over the ends of all chains, for whoever keeps it where the store's owner cannot reach. */
export interface Digest {
  /** UTC, `2026-03-01`: there is at most one a day. */
  readonly day: string;
  /** Merkle root over the chains' ends, in order of their names. */
  readonly root: string;
  /** SHA-256 over the list of chains with how far each had come, which the store keeps to compare by. */
  readonly list: string;
  readonly chains: number;
  /** Entries that had been written, those that are pruned by now included. */
  readonly entries: number;
}

/** An entry as a use case writes it, before it has a place in a chain. */
export interface EntryDraft {
  readonly id: string;
  readonly chain: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string;
  readonly type: EntryType;
  readonly accountId: AccountId | null;
  readonly enrollment: EnrollmentId | null;
  readonly runId: string | null;
  /** ARN of who acted if known, else the operating system's user or `rollcall`. */
  readonly actor: string;
  readonly before: Facet | null;
  readonly after: Facet | null;
  readonly reason: string | null;
  readonly rule: string | null;
  readonly policyHash: string | null;
  readonly api: ApiCall | null;
  readonly detail: Detail | null;
}

/** An entry in its chain. `hash` covers every other field, `prevHash` the entry before it. */
export interface LedgerEntry extends EntryDraft {
  /** 1, 2, 3, … without a gap. */
  readonly seq: number;
  readonly prevHash: string;
  readonly hash: string;
}

/** Where a chain ends; `seq` 0 and the genesis hash for a chain without entries. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

export const EMPTY_CHAIN: ChainHead = { seq: 0, hash: GENESIS_HASH };

/** The hash of an entry: SHA-256 over the canonical JSON of all its fields but `hash`. */
export function hashEntry(entry: Omit<LedgerEntry, 'hash'>): string {
  const { id, chain, at, type, accountId, enrollment, runId, actor } = entry;
  const { before, after, reason, rule, policyHash, api, detail, seq, prevHash } = entry;
  return sha256Hex(
    canonicalJson({
      ...{ id, chain, at, type, accountId, enrollment, runId, actor },
      ...{ before, after, reason, rule, policyHash, api, detail, seq, prevHash },
    }),
  );
}

/**
 * Whether an entry's hash is the one of its content. What was read from a store usually has its members in order, and then needs no
 * ordering to be hashed: if that text gives the hash, it is the text that was hashed.
 */
export function hasOwnHash(entry: LedgerEntry): boolean {
  const inOrder = {
    accountId: entry.accountId,
    actor: entry.actor,
    after: entry.after,
    api: entry.api,
    at: entry.at,
    before: entry.before,
    chain: entry.chain,
    detail: entry.detail,
    enrollment: entry.enrollment,
    id: entry.id,
    policyHash: entry.policyHash,
    prevHash: entry.prevHash,
    reason: entry.reason,
    rule: entry.rule,
    runId: entry.runId,
    seq: entry.seq,
    type: entry.type,
  };
  return sha256Hex(JSON.stringify(inOrder)) === entry.hash || hashEntry(entry) === entry.hash;
}

/** Gives a draft its place behind `head`. */
export function sealEntry(draft: EntryDraft, head: ChainHead): LedgerEntry {
  const placed = { ...draft, seq: head.seq + 1, prevHash: head.hash };
  return { ...placed, hash: hashEntry(placed) };
}

export function headOf(entry: LedgerEntry): ChainHead {
  return { seq: entry.seq, hash: entry.hash };
}

export type ChainFault =
  | { readonly kind: 'gap'; readonly seq: number; readonly message: string }
  | { readonly kind: 'fork'; readonly seq: number; readonly message: string }
  | { readonly kind: 'edit'; readonly seq: number; readonly message: string };

/**
 * Checks that `entry` follows `head`: the next number, the hash of its predecessor, and its own hash over its content.
 * @returns `null` if it does, else the first fault found. (Invariant 7: no gap, no fork, no edit goes unnoticed.)
 */
export function checkLink(head: ChainHead, entry: LedgerEntry): ChainFault | null {
  const { seq } = entry;
  if (seq !== head.seq + 1) {
    const message = `entry ${seq} follows entry ${head.seq}`;
    return { kind: seq <= head.seq ? 'fork' : 'gap', seq, message };
  }
  if (!hasOwnHash(entry)) return { kind: 'edit', seq, message: 'its content does not give its hash' };
  if (entry.prevHash !== head.hash) {
    return { kind: 'fork', seq, message: `its prevHash is not the hash of entry ${head.seq}` };
  }
  return null;
}
