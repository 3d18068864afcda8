import type { EntryContext } from '../../domain/account/transition.ts';
import type { AssessContext, HoldOf } from '../../domain/decision/assess-context.ts';
import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId, Caller, EpochMs } from '../../domain/enrollment/model.ts';
import type { Verdict } from '../../domain/enrollment/verdict.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../domain/policy/index.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { Deps, OnProgress, RunContext, Settings, WorkOutcome } from '../context.ts';
import { RunStore } from '../coordination/run-store.ts';
import { ControlsView, underControls } from '../guardrails/controls.ts';
import type { OwnConfigurations } from '../guardrails/own-configurations.ts';
import { LedgerWriter } from '../ledger/ledger-writer.ts';
import type { Retrying } from '../support/retry.ts';
import { BulkListings } from './bulk-listings.ts';
import { Guard } from './guard.ts';
import { checksOf } from './guard-checks.ts';

/** Shared by all workers of a process. */
export interface WorkContext {
  readonly deps: Deps;
  readonly settings: Settings;
  readonly retrying: Retrying;
  readonly writer: LedgerWriter;
  readonly runs: RunStore;
  readonly guard: Guard;
  /** Kill switch and suspensions as assessments see them; the guard reads them itself right before each call. */
  readonly controls: ControlsView;
  readonly policy: CompiledPolicy;
  readonly caller: Caller;
  readonly listings: BulkListings;
  /** Hash of the only plan whose changes this process may make; `null`: any change. */
  readonly boundTo: string | null;
  /** Reports waits, for display only. `WorkerPool` sets it. */
  readonly onProgress: OnProgress;
}

/** What a worker has read for the message that it processes. */
export interface MessageContext extends WorkContext {
  /** Accounts that a rollout holds back. The guard reads them again before each call. */
  readonly holds: readonly HoldOf[];
  /** The configurations that Rollcall stored. */
  readonly ownConfigurations: OwnConfigurations;
  /** Listings that began after this time, epoch ms, may replace reads; `null`: none may. */
  readonly listingsSince: EpochMs | null;
}

/** Creates the shared context of the workers of one process. */
export async function createWork(
  deps: Deps,
  settings: Settings,
  retrying: Retrying,
  policy: CompiledPolicy,
  boundTo: string | null = null,
): Promise<WorkContext> {
  const runs = new RunStore(deps.registers);
  const controls = new ControlsView(deps.registers, deps.clock);
  return {
    deps,
    settings,
    retrying,
    writer: new LedgerWriter(deps),
    runs,
    guard: new Guard({ runs, deps }, checksOf({ deps, runs, policy, controls })),
    controls,
    policy,
    caller: await retrying(() => deps.cloud.identify()),
    listings: new BulkListings(deps, retrying, settings),
    boundTo,
    onProgress: () => undefined,
  };
}

/** The run that a message belongs to. */
export function runOf(
  { policy }: WorkContext,
  { runId, planHash }: Pick<WorkMessage, 'runId' | 'planHash'>,
): RunContext {
  return { runId, policy, planHash };
}

export type AccountMessage = Extract<WorkMessage, { kind: 'account' }>;

/** The key of one account of a message that concerns many. */
export function accountKey(
  { v, policyHash, runId, planHash }: WorkMessage,
  accountId: AccountId,
  enrollment: EnrollmentId,
): AccountMessage {
  return { v, policyHash, runId, planHash, kind: 'account', accountId, enrollment };
}

/** The result of a message: an outcome per account, and the messages that follow. */
export interface WorkResult {
  readonly outcomes: readonly { readonly accountId: AccountId; readonly outcome: WorkOutcome }[];
  /** Keys that this message made possible or passes on. */
  readonly followUps: readonly WorkMessage[];
  /** The reason why the message becomes a dead letter; `null`: it does not. */
  readonly dead: { readonly code: string; readonly message: string; readonly entryId: string | null } | null;
}

export const NO_RESULT: WorkResult = { outcomes: [], followUps: [], dead: null };

/** Merges the results of the parts of a message. A message becomes at most one dead letter, so the first part with a reason supplies it. */
export function merged(results: readonly WorkResult[]): WorkResult {
  return {
    outcomes: results.flatMap(({ outcomes }) => outcomes),
    followUps: results.flatMap(({ followUps }) => followUps),
    dead: results.find(({ dead }) => dead !== null)?.dead ?? null,
  };
}

const OUTCOMES: Partial<Record<Verdict, WorkOutcome>> = {
  Compliant: 'resolved',
  Converging: 'converging',
  Stalled: 'converging',
  Blocked: 'blocked',
  Drifted: 'retrying',
};

/** The outcome of a key that led to no call. */
export function outcomeOf(verdict: Verdict): WorkOutcome {
  return OUTCOMES[verdict] ?? 'nothingToDo';
}

export function assessContext(work: MessageContext): AssessContext {
  const { policy, caller, deps, controls, holds, ownConfigurations: own } = work;
  const now = deps.clock.now();
  return {
    policy,
    caller,
    now,
    ...underControls(controls.last, now),
    optOutsAllowed: true,
    holds,
    isOwnConfiguration: own.isOurs,
  };
}

export function entryContext(work: WorkContext, runId: string): EntryContext {
  const { newId, clock, actor, random } = work.deps;
  return { newId, now: clock.now(), actor, runId, policyHash: work.policy.hash, random };
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The maximum age of the snapshot that assessments are based on: two schedule periods. */
export function snapshotMaxAgeMs({ policy }: CompiledPolicy, settings: Settings): number {
  const period = 'everyMs' in policy.schedule ? policy.schedule.everyMs : DAY_MS;
  return Math.max(2 * period, 2 * settings.snapshotMaxAgeMs);
}

/**
 * The account in the last snapshot. `null`: it is not there, or the snapshot is too old, and the key waits for a scan, because other rules may
 * apply to an account that has moved since.
 */
export async function accountInSnapshot(work: WorkContext, accountId: AccountId): Promise<OrganizationAccount | null> {
  const meta = await work.deps.snapshots.meta();
  const maxAge = snapshotMaxAgeMs(work.policy, work.settings);
  if (meta === null || work.deps.clock.now() - meta.takenAt > maxAge) return null;
  // A snapshot taken for a policy without tags cannot serve one with tags.
  if (work.policy.usesTags && !meta.tags) return null;
  return work.deps.snapshots.get(accountId);
}
