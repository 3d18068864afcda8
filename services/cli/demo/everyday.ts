import { changedRecently } from '../../../shared/app/guardrails/rolling-changes.ts';
import type { AccountTruth } from '../../sandbox/engine/accounts.ts';
import { ACTORS } from './cast.ts';
import { type Beat, deliver, isActive, nameOf, optOut, type Stage, shown } from './stage.ts';

const DAY_MS = 24 * 60 * 60_000;
/** A third reversion within 24 hours makes an account contested. */
const MAX_A_DAY = 2;
/** At first, somebody may be watching. */
const FIRST_EVERY_MS = 20_000;
const FIRST_BEATS = 45;
/** From then on: fewer than two opt-outs of each account a day. */
const EVERY_MS = 15 * 60_000;
/** Nothing new while this many accounts are still opted out, for example because changes are halted. */
const MAX_OPEN = 3;

/** People opt accounts out of Compute Optimizer, one at a time; Rollcall fixes each within seconds. */
export class Everyday implements Beat {
  readonly #accounts: readonly AccountTruth[];
  readonly #optedOut = new Map<string, readonly number[]>();
  #beats = 0;

  constructor(accounts: readonly AccountTruth[]) {
    this.#accounts = accounts;
  }

  async play(stage: Stage): Promise<number> {
    const { deps } = stage.app;
    const now = deps.clock.now();
    const pauseMs = this.#beats < FIRST_BEATS ? FIRST_EVERY_MS : EVERY_MS;
    const open = [...this.#optedOut.keys()].filter((id) => !isActive(stage, id, 'computeOptimizer'));
    if (open.length >= MAX_OPEN) return pauseMs;
    const chosen = await this.#choose(stage, now);
    if (chosen === undefined) return EVERY_MS;
    const actor = ACTORS.everyday[this.#beats % ACTORS.everyday.length] ?? ACTORS.everyday[0];
    this.#beats += 1;
    this.#optedOut.set(chosen.accountId, [...this.#timesOf(chosen, now), now]);
    const events = optOut(stage, [chosen.accountId], 'computeOptimizer', actor);
    stage.say(`${nameOf(actor(chosen.accountId))} opted ${shown(chosen)} out of Compute Optimizer`);
    await deliver(stage, events);
    return pauseMs;
  }

  /** The account that drifted longest ago. */
  async #choose(stage: Stage, now: number): Promise<AccountTruth | undefined> {
    const counted = stage.frozen ? await changedRecently(stage.app.deps, now) : null;
    const times = this.#accounts
      .filter((account) => isActive(stage, account.accountId, 'computeOptimizer'))
      .filter(({ accountId }) => counted?.get(accountId)?.counted ?? counted === null)
      .map((account) => ({ account, times: this.#timesOf(account, now) }))
      .filter((each) => each.times.length < MAX_A_DAY);
    return times.sort((a, b) => (a.times.at(-1) ?? 0) - (b.times.at(-1) ?? 0))[0]?.account;
  }

  #timesOf({ accountId }: AccountTruth, now: number): readonly number[] {
    // An hour more than a day, because Rollcall counts from when it saw the opt-out.
    return (this.#optedOut.get(accountId) ?? []).filter((at) => at > now - DAY_MS - 60 * 60_000);
  }
}
