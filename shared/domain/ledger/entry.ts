import type { StoredState } from '../account/stored-state.ts';
import { canonicalJson, sha256Hex } from '../canonical-hash.ts';
import type { Facet } from '../enrollment/condition.ts';
import type { EnrollmentId } from '../enrollment/kinds/index.ts';
import type { AccountId, TargetStatus } from '../enrollment/model.ts';
import type { EntryType } from './entry-types.ts';
import type { RunTrigger } from './run-trigger.ts';

/** The chain of entries about the organization as a whole; every other chain is an account id. */
export const ORGANIZATION_CHAIN = 'organization';

/** `prevHash` of the first entry of a chain. */
export const GENESIS_HASH = '0'.repeat(64);

interface ApiCall {
  readonly operation: string;
  readonly requestId: string | null;
  readonly clientToken: string | null;
}

/** A call by someone else, as CloudTrail recorded it. */
export interface ChangedBy {
  /** The caller's ARN, or the best other name that CloudTrail has; at most 512 characters. */
  readonly actor: string;
  readonly operation: string;
  readonly requestId: string | null;
  /** When the call was made, ISO 8601. */
  readonly at: string;
}

/** Fields that only some entry types have. JSON; never secrets. */
export interface Detail {
  /** One sentence for people. */
  readonly message?: string;
  /** AccountJoined, AccountLeft: the state of each enrollment that gets no entry of its own. */
  readonly facets?: Readonly<Partial<Record<EnrollmentId, Facet>>>;
  /** AccountJoined: the deciding rule of each enrollment in `facets`. */
  readonly rules?: Readonly<Partial<Record<EnrollmentId, string>>>;
  /** RemediationStarted: when other workers may take over the claim. */
  readonly claimExpiresAt?: string;
  /** Outcome of a change: the id of its `RemediationStarted`. */
  readonly intentId?: string;
  /** Outcome of a change: no request was sent. Absent if a request may have been sent. */
  readonly unsent?: true;
  readonly optOut?: boolean;
  /** RemediationStarted: the hash of the approved plan that the change belongs to. Such a change does not count against `maxChanges`. */
  readonly approvedPlan?: string;
  readonly scope?: string;
  /** The accounts that one batch call covers, or the number of them. */
  readonly batch?: readonly AccountId[];
  readonly target?: TargetStatus | null;
  readonly error?: { readonly kind: string; readonly code: string; readonly message: string };
  /** Name, OU and state of an account that joined, moved or left. */
  readonly account?: { readonly name: string; readonly ou: string; readonly state: string };
  /** AccountSuspended, AccountResumed: the operator's selector. */
  readonly selector?: string;
  /** AccountSuspended, ExemptionExpiring, ExemptionExpired: when it ends, ISO 8601; `null`: only when resumed. */
  readonly until?: string | null;
  /** ExemptionExpiring, ExemptionExpired: a hash of the content of the exemption. */
  readonly exemption?: string;
  readonly planHash?: string;
  /** ScanStarted: what started the run. */
  readonly trigger?: RunTrigger;
  /** PolicyChanged: the file of the policy that is now in force, without secrets; absent if it is too large to keep. */
  readonly policy?: { readonly file: string; readonly text: string };
  /**
   * ConfigurationStarted, ConfigurationEnded, AccountResumed: the target, and the rule mode that is stored; `null`: the configuration is deleted.
   */
  readonly configuration?: { readonly targetId: string; readonly target: string; readonly ruleMode: string | null };
  /** DriftDetected: who caused the drift, if CloudTrail recorded it. */
  readonly changedBy?: ChangedBy;
  readonly summary?: Readonly<Record<string, unknown>>;
  /** ChainPruned: the replaced part of the chain. Unrelated to signed checkpoints, which are in `treeHead`. */
  readonly checkpoint?: PrunedPart;
  readonly digest?: Digest;
  /** CheckpointPublished: the checkpoint, and what connects it to the one before. */
  readonly treeHead?: PublishedTreeHead;
  /** StoreRestored: the backup, and the store that it replaced. */
  readonly restore?: Restore;
}

/** Replaces the entries of its chain up to `through`, which are removed once it is stored. */
export interface PrunedPart {
  /** The last replaced entry, which is the predecessor of the first entry that stays. */
  readonly through: ChainHead;
  /** When the latest replaced entry was written, ISO 8601. Earlier states of the account are no longer known. */
  readonly throughAt: string;
  /** The state after the last replaced entry; `null` in the organization's chain. */
  readonly state: StoredState | null;
  /** The state right before the `ChainPruned`. */
  readonly current: StoredState | null;
}

/** A checkpoint of the transparency log, with the proof that it only adds entries to the one before. */
interface PublishedTreeHead {
  /** The checkpoint as a signed note (C2SP tlog-checkpoint), with the cosignatures of witnesses. */
  readonly note: string;
  /** The note of the checkpoint before; `null`: this is the first. */
  readonly previous: string | null;
  /** The consistency proof from the checkpoint before (RFC 9162, section 2.1.4), in Base64. */
  readonly proof: readonly string[];
  /** Names of the witnesses that have signed it. */
  readonly witnesses: readonly string[];
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

/** A hash over the ends of all chains. A copy that the store's owner cannot change proves later that no entry was changed. */
export interface Digest {
  /** UTC date, `2026-03-01`. There is at most one digest per day. */
  readonly day: string;
  /** Merkle root over the ends of the chains, sorted by chain name. */
  readonly root: string;
  /** SHA-256 over the list of chains and their last entry numbers. The store keeps that list for comparison. */
  readonly list: string;
  readonly chains: number;
  /** Entries ever written, including pruned ones. */
  readonly entries: number;
}

/** An entry that has no number in its chain yet. */
export interface EntryDraft {
  readonly id: string;
  readonly chain: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string;
  readonly type: EntryType;
  readonly accountId: AccountId | null;
  readonly enrollment: EnrollmentId | null;
  readonly runId: string | null;
  /** ARN of the caller if known, else the operating system's user or `rollcall`. */
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

/** The last entry of a chain; `seq` 0 and the genesis hash for a chain without entries. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

export const EMPTY_CHAIN: ChainHead = { seq: 0, hash: GENESIS_HASH };

/** SHA-256 over the canonical JSON of all fields except `hash`. */
export function hashEntry(entry: Omit<LedgerEntry, 'hash'>): string {
  const { id, chain, at, type, accountId, enrollment, runId, actor } = entry;
  const { before, after, reason, rule, policyHash, api, detail, seq, prevHash } = entry;
  return sha256Hex(
    canonicalJson({
      id,
      chain,
      at,
      type,
      accountId,
      enrollment,
      runId,
      actor,
      before,
      after,
      reason,
      rule,
      policyHash,
      api,
      detail,
      seq,
      prevHash,
    }),
  );
}

/**
 * Whether `hash` is the hash of the entry's other fields. Tries `JSON.stringify` over sorted fields first: it is much faster than canonical
 * JSON and usually gives the same text.
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

/** Appends a draft after `head`. */
export function sealEntry(draft: EntryDraft, head: ChainHead): LedgerEntry {
  const placed = { ...draft, seq: head.seq + 1, prevHash: head.hash };
  return { ...placed, hash: hashEntry(placed) };
}

export function headOf(entry: LedgerEntry): ChainHead {
  return { seq: entry.seq, hash: entry.hash };
}

export interface ChainFault {
  readonly kind: 'gap' | 'fork' | 'edit';
  readonly seq: number;
  readonly message: string;
}

/** The first reason why `entry` cannot follow `head`, or `null`. Detects every gap, fork and edit (invariant 7). */
export function checkLink(head: ChainHead, entry: LedgerEntry): ChainFault | null {
  const { seq } = entry;
  if (seq !== head.seq + 1) {
    const message = `entry ${seq} follows entry ${head.seq}`;
    return { kind: seq <= head.seq ? 'fork' : 'gap', seq, message };
  }
  if (!hasOwnHash(entry)) return { kind: 'edit', seq, message: 'its content does not match its hash' };
  if (entry.prevHash !== head.hash) {
    return { kind: 'fork', seq, message: `its prevHash is not the hash of entry ${head.seq}` };
  }
  return null;
}
