import type { EntryContext } from '../../domain/account/transition.ts';
import type { AssessContext, HoldOf } from '../../domain/decision/assess.ts';
import type { AccountId, Caller } from '../../domain/enrollment/model.ts';
import type { Verdict } from '../../domain/enrollment/verdict.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../domain/policy/index.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { Deps, Settings, WorkOutcome } from '../context.ts';
import type { RunStore } from '../coordination/run-store.ts';
import { type ControlsView, underControls } from '../guardrails/controls.ts';
import type { LedgerWriter } from '../ledger/ledger-writer.ts';
import type { Retrying } from '../support/retry.ts';
import type { AutomationListing } from './automation-listing-cache.ts';
import type { Guard } from './checks/guard.ts';

/** What every worker of a process shares. */
export interface WorkContext {
  readonly deps: Deps;
  readonly settings: Settings;
  readonly retrying: Retrying;
  readonly journal: LedgerWriter;
  readonly runs: RunStore;
  readonly guard: Guard;
  /** Kill switch and suspensions, for judging; read at each message, and by the guard itself right before each call. */
  readonly controls: ControlsView;
  readonly policy: CompiledPolicy;
  readonly caller: Caller;
  readonly automationListing: AutomationListing;
  /** The stored plan that this process may make changes of, and no others; `null`: whatever is on the queue. */
  readonly boundTo: string | null;
  /**
   * Our policy was the one in force when the work began: if another is by now, ours is the older one. Where it was not (a function that has
   * read a new policy before its first scan), ours is the newer one.
   */
  readonly beganInForce: boolean;
  /** What holds calls up, as it was read for the message at hand; the guard reads it again before each call. */
  readonly holds: readonly HoldOf[];
}

/** How a message ended, per account, and what it leads to. */
export interface WorkResult {
  readonly outcomes: readonly { readonly accountId: AccountId; readonly outcome: WorkOutcome }[];
  /** Further keys that this one made possible. */
  readonly followUps: readonly WorkMessage[];
  /** The message itself belongs among the dead letters. */
  readonly dead: { readonly code: string; readonly message: string; readonly entryId: string | null } | null;
}

export const NOTHING: WorkResult = { outcomes: [], followUps: [], dead: null };

const OUTCOMES: Partial<Record<Verdict, WorkOutcome>> = {
  Compliant: 'resolved',
  Converging: 'converging',
  Stalled: 'converging',
  Blocked: 'blocked',
  Drifted: 'retrying',
};

/** How a key that was looked at and not acted upon ended. */
export function outcomeOf(verdict: Verdict): WorkOutcome {
  return OUTCOMES[verdict] ?? 'nothingToDo';
}

export function assessContext(work: WorkContext): AssessContext {
  const { policy, caller, deps, controls, holds } = work;
  const now = deps.clock.now();
  return { policy, caller, now, ...underControls(controls.last, now), optOutsAllowed: true, holds };
}

export function entryContext(work: WorkContext, runId: string): EntryContext {
  const { newId, clock, actor, random } = work.deps;
  return { newId, now: clock.now(), actor, runId, policyHash: work.policy.hash, random };
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** How old the snapshot may be that a worker judges by: two schedule periods. */
export function snapshotMaxAgeMs({ policy }: CompiledPolicy, settings: Settings): number {
  const period = 'everyMs' in policy.schedule ? policy.schedule.everyMs : DAY_MS;
  return Math.max(2 * period, 2 * settings.snapshotMaxAgeMs);
}

/**
 * What the last snapshot says of an account. `null`: it is not in it, or the snapshot is older than two schedule periods; then the key
 * waits for a scan, because a rule may have come to mean something else for an account that moved.
 */
export async function freshFacts(work: WorkContext, accountId: AccountId): Promise<OrganizationAccount | null> {
  const meta = await work.deps.snapshots.meta();
  const maxAge = snapshotMaxAgeMs(work.policy, work.settings);
  if (meta === null || work.deps.clock.now() - meta.takenAt > maxAge) return null;
  // A snapshot taken for a policy without tags says nothing to one with them.
  if (work.policy.usesTags && !meta.tags) return null;
  return work.deps.snapshots.get(accountId);
}
