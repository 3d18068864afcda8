import type { PlanTotals } from '../domain/decision/plan-totals.ts';
import type { EnrollmentId } from '../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../domain/enrollment/model.ts';
import type { RunTrigger } from '../domain/ledger/run-trigger.ts';
import { MAX_ACCOUNTS } from '../domain/page-bounds.ts';
import type { CompiledPolicy } from '../domain/policy/index.ts';
import type { Cloud } from '../ports/cloud.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { WorkQueue } from '../ports/queue.ts';
import type { Records } from '../ports/records.ts';
import type { Registers } from '../ports/registers.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import type { Clock, Logger, NewId, Random } from '../ports/system.ts';
import type { Tracer } from '../ports/tracer.ts';

/** How long a lease lasts without renewal, ms. After its holder crashes, other processes wait this long to take over. */
export const LEASE_MS = 60_000;

/** The stores. One set of adapters implements all of them. */
export interface Stores {
  readonly ledger: Ledger;
  readonly records: Records;
  readonly queue: WorkQueue;
  readonly registers: Registers;
  readonly snapshots: SnapshotStore;
}

/** The dependencies of the use cases; `shared/compose` provides them. */
export interface Deps extends Stores {
  readonly cloud: Cloud;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly tracer: Tracer;
  /** The actor in ledger entries: an ARN if known. */
  readonly actor: string;
}

/** Settings of a process that are not part of the policy. */
export interface Settings {
  /** Failed attempts to fix one drift before Rollcall gives it up. */
  readonly maxAttempts: number;
  /** Maximum age of the stored listing of the organization (the snapshot) before a scan reads the organization again, ms. */
  readonly snapshotMaxAgeMs: number;
  /** How long a received message stays invisible, ms; extended while it is being processed. */
  readonly visibilityMs: number;
  /** How long a worker's claim keeps others from changing the same enrollment, ms: longer than the retries of a call take. */
  readonly claimMs: number;
  /** How long the lease of a scan lasts without renewal, ms. */
  readonly leaseMs: number;
  /** Maximum time for one API call including its retries, ms. `support/retry.ts` also limits their number. */
  readonly retryBudgetMs: number;
  /** How many messages must wait or be in flight so that listings replace reads of single accounts. */
  readonly listingFrom: number;
  /** Maximum number of accounts in the organization; larger listings count as broken. */
  readonly maxAccounts: number;
}

export const DEFAULT_SETTINGS: Settings = {
  maxAttempts: 5,
  snapshotMaxAgeMs: 5 * 60_000,
  visibilityMs: 120_000,
  claimMs: 60_000,
  leaseMs: LEASE_MS,
  retryBudgetMs: 45_000,
  listingFrom: 100,
  maxAccounts: MAX_ACCOUNTS,
};

/** A run: one scan and the changes that follow from it. */
export interface RunContext {
  readonly runId: string;
  readonly policy: CompiledPolicy;
  /** Hash of the stored plan whose changes are the only ones that the run may make; `null`: no such restriction. */
  readonly planHash: string | null;
  /** Identifies the saved plan that `planHash` was read from. Each of its changes is approved only once, however often it is applied. Absent: no saved plan. */
  readonly savedPlan?: string;
  /** When the approval of that plan expires, epoch ms. */
  readonly approvedUntil?: number;
  /** Whether an earlier process began the run. The entries that it wrote about the organization are not written again. */
  readonly resumed?: boolean;
  /** What started it; absent: unknown. */
  readonly trigger?: RunTrigger;
  /** When the run made its first request, epoch ms, possibly in an earlier process; absent: now. */
  readonly begunAt?: number;
  /** The run records what it finds and plans no change: nothing is enqueued, and no approval or rollout moves on. */
  readonly observeOnly?: boolean;
}

/** Progress for display only. */
export type Progress =
  /** `until`: when the lease expires if it is not renewed, epoch ms. */
  | { readonly kind: 'waitingForLease'; readonly holder: string; readonly until: number }
  | { readonly kind: 'organization'; readonly accounts: number; readonly done: boolean }
  | { readonly kind: 'listing'; readonly listing: EnrollmentId; readonly accounts: number }
  | { readonly kind: 'probing'; readonly done: number; readonly total: number }
  | { readonly kind: 'recorded'; readonly entries: number }
  /** `keys`: the planned changes, follow-ups included, by `workKey`. */
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
  /** `until`: when the run continues at the latest, epoch ms. */
  | { readonly kind: 'waiting'; readonly until: number; readonly cause: WaitCause }
  /** The completed planned changes, by `workKey`, including those that other processes have worked on. Sent once, at the end of the run. */
  | { readonly kind: 'concluded'; readonly confirmed: ReadonlySet<string>; readonly byOtherRuns: ReadonlySet<string> };

/** What a run waits for while it has no work. */
export type WaitCause =
  /** Messages that another process has received. */
  | { readonly kind: 'otherProcess'; readonly messages: number }
  /** The end of another process's claim. That process may have been killed. */
  | { readonly kind: 'claim'; readonly accountId: AccountId }
  /** The next check of whether AWS reports the changes. */
  | { readonly kind: 'confirmation' }
  /** The next check of whether AWS has applied an organization enrollment configuration. `target`: the path of the root or OU. */
  | { readonly kind: 'configuration'; readonly target: string }
  | { readonly kind: 'rollout' }
  /** The end of a delay, for example before a retry. */
  | { readonly kind: 'delay' };

/** The result of processing one key, which is an account and an enrollment kind. */
export const WORK_OUTCOMES = [
  'resolved',
  'converging',
  'blocked',
  'retrying',
  'dead',
  'nothingToDo',
  'superseded',
] as const;
export type WorkOutcome = (typeof WORK_OUTCOMES)[number];

export type OnProgress = (event: Progress) => void;
