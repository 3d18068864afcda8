import { capOf } from '../../domain/guardrails.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { AccountId } from '../../domain/types.ts';
import type { ReasonCode } from '../../domain/verdict.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Clock } from '../../ports/system.ts';
import type { RunStates } from '../run-state.ts';
import { ROLLING_MS } from '../scan.ts';

/** Thrown right before a mutating call that must not be made now. The call is not made. */
export class Vetoed extends Error {
  override readonly name = 'Vetoed';
  readonly reason: ReasonCode;

  constructor(reason: ReasonCode, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** How old the picture of other workers' changes may be, ms. Our own are added at once. */
const RECENT_MAX_AGE_MS = 5_000;

/**
 * What is asked right before each mutating call (invariant 3): has the run been stopped, and would this change go past a cap. A
 * run's own changes were judged together when it was planned; this catches what arrives one by one.
 */
export class Guard {
  readonly #ledger: Ledger;
  readonly #runs: RunStates;
  readonly #clock: Clock;
  readonly #policy: CompiledPolicy;
  #recent = new Map<AccountId, boolean>();
  #recentAt = Number.NEGATIVE_INFINITY;

  constructor(ledger: Ledger, runs: RunStates, clock: Clock, policy: CompiledPolicy) {
    this.#ledger = ledger;
    this.#runs = runs;
    this.#clock = clock;
    this.#policy = policy;
  }

  /** @throws Vetoed if the change must not be made now. */
  async check(runId: string, accountIds: readonly AccountId[], optOut: boolean): Promise<void> {
    const run = await this.#runs.get(runId);
    if (run === null) throw new Vetoed('guardrail', `run ${runId} is not known here; the next scan starts a new one`);
    if (run.stopped !== null) throw new Vetoed('guardrail', `the run was stopped: ${run.stopped.message}`);
    const { guardrails } = this.#policy.policy;
    // Opting out is rare and cannot be taken back: there the picture is never an old one.
    await this.#refresh(optOut ? 0 : RECENT_MAX_AGE_MS);
    // The intent of this very change may be in the ledger already, or not: what counts is the union.
    const maxChanges = capOf(guardrails.maxChanges, run.accountsInScope);
    if (run.planHash === null && this.#withThese(accountIds, () => true) > maxChanges) {
      const message = `maxChanges allows ${maxChanges} accounts in 24 hours, and as many were changed`;
      throw new Vetoed('guardrail', message);
    }
    const maxOptOuts = capOf(guardrails.maxOptOuts, run.accountsInScope);
    if (optOut && this.#withThese(accountIds, (wasOptOut) => wasOptOut) > maxOptOuts) {
      const message = `maxOptOuts allows ${maxOptOuts} accounts in 24 hours, and this would be one more`;
      throw new Vetoed('guardrail', message);
    }
    for (const id of accountIds) this.#recent.set(id, optOut || (this.#recent.get(id) ?? false));
  }

  /** How many accounts count, those in question included. */
  #withThese(accountIds: readonly AccountId[], counts: (wasOptOut: boolean) => boolean): number {
    let total = accountIds.length;
    const these = new Set(accountIds);
    for (const [id, wasOptOut] of this.#recent) if (!these.has(id) && counts(wasOptOut)) total += 1;
    return total;
  }

  async #refresh(maxAgeMs: number): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#recentAt < maxAgeMs) return;
    const changes = await this.#ledger.changedSince(new Date(now - ROLLING_MS).toISOString());
    this.#recent = new Map([...changes].map(([id, { optOut }]) => [id, optOut]));
    this.#recentAt = now;
  }
}
