import { capOf, ROLLING_MS } from '../../../domain/guardrails.ts';
import type { AccountId } from '../../../domain/types.ts';
import { MAX_BATCH } from '../../../ports/cloud.ts';
import { type Asked, type Check, type CheckParts, Vetoed } from './check.ts';

/** How old the picture of other workers' changes may be, ms. Our own are added at once. */
const RECENT_MAX_AGE_MS = 5_000;

/*
 * How far several processes together can go past `maxChanges`: far from the cap (see `#margin`) nobody can reach it within the picture's
 * age but by several batches at once, at most 50 accounts a call in those 5 s. Near it the picture is read anew for every call, after the
 * call's own intent is durable; where such a read sees every append (embedded) the cap is never passed, where it follows behind an
 * index (DynamoDB, about a second) by what others begin within that second.
 */

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
    const lifted = this.#lifted(run);
    // Near the cap others may have come closer since: with our intent written and theirs read, nobody goes past it together.
    // A cap that lets every account through is not near: reading the ledger for each of ten thousand calls would be the square of them.
    const matters = !lifted && maxChanges < run.accountsInScope;
    if (matters && this.#withThese(accountIds, () => true) + this.#margin() > maxChanges) await this.#refresh(0);
    if (!lifted && this.#withThese(accountIds, () => true) > maxChanges) {
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

  /** What others can change while our picture is at its oldest: single calls at the full pace, or one batch. */
  #margin(): number {
    const { callsPerSecond } = this.#parts.policy.policy.limits;
    return Math.max(MAX_BATCH, (callsPerSecond * RECENT_MAX_AGE_MS) / 1_000);
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
