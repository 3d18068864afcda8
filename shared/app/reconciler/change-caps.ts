import { capOf } from '../../domain/decision/guardrails.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { claimChanges, claimedChanges } from '../guardrails/change-reservations.ts';
import { changedRecently } from '../guardrails/rolling-changes.ts';
import { requestEarlyScan } from '../schedule/scan-requests.ts';
import { scanNow } from '../schedule/scan-schedule.ts';
import { type Asked, ChangeRefused, type Check, type CheckParts, optOutsOf } from './guard.ts';

/** Maximum age of the recent changes read from the ledger, ms. Later changes are among the reservations, which last longer. */
const RECENT_CHANGES_MS = 5_000;

/**
 * The caps on accounts changed in 24 hours. The changes of a run were checked together when it was planned; this check covers changes that
 * arrive one by one: events, later runs, other processes. Right before the call the change is reserved with compare-and-set, so that several
 * processes cannot exceed a cap together.
 */
export function caps(parts: CheckParts): Check {
  return new Caps(parts);
}

class Caps implements Check {
  readonly #parts: CheckParts;
  #recent = new RecentChanges();
  #recentAt = Number.NEGATIVE_INFINITY;

  constructor(parts: CheckParts) {
    this.#parts = parts;
  }

  async ask(asked: Asked): Promise<void> {
    const { deps, policy } = this.#parts;
    const { run, accountIds, optOut, stage } = asked;
    const { maxChanges, maxOptOuts } = policy.policy.guardrails;
    await this.#refresh();
    // A cap that covers every account in scope cannot be exceeded, so its changes are not reserved. This saves a write for each of them.
    const binds =
      capOf(maxChanges, run.accountsInScope) < run.accountsInScope ||
      (optOut && capOf(maxOptOuts, run.accountsInScope) < run.accountsInScope);
    const now = deps.clock.now();
    const fits = (claimed: ReadonlyMap<AccountId, boolean>): void => this.#requireRoom(asked, claimed);
    try {
      if (!binds) fits(new Map());
      else if (stage === 'claim') fits(await claimedChanges(deps.registers, now));
      else await claimChanges(deps.registers, { accountIds, optOutIds: new Set(optOutsOf(asked)), now }, fits);
    } catch (error) {
      if (error instanceof ChangeRefused) await this.#askForScan(error.message);
      throw error;
    }
  }

  /** An early scan checks all pending changes together, announces that the cap is reached, and stores a plan to approve. */
  async #askForScan(reason: string): Promise<void> {
    const { deps } = this.#parts;
    const last = await scanNow(deps.registers);
    await requestEarlyScan(deps, { organization: false, reason }, last?.value.dueAt ?? Number.NEGATIVE_INFINITY);
  }

  passed(asked: Asked): void {
    const optOuts = new Set(optOutsOf(asked));
    for (const id of asked.accountIds) this.#recent.add(id, optOuts.has(id));
  }

  /** Checks the caps for the accounts of this call. Its intents may be in the ledger already, so each account is counted once. @throws ChangeRefused */
  #requireRoom(asked: Asked, claimed: ReadonlyMap<AccountId, boolean>): void {
    const { run, planHash, accountIds, optOut } = asked;
    const { guardrails } = this.#parts.policy.policy;
    const lifted = this.#lifted(run, planHash);
    const maxChanges = capOf(guardrails.maxChanges, run.accountsInScope);
    if (!lifted && this.#recent.sizeWith(accountIds, claimed, false) > maxChanges) {
      const message = `maxChanges allows ${maxChanges} accounts in 24 hours, and as many were changed`;
      throw new ChangeRefused('guardrail', message);
    }
    const maxOptOuts = capOf(guardrails.maxOptOuts, run.accountsInScope);
    if (optOut && this.#recent.sizeWith(optOutsOf(asked), claimed, true) > maxOptOuts) {
      const message = `maxOptOuts allows ${maxOptOuts} accounts in 24 hours, and this would be one more`;
      throw new ChangeRefused('guardrail', message);
    }
  }

  /** A saved plan or an approval lifts `maxChanges` for the changes of that plan; an approval does so for 24 hours. */
  #lifted({ planHash: bound, approvedUntil }: Asked['run'], planHash: string | null): boolean {
    if (planHash === null || planHash !== bound) return false;
    return approvedUntil === null || this.#parts.deps.clock.now() < approvedUntil;
  }

  async #refresh(): Promise<void> {
    const now = this.#parts.deps.clock.now();
    if (now - this.#recentAt < RECENT_CHANGES_MS) return;
    const changes = await changedRecently(this.#parts.deps, now);
    this.#recent = new RecentChanges();
    for (const [id, { optOut }] of changes) this.#recent.add(id, optOut);
    this.#recentAt = now;
  }
}

/** The accounts changed recently, and whether one of their changes was an opt-out. Counted incrementally, because every change needs this count. */
export class RecentChanges {
  readonly #changed = new Map<AccountId, boolean>();
  #optOuts = 0;

  add(id: AccountId, optOut: boolean): void {
    const before = this.#changed.get(id) ?? false;
    if (optOut && !before) this.#optOuts += 1;
    this.#changed.set(id, optOut || before);
  }

  /** The number of changed accounts, including those of the call and those reserved, each counted once. */
  sizeWith(asked: readonly AccountId[], claimed: ReadonlyMap<AccountId, boolean>, optOutsOnly: boolean): number {
    const more = new Set<AccountId>(asked);
    for (const [id, wasOptOut] of claimed) if (wasOptOut || !optOutsOnly) more.add(id);
    for (const id of more) if (optOutsOnly ? this.#changed.get(id) : this.#changed.has(id)) more.delete(id);
    return more.size + (optOutsOnly ? this.#optOuts : this.#changed.size);
  }
}
