import type { AccountTruth } from '../../sandbox/engine/accounts.ts';
import { ACTORS } from './cast.ts';
import { type Beat, deliver, isActive, nameOf, optOut, type Stage, shown } from './stage.ts';

/** Time between two reversions, ms. */
const REVERT_MS = 40_000;
/** How many reversions make an account contested. */
const REVERSIONS = 3;
/** After an operator has settled one account, the next one is reverted after this time, ms. */
const REST_MS = 60 * 60_000;

/** A program reverts the same account until Rollcall stops and asks a person. After the account is settled, the program leaves it alone. */
export class Contest implements Beat {
  readonly #accounts: readonly AccountTruth[];
  #at = 0;
  #reversions = 0;

  constructor(accounts: readonly AccountTruth[]) {
    this.#accounts = accounts;
  }

  async play(stage: Stage): Promise<number> {
    const account = this.#accounts[this.#at % this.#accounts.length];
    if (account === undefined) return REST_MS;
    const { accountId } = account;
    // Not fixed yet, or contested.
    if (!isActive(stage, accountId, 'computeOptimizer')) return REVERT_MS;
    // The account's first change would not be allowed.
    if (stage.frozen && this.#reversions === 0) return REVERT_MS;
    const actor = ACTORS.contested(accountId);
    if (this.#reversions === REVERSIONS) {
      this.#at += 1;
      this.#reversions = 0;
      stage.say(`${shown(account)} is settled: ${nameOf(actor)} no longer manages it`);
      return REST_MS;
    }
    this.#reversions += 1;
    const events = optOut(stage, [accountId], 'computeOptimizer', ACTORS.contested);
    stage.say(
      `${nameOf(actor)} opted ${shown(account)} out of Compute Optimizer (${this.#reversions} of ${REVERSIONS} times)`,
    );
    await deliver(stage, events);
    return REVERT_MS;
  }
}
