import type { AccountTruth } from '../../sandbox/engine/accounts.ts';
import { ACTORS } from './cast.ts';
import { type Beat, deliver, isActive, nameOf, optOut, type Stage, shown, truthOf } from './stage.ts';

const MINUTE_MS = 60_000;
const VISIT_MS = 12 * 60 * MINUTE_MS;
/** How often to check whether the cool-down or the change freeze has ended, ms. */
const CHECK_MS = 10 * MINUTE_MS;

/** Opts an account out of Automation. AWS refuses the opt-in for 24 hours; after it has been made, the next account follows. */
export class CoolDown implements Beat {
  readonly #accounts: readonly AccountTruth[];
  #at = -1;

  constructor(accounts: readonly AccountTruth[]) {
    this.#accounts = accounts;
  }

  async play(stage: Stage): Promise<number> {
    const present = this.#accounts[this.#at];
    if (present !== undefined && !isActive(stage, present.accountId, 'automation')) return CHECK_MS;
    this.#at = (this.#at + 1) % this.#accounts.length;
    const next = this.#accounts[this.#at];
    if (next === undefined || !isActive(stage, next.accountId, 'automation')) return CHECK_MS;
    const events = optOut(stage, [next.accountId], 'automation', ACTORS.coolDown);
    stage.say(
      `${nameOf(ACTORS.coolDown(next.accountId))} opted ${shown(next)} out of Automation: AWS refuses the opt-in for 24 hours, so it waits`,
    );
    await deliver(stage, events);
    return CHECK_MS;
  }
}

/** An account that joins and leaves the organization, again and again, so that the number of accounts stays the same. */
export class Visitor implements Beat {
  readonly account = { accountId: '555500001111', name: 'acquired-startup', ou: '/Sandbox' } as const;

  async play(stage: Stage): Promise<number> {
    const { accountId } = this.account;
    if (stage.frozen) return CHECK_MS;
    const present = truthOf(stage, accountId) !== undefined;
    stage.sandbox.changeAccounts(present ? { remove: [accountId] } : { add: [this.account] });
    const verb = present ? 'left the organization' : 'joined in /Sandbox';
    stage.say(`${shown(this.account)} ${verb}: the next scan finds it`);
    return VISIT_MS;
  }
}
