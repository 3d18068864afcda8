import { capOf, ROLLING_MS } from '../../../domain/guardrails.ts';
import type { AccountId } from '../../../domain/types.ts';
import { type Asked, type Check, type CheckParts, Vetoed } from './check.ts';

/** How old the picture of other workers' changes may be, ms. Our own are added at once. */
const RECENT_MAX_AGE_MS = 5_000;

/**
 * Would this change go past a cap of the last 24 hours? A run's own changes were judged together when it was planned; this catches what
 * arrives one by one: events, later runs, other processes.
 */
export function caps(parts: CheckParts): Check {
  return new Caps(parts);
}

class Caps implements Check {
  readonly #parts: CheckParts;
  #recent = new Map<AccountId, boolean>();
  #recentAt = Number.NEGATIVE_INFINITY;

  constructor(parts: CheckParts) {
    this.#parts = parts;
  }

  async ask({ run, accountIds, optOut }: Asked): Promise<void> {
    const { guardrails } = this.#parts.policy.policy;
    // Opting out is rare and cannot be taken back: there the picture is never an old one.
    await this.#refresh(optOut ? 0 : RECENT_MAX_AGE_MS);
    // The intent of this very change may be in the ledger already, or not: what counts is the union.
    const maxChanges = capOf(guardrails.maxChanges, run.accountsInScope);
    if (!this.#lifted(run) && this.#withThese(accountIds, () => true) > maxChanges) {
      const message = `maxChanges allows ${maxChanges} accounts in 24 hours, and as many were changed`;
      throw new Vetoed('guardrail', message);
    }
    const maxOptOuts = capOf(guardrails.maxOptOuts, run.accountsInScope);
    if (optOut && this.#withThese(accountIds, (wasOptOut) => wasOptOut) > maxOptOuts) {
      const message = `maxOptOuts allows ${maxOptOuts} accounts in 24 hours, and this would be one more`;
      throw new Vetoed('guardrail', message);
    }
  }

  passed({ accountIds, optOut }: Asked): void {
    for (const id of accountIds) this.#recent.set(id, optOut || (this.#recent.get(id) ?? false));
  }

  /** A saved plan or an approval lifts `maxChanges`, the latter for 24 hours. */
  #lifted({ planHash, approvedUntil }: Asked['run']): boolean {
    if (planHash === null) return false;
    return approvedUntil === null || this.#parts.deps.clock.now() < approvedUntil;
  }

  /** How many accounts count, those in question included. */
  #withThese(accountIds: readonly AccountId[], counts: (wasOptOut: boolean) => boolean): number {
    let total = accountIds.length;
    const these = new Set(accountIds);
    for (const [id, wasOptOut] of this.#recent) if (!these.has(id) && counts(wasOptOut)) total += 1;
    return total;
  }

  async #refresh(maxAgeMs: number): Promise<void> {
    const { ledger, clock } = this.#parts.deps;
    const now = clock.now();
    if (now - this.#recentAt < maxAgeMs) return;
    const changes = await ledger.changedSince(new Date(now - ROLLING_MS).toISOString());
    this.#recent = new Map([...changes].map(([id, { optOut }]) => [id, optOut]));
    this.#recentAt = now;
  }
}
