import type { AccountRecord } from '../../domain/account/record.ts';
import { assessCanaries, enforceableCanaries } from '../../domain/decision/canary-health.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import { laneOf } from '../../domain/work-lane.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { Deps, RunContext } from '../context.ts';
import { RunStore, type StoredPlan } from '../coordination/run-store.ts';
import type { Typed } from '../coordination/typed-register.ts';
import { approvalOf, openApprovals } from '../guardrails/approvals.ts';
import { readControls } from '../guardrails/controls.ts';
import { ROLLOUT, type RolloutState, readRollout, writeRollout } from '../guardrails/rollout-gate.ts';
import { commandContext } from '../ledger/organization-entry.ts';
import { pendingEntry, readRecorded } from '../ledger/pending-entries.ts';
import { keysOf } from '../plan/change-keys.ts';
import type { Plan } from '../plan/plan.ts';
import { releaseHeld } from './release-held.ts';

/*
 * The gate of a policy's first run:
 *
 *   scanning ─▶ canary ◀──────────▶ waiting ─── `wait` is over ───▶ open
 *      │          │   all Compliant    │                             ▲
 *      │          └──────┬─────────────┘                             │
 *      │                 └─ one fails or stalls ─▶ blocked ─ approve ─┤
 *      └── no canary has an enforced enrollment ─────────────────────┘
 *
 * Open is final: later drift under the same policy is remediated immediately.
 */

export type RolloutDeps = Pick<Deps, 'registers' | 'records' | 'ledger' | 'queue' | 'clock' | 'newId' | 'actor'>;

/** How long before the gate opens the canaries are checked a last time, ms: one tick period. */
const CHECK_AHEAD_MS = 60_000;
/** Minimum time for that last check, ms. */
const CHECK_MS = 30_000;

/** A process that opened the gate but did not release the held changes within this time has crashed, ms. */
const RELEASING_MS = 60_000;

/** Reads the gate. Before that, it writes the entry about the last phase change if the process that changed the phase ended before it did so. */
function readRecordedGate(deps: RolloutDeps): Promise<Typed<RolloutState> | null> {
  return readRecorded(deps, ROLLOUT, (state, unrecorded) => ({ ...state, unrecorded }));
}

/**
 * Updates the gate at the beginning of a scan: closes it under a new policy with a rollout, and opens it if the canaries failed but
 * an operator has approved the other changes since.
 * @returns the hash of the plan whose approval opened the gate, if this run is to be bound to that plan; otherwise `null`
 */
export async function beginRollout(deps: RolloutDeps, run: RunContext): Promise<string | null> {
  const { policy } = run;
  const known = await readRecordedGate(deps);
  const now = deps.clock.now();
  if (known?.value.policyHash === policy.hash) {
    return known.value.phase === 'open' ? openedFor(deps, run, known.value) : openIfApproved(deps, run, known);
  }
  if (known === null && policy.policy.rollout === null) return null;
  const closed = policy.policy.rollout !== null;
  const message = closed ? 'the canaries come first' : 'the policy has no rollout';
  const fresh: RolloutState = {
    policyHash: policy.hash,
    phase: closed ? 'scanning' : 'open',
    since: now,
    runId: run.runId,
    planHash: null,
    startedAt: null,
    canaries: [],
    opensAt: null,
    lookedAt: null,
    message,
    released: !closed,
    openedBy: null,
    unrecorded: null,
  };
  await writeRollout(deps.registers, fresh, known);
  return null;
}

/** A scan that opened the gate may have ended before it bound its run to the plan. The same run is bound when it continues, otherwise the next run. */
async function openedFor(
  { registers }: RolloutDeps,
  { runId }: RunContext,
  { openedBy }: RolloutState,
): Promise<string | null> {
  if (openedBy === null) return null;
  if (openedBy.runId === runId) return openedBy.planHash;
  const approval = await approvalOf(registers, openedBy.planHash);
  return approval?.startedRun === null ? openedBy.planHash : null;
}

async function openIfApproved(deps: RolloutDeps, run: RunContext, known: Typed<RolloutState>): Promise<string | null> {
  const { phase, since } = known.value;
  if (phase !== 'blocked') return null;
  const now = deps.clock.now();
  const approval = (await openApprovals(deps.registers, run.policy.hash, now)).find(({ at }) => at >= since);
  if (approval === undefined) return null;
  const message = `approved by ${approval.actor}`;
  // Already `released`: the scan that has just begun enqueues the changes that the gate held back.
  const open = { phase: 'open', since: now, opensAt: null, message, released: true } as const;
  const next = { ...known.value, ...open, openedBy: { planHash: approval.planHash, runId: run.runId } };
  const isOpened = await movePhase(deps, known, next, { reason: 'approved', runId: run.runId });
  return isOpened ? approval.planHash : beginRollout(deps, run);
}

/** Updates the gate at the end of a scan: stores the canaries, and the plan with the changes that wait for them. */
export async function concludeRollout(deps: RolloutDeps, runs: RunStore, run: RunContext, plan: Plan): Promise<void> {
  const known = await readRecordedGate(deps);
  if (known === null || known.value.policyHash !== run.policy.hash || known.value.phase === 'open') return;
  const now = deps.clock.now();
  const canaries = enforceableCanaries(run.policy, plan.snapshot.accounts, now).map(({ id }) => id);
  const note = { heldUpBy: plan.trip?.reason ?? 'rollout', totals: heldTotals(plan) };
  // Calls for configurations of others wait for the gate to open, because opening it adds accounts to change, so different calls may be needed.
  await runs.storePlan(plan.planHash, run.policy.hash, keysOf(plan.changes), now, note);
  const scanned = { ...known.value, runId: run.runId, planHash: plan.planHash };
  if (known.value.phase !== 'scanning') {
    // An account that is no longer a canary stays in the list, because it was already changed.
    await writeRollout(
      deps.registers,
      { ...scanned, canaries: [...new Set([...scanned.canaries, ...canaries])].sort() },
      known,
    );
    return;
  }
  const begun = { ...scanned, canaries, since: now, startedAt: now };
  const next: RolloutState =
    canaries.length === 0
      ? { ...begun, phase: 'open', message: 'no account is a canary in which anything is enforced', released: true }
      : { ...begun, phase: 'canary', message: `waiting for the canaries: ${canaries.length}` };
  const reason = next.phase === 'open' ? 'noCanary' : 'canary';
  await movePhase(deps, known, next, { reason, runId: run.runId });
}

/** Counts the changes that an approval releases: those held back by the gate and, if a guardrail stopped the run, those to the canaries. */
function heldTotals({ trip, changes, totals, due }: Plan): NonNullable<StoredPlan['totals']> {
  const held = changes.filter(({ reason }) => reason === 'rollout');
  const released = trip === null ? held : [...due, ...held];
  const { size: accounts } = new Set(released.map(({ accountId }) => accountId));
  return { now: released.length, followUps: trip === null ? 0 : totals.followUps, accounts };
}

/** Checks the canaries and moves the gate. The process that opens it enqueues the changes that it held back. */
export async function advanceRollout(deps: RolloutDeps, policy: CompiledPolicy): Promise<RolloutState | null> {
  const { rollout } = policy.policy;
  if (rollout === null) return null;
  const known = await readRecordedGate(deps);
  if (known === null || known.value.policyHash !== policy.hash) return null;
  const state = known.value;
  const now = deps.clock.now();
  if (state.phase === 'open') {
    if (!state.released && now - state.since >= RELEASING_MS) await release(deps, policy, state);
    return state;
  }
  if (state.phase === 'blocked' || state.startedAt === null) return state;
  const records = await deps.records.getMany(state.canaries);
  const verdict = assessCanaries([...records.values()], state.startedAt);
  const halted = verdict.kind === 'compliant' && (await readControls(deps.registers)).halt !== null;
  const next = moved(state, verdict, { waitMs: rollout.canary.waitMs, now, halted });
  if (next === null) return state;
  // Enqueued before the state is written: a crash in between then causes a second check, not a missing one.
  if (next.lookedAt !== null && state.lookedAt === null) await enqueueCanaryChecks(deps, state, records.values());
  if (next.phase === state.phase) {
    await writeRollout(deps.registers, next, known);
    return next;
  }
  const reason = next.phase === 'blocked' ? 'rollout' : next.phase;
  const isMoved = await movePhase(deps, known, next, { reason, runId: next.runId });
  if (isMoved && next.phase === 'open') await release(deps, policy, next);
  return next;
}

interface GateTiming {
  readonly waitMs: number;
  readonly now: EpochMs;
  readonly halted: boolean;
}

function moved(
  state: RolloutState,
  verdict: ReturnType<typeof assessCanaries>,
  { waitMs, now, halted }: GateTiming,
): RolloutState | null {
  if (verdict.kind === 'failed') {
    const message = `${verdict.message}; the rest waits for an operator's approval`;
    return { ...state, phase: 'blocked', since: now, opensAt: null, message };
  }
  if (verdict.kind === 'pending') {
    if (state.phase === 'canary')
      return state.message === verdict.message ? null : { ...state, message: verdict.message };
    return { ...state, phase: 'canary', since: now, opensAt: null, lookedAt: null, message: verdict.message };
  }
  const waitEndsAt = verdict.since + waitMs;
  const since = state.phase === 'waiting' ? state.since : now;
  if (halted && now >= waitEndsAt - CHECK_AHEAD_MS) {
    // While enforcement is halted the canaries cannot be checked, and nothing would be released.
    const message = 'the canaries were Compliant for as long as the policy asks, and enforcement is halted';
    if (state.phase === 'waiting' && state.message === message) return null;
    return { ...state, phase: 'waiting', since, opensAt: null, lookedAt: null, message };
  }
  const lookedAt = state.lookedAt ?? (now >= waitEndsAt - CHECK_AHEAD_MS ? now : null);
  const opensAt = lookedAt === null ? waitEndsAt : Math.max(waitEndsAt, lookedAt + Math.min(CHECK_MS, waitMs));
  if (state.lookedAt !== null && now >= opensAt) {
    const message = 'the canaries were observed Compliant for as long as the policy asks';
    return { ...state, phase: 'open', since: now, opensAt: null, message, released: false };
  }
  if (state.phase === 'waiting' && state.opensAt === opensAt && state.lookedAt === lookedAt) return null;
  const message = `the canaries are Compliant; if they stay so, the rest follows at ${toIso(opensAt)}`;
  return { ...state, phase: 'waiting', since, opensAt, lookedAt, message };
}

/** Makes workers read the canaries again, because a change since the last scan may be undetected: events can get lost. */
async function enqueueCanaryChecks(
  deps: RolloutDeps,
  { runId, policyHash }: RolloutState,
  records: Iterable<AccountRecord>,
): Promise<void> {
  const run = runId === null ? null : await new RunStore(deps.registers).get(runId);
  const common = { v: 1, policyHash, runId: runId ?? 'none', planHash: run?.planHash ?? null } as const;
  const messages = [...records].flatMap((record) =>
    ENROLLMENT_IDS.filter((enrollment) => record.present && record.conditions[enrollment]?.verdict === 'Compliant').map(
      (enrollment): WorkMessage => ({ ...common, kind: 'account', accountId: record.accountId, enrollment }),
    ),
  );
  if (messages.length > 0) await deps.queue.send(messages, { lane: laneOf(messages.length) });
}

async function release(deps: RolloutDeps, policy: CompiledPolicy, state: RolloutState): Promise<void> {
  await releaseHeld(deps, new RunStore(deps.registers), policy, state);
  const known = await readRollout(deps.registers);
  if (known?.value.policyHash !== state.policyHash) return;
  await writeRollout(deps.registers, { ...known.value, released: true }, known);
}

/** Changes the phase and records the change. @returns false if another process was faster */
async function movePhase(
  deps: RolloutDeps,
  known: Typed<RolloutState>,
  next: RolloutState,
  { reason, runId }: { readonly reason: string; readonly runId: string | null },
): Promise<boolean> {
  const { phase, policyHash, planHash, message, canaries } = next;
  const type = phase === 'blocked' ? 'GuardrailTripped' : 'RolloutAdvanced';
  const detail = { message, summary: { canaries: canaries.length }, ...(planHash === null ? {} : { planHash }) };
  const context = commandContext(deps, { runId, policyHash });
  const unrecorded = await pendingEntry(deps.ledger, context, { type, reason, detail });
  if (!(await writeRollout(deps.registers, { ...next, unrecorded }, known))) return false;
  await readRecordedGate(deps);
  return true;
}
