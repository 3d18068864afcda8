import type { RecentChange } from '../../domain/decision/changed-accounts.ts';
import { capOf } from '../../domain/decision/guardrails.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { NONE_RESERVED, type Reserved, reserveChanges, reservedChanges } from '../guardrails/change-reservations.ts';
import { changedRecently } from '../guardrails/rolling-changes.ts';
import { requestEarlyScan } from '../schedule/scan-requests.ts';
import { scanNow } from '../schedule/scan-schedule.ts';
import { type Asked, ChangeRefused, type Check, type CheckParts, liftingPlan, optOutsOf } from './guard.ts';

/** Maximum age of the recent changes read from the ledger, ms. Later changes are among the reservations, which last longer. */
const RECENT_CHANGES_MS = 5_000;
/** For a call whose enrollment is not known. */
const ANY_ENROLLMENT = 'any';

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
    const now = deps.clock.now();
    const isLifted = liftingPlan(asked, now) !== null;
    const approved = isLifted ? (asked.assessments?.[0]?.enrollment ?? ANY_ENROLLMENT) : null;
    // A cap that covers every account in scope cannot be exceeded. So changes that only such a cap limits are not reserved, which saves a write for each.
    // Changes that do not count against `maxChanges` are not reserved for it either.
    const binds =
      (!isLifted && capOf(maxChanges, run.accountsInScope) < run.accountsInScope) ||
      (optOut && capOf(maxOptOuts, run.accountsInScope) < run.accountsInScope);
    const fits = (reserved: Reserved): void => this.#requireRoom(asked, reserved);
    try {
      if (!binds) fits(NONE_RESERVED);
      else if (stage === 'claim') fits(await reservedChanges(deps.registers, now));
      else {
        const optOutIds = new Set(optOutsOf(asked));
        await reserveChanges(deps.registers, { accountIds, optOutIds, approved, now }, fits);
      }
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
    const counted = liftingPlan(asked, this.#parts.deps.clock.now()) === null;
    for (const id of asked.accountIds) this.#recent.add(id, { optOut: optOuts.has(id), counted });
  }

  /** Checks the caps for the accounts of this call. Its intents may be in the ledger already, so each account is counted once. @throws ChangeRefused */
  #requireRoom(asked: Asked, reserved: Reserved): void {
    const { run, accountIds, optOut, claimedUnder = null } = asked;
    const { guardrails } = this.#parts.policy.policy;
    const lifting = liftingPlan(asked, this.#parts.deps.clock.now());
    // The durable intents name an approval, so `maxChanges` never counts this call. If the approval has ended since, the call must not be made.
    if (claimedUnder !== null && claimedUnder !== lifting)
      throw new ChangeRefused('guardrail', `the approval of plan ${claimedUnder.slice(0, 12)} has expired`);
    const maxChanges = capOf(guardrails.maxChanges, run.accountsInScope);
    if (lifting === null && this.#recent.sizeWith(accountIds, reserved, false) > maxChanges) {
      const message = `maxChanges allows ${maxChanges} accounts in 24 hours, and as many were changed`;
      throw new ChangeRefused('guardrail', message);
    }
    const maxOptOuts = capOf(guardrails.maxOptOuts, run.accountsInScope);
    if (optOut && this.#recent.sizeWith(optOutsOf(asked), reserved, true) > maxOptOuts) {
      const message = `maxOptOuts allows ${maxOptOuts} accounts in 24 hours, and this would be one more`;
      throw new ChangeRefused('guardrail', message);
    }
  }

  async #refresh(): Promise<void> {
    const now = this.#parts.deps.clock.now();
    if (now - this.#recentAt < RECENT_CHANGES_MS) return;
    const changes = await changedRecently(this.#parts.deps, now);
    this.#recent = new RecentChanges();
    for (const [id, change] of changes) this.#recent.add(id, change);
    this.#recentAt = now;
  }
}

/** The accounts that count against each cap. Kept up to date incrementally, because every change needs these numbers. */
export class RecentChanges {
  readonly #counted = new Set<AccountId>();
  readonly #optedOut = new Set<AccountId>();

  add(id: AccountId, { optOut, counted }: Pick<RecentChange, 'optOut' | 'counted'>): void {
    if (counted) this.#counted.add(id);
    if (optOut) this.#optedOut.add(id);
  }

  /** The number of accounts that count, including those of the call and those reserved, each counted once. */
  sizeWith(asked: readonly AccountId[], reserved: Reserved, optOutsOnly: boolean): number {
    const known = optOutsOnly ? this.#optedOut : this.#counted;
    const more = new Set<AccountId>([...asked, ...(optOutsOnly ? reserved.optOuts : reserved.changes)]);
    for (const id of more) if (known.has(id)) more.delete(id);
    return more.size + known.size;
  }
}
