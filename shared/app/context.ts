import type { PlanTotals } from '../domain/decision/plan-totals.ts';
import type { EnrollmentId } from '../domain/enrollment/kinds/index.ts';
import { MAX_ACCOUNTS } from '../domain/page-bounds.ts';
import type { CompiledPolicy } from '../domain/policy/index.ts';
import type { Cloud } from '../ports/cloud.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { WorkQueue } from '../ports/queue.ts';
import type { Records } from '../ports/records.ts';
import type { Registers } from '../ports/registers.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import type { Clock, Logger, NewId, Random } from '../ports/system.ts';

/** How long a lease lasts without renewal, ms. After its holder dies, other processes wait this long before they take over. */
export const LEASE_MS = 60_000;

/** Where things are kept. One adapter set gives all of them. */
export interface Stores {
  readonly ledger: Ledger;
  readonly records: Records;
  readonly queue: WorkQueue;
  readonly registers: Registers;
  readonly snapshots: SnapshotStore;
}

/** What use cases are built from; the composition root fills it. */
export interface Deps extends Stores {
  readonly cloud: Cloud;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly logger: Logger;
  /** Who acts, for the ledger: an ARN where known. */
  readonly actor: string;
}

/** Settings of a process that are no part of the policy. */
export interface Settings {
  /** Failed attempts of one drift before it is dead-lettered. */
  readonly maxAttempts: number;
  /** How old the organization snapshot may be before a scan reads it anew, ms. */
  readonly snapshotMaxAgeMs: number;
  /** How long a received message stays invisible, ms; extended while work lasts. */
  readonly visibilityMs: number;
  /** How long an intent keeps others away, ms: longer than the retries of its call can take. */
  readonly claimMs: number;
  /** How long the lease of a scan lasts without renewal, ms. After a process is killed, the others wait this long before they scan. */
  readonly leaseMs: number;
  /** How long the retries of one wire call may go on, ms. */
  readonly retryBudgetMs: number;
  /** Maximum number of accounts in the organization; larger listings are taken as broken. */
  readonly maxAccounts: number;
}

export const DEFAULT_SETTINGS: Settings = {
  maxAttempts: 5,
  snapshotMaxAgeMs: 5 * 60_000,
  visibilityMs: 120_000,
  claimMs: 60_000,
  leaseMs: LEASE_MS,
  retryBudgetMs: 45_000,
  maxAccounts: MAX_ACCOUNTS,
};

/** A piece of work under one policy and one run. */
export interface RunContext {
  readonly runId: string;
  readonly policy: CompiledPolicy;
  /** The stored plan that the run is bound to: only its changes may be made. */
  readonly planHash: string | null;
  /** It is bound by an operator's approval, which ends then, epoch ms. */
  readonly approvedUntil?: number;
  /** A process that is gone has begun the run: what it has said in the organization's chain is not said again. */
  readonly resumed?: boolean;
  /** When the first part of it began to ask, epoch ms: an answer that was kept for a later part is no younger. Absent: it begins now. */
  readonly begunAt?: number;
}

/** What a person may want to watch; never needed for the work itself. */
export type Progress =
  /** `until`, epoch ms: if nobody prolongs it, as where its process was killed. */
  | { readonly kind: 'waitingForLease'; readonly holder: string; readonly until: number }
  | { readonly kind: 'organization'; readonly accounts: number; readonly done: boolean }
  | { readonly kind: 'listing'; readonly listing: 'computeOptimizer' | 'automation'; readonly accounts: number }
  | { readonly kind: 'probing'; readonly done: number; readonly total: number }
  | { readonly kind: 'recorded'; readonly entries: number }
  /** `keys`: the changes that the run plans, follow-ups included, in the form of `workKey`. */
  | {
      readonly kind: 'queued';
      readonly messages: number;
      readonly totals: PlanTotals;
      readonly keys: ReadonlySet<string>;
    }
  | {
      readonly kind: 'worked';
      readonly outcome: WorkOutcome;
      readonly accountId: string;
      readonly enrollment: EnrollmentId;
    }
  | { readonly kind: 'waiting'; readonly until: number };

/** How a key ended for now. */
export type WorkOutcome = 'resolved' | 'converging' | 'blocked' | 'retrying' | 'dead' | 'nothingToDo' | 'superseded';

export type OnProgress = (event: Progress) => void;
