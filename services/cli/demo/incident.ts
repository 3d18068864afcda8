import { RunStore } from '../../../shared/app/coordination/run-store.ts';
import { ApprovalError, approve } from '../../../shared/app/guardrails/approvals.ts';
import { changedRecently } from '../../../shared/app/guardrails/rolling-changes.ts';
import type { AccountTruth } from '../../sandbox/engine/accounts.ts';
import { count } from '../ui/words.ts';
import { ACTORS } from './cast.ts';
import type { PolicyFile } from './policy.ts';
import { type Beat, deliver, isActive, nameOf, optOut, type Stage } from './stage.ts';

const STEP_MS = 5_000;
/** A little more than the 24 hours over which the cap counts, so that the accounts count as changed again. ms */
const EVERY_MS = 25 * 60 * 60_000;
/** After a user has edited the policy, or while accounts are not fixed. ms */
const RETRY_MS = 60 * 60_000;
/** The cap allows this many accounts more than have been changed. */
const HEADROOM = 4;
/** If the user does not approve the plan, somebody of the story does after this time, ms. */
const APPROVED_AFTER_MS = 10 * 60_000;

type Phase =
  | { readonly kind: 'idle' }
  /** The policy with the cap is written, and the accounts are opted out; the daemon does not use that policy yet. */
  | { readonly kind: 'capped'; readonly formerHash: string; readonly events: readonly unknown[] }
  | { readonly kind: 'held'; readonly since: number; readonly approved: boolean };

/**
 * A script opts many accounts out while the policy allows few changes. The plan waits for an approval: the user's or, after ten minutes, that of
 * somebody in the story. When everything is fixed, the policy allows changes again.
 *
 *   idle ── policy with a low cap, opt-outs ──▶ capped ── daemon reloads ──▶ held ── approved, all fixed: former policy ──▶ idle
 */
export class Incident implements Beat {
  readonly #accounts: readonly AccountTruth[];
  readonly #policy: PolicyFile;
  #phase: Phase = { kind: 'idle' };

  constructor(accounts: readonly AccountTruth[], policy: PolicyFile) {
    this.#accounts = accounts;
    this.#policy = policy;
  }

  get underWay(): boolean {
    return this.#phase.kind !== 'idle';
  }

  async play(stage: Stage): Promise<number> {
    const phase = this.#phase;
    if (phase.kind === 'idle') return this.#begin(stage);
    if (phase.kind === 'held') return this.#approveOrEnd(stage, phase);
    if (stage.inForce.policy.hash === phase.formerHash) return STEP_MS;
    await deliver(stage, phase.events);
    stage.say(
      `${nameOf(ACTORS.burst(''))} opted ${count(this.#accounts.length, 'account')} in /Security out of Compute Optimizer`,
    );
    this.#phase = { kind: 'held', since: stage.app.deps.clock.now(), approved: false };
    return STEP_MS;
  }

  async #begin(stage: Stage): Promise<number> {
    const { deps } = stage.app;
    const ready = this.#accounts.every(({ accountId }) => isActive(stage, accountId, 'computeOptimizer'));
    const changed = (await changedRecently(deps, deps.clock.now())).size;
    const written = ready && this.#policy.replace({ accounts: changed + HEADROOM, changed });
    if (!written) return RETRY_MS;
    const ids = this.#accounts.map(({ accountId }) => accountId);
    const events = optOut(stage, ids, 'computeOptimizer', ACTORS.burst);
    this.#phase = { kind: 'capped', formerHash: stage.inForce.policy.hash, events };
    stage.say(
      `${nameOf(ACTORS.approver(''))} began a change freeze: the policy allows ${HEADROOM} more accounts today`,
    );
    return STEP_MS;
  }

  async #approveOrEnd(stage: Stage, phase: Extract<Phase, { kind: 'held' }>): Promise<number> {
    const now = stage.app.deps.clock.now();
    if (this.#accounts.every(({ accountId }) => isActive(stage, accountId, 'computeOptimizer'))) {
      this.#policy.replace(null);
      this.#phase = { kind: 'idle' };
      stage.say(`all accounts in /Security are fixed; ${nameOf(ACTORS.approver(''))} ended the change freeze`);
      return EVERY_MS;
    }
    if (phase.approved || now < phase.since + APPROVED_AFTER_MS) return STEP_MS;
    if (await this.#approve(stage)) this.#phase = { ...phase, approved: true };
    return STEP_MS;
  }

  /** @returns whether the plan is approved, by this or before */
  async #approve({ app, inForce, say }: Stage): Promise<boolean> {
    const { deps } = app;
    const held = (await new RunStore(deps.registers).storedPlans(''))
      .filter(({ policyHash, heldUpBy }) => policyHash === inForce.policy.hash && heldUpBy === 'maxChanges')
      .sort((a, b) => b.storedAt - a.storedAt)[0];
    if (held === undefined) return false;
    const actor = ACTORS.approver(app.caller.accountId);
    try {
      await approve(deps, held.hash, { actor, reason: 'the script was a mistake' });
      say(`${nameOf(actor)} approved plan ${held.hash.slice(0, 12)}`);
    } catch (error) {
      if (!(error instanceof ApprovalError)) throw error;
    }
    return true;
  }
}
