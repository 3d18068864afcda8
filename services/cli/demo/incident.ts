import { RunStore } from '../../../shared/app/coordination/run-store.ts';
import { ApprovalError } from '../../../shared/app/guardrails/approvable-plan.ts';
import { approve } from '../../../shared/app/guardrails/approvals.ts';
import { changedRecently, usedOf } from '../../../shared/app/guardrails/rolling-changes.ts';
import { askForScan } from '../../../shared/app/operator/commands.ts';
import { scanNow } from '../../../shared/app/schedule/scan-schedule.ts';
import type { AccountTruth } from '../../sandbox/engine/accounts.ts';
import { count } from '../ui/words.ts';
import { ACTORS, BURST } from './cast.ts';
import type { PolicyFile } from './policy.ts';
import { type Beat, deliver, isActive, nameOf, optOut, type Stage } from './stage.ts';

const STEP_MS = 5_000;
/** A little more than the 24 hours over which the cap counts, so that the accounts count as changed again. ms */
const EVERY_MS = 25 * 60 * 60_000;
/** After a user has edited the policy, or while accounts are not fixed. ms */
const RETRY_MS = 60 * 60_000;
/** If the user does not approve the plan, somebody of the story does after this time, ms. */
const APPROVED_AFTER_MS = 10 * 60_000;

type Phase =
  | { readonly kind: 'idle' }
  /** The policy with the cap is written, but no scan has put it in force. */
  | { readonly kind: 'capped'; readonly formerHash: string; readonly accountIds: readonly string[] }
  /** The accounts are opted out, and workers have found that the cap allows no change. */
  | { readonly kind: 'opted out' }
  | { readonly kind: 'held'; readonly since: number; readonly approved: boolean };

/**
 * A script opts many accounts out during a change freeze. Somebody asks for a scan, whose plan waits for an approval: the user's or, after ten
 * minutes, that of somebody in the story. When everything is fixed, the policy allows changes again.
 *
 *   idle ── policy without room for changes ──▶ capped ── in force: opt-outs ──▶ opted out ── scan ──▶ held ── all fixed: former policy ──▶ idle
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
    switch (phase.kind) {
      case 'idle':
        return this.#begin(stage);
      case 'capped':
        return this.#optOut(stage, phase);
      case 'opted out':
        return this.#askForScan(stage);
      case 'held':
        return this.#approveOrEnd(stage, phase);
    }
  }

  async #begin(stage: Stage): Promise<number> {
    const { deps } = stage.app;
    const changed = await changedRecently(deps, deps.clock.now());
    const written = this.#allActive(stage) && this.#policy.replace({ accounts: usedOf(changed).changes });
    if (!written) return RETRY_MS;
    const ids = this.#accounts.map(({ accountId }) => accountId).filter((id) => changed.get(id)?.counted !== true);
    this.#phase = { kind: 'capped', formerHash: stage.inForce.policy.hash, accountIds: ids.slice(0, BURST) };
    stage.say(`${nameOf(ACTORS.approver(''))} began a change freeze: the policy allows no changes to further accounts`);
    return STEP_MS;
  }

  async #optOut(stage: Stage, { formerHash, accountIds }: Extract<Phase, { kind: 'capped' }>): Promise<number> {
    const { hash } = stage.inForce.policy;
    const scan = (await scanNow(stage.app.deps.registers))?.value;
    if (hash === formerHash || scan?.policyHash !== hash || scan.state !== 'done') return STEP_MS;
    const events = optOut(stage, accountIds, 'computeOptimizer', ACTORS.burst);
    stage.say(
      `${nameOf(ACTORS.burst(''))} opted ${count(accountIds.length, 'account')} in /Security out of Compute Optimizer`,
    );
    await deliver(stage, events);
    this.#phase = { kind: 'opted out' };
    return STEP_MS;
  }

  async #askForScan({ app, say }: Stage): Promise<number> {
    const actor = ACTORS.approver(app.caller.accountId);
    await askForScan({ ...app.deps, actor }, 'what did the script do?');
    say(`${nameOf(actor)} asked for a scan`);
    this.#phase = { kind: 'held', since: app.deps.clock.now(), approved: false };
    return STEP_MS;
  }

  #allActive(stage: Stage): boolean {
    return this.#accounts.every(({ accountId }) => isActive(stage, accountId, 'computeOptimizer'));
  }

  async #approveOrEnd(stage: Stage, phase: Extract<Phase, { kind: 'held' }>): Promise<number> {
    const now = stage.app.deps.clock.now();
    if (this.#allActive(stage)) {
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
