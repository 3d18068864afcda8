import { reconcileRestored } from '../../shared/app/operator/reconcile-restored.ts';
import type { Simulation } from './environment.ts';
import type { ExternalActors } from './external-actors.ts';
import type { LogKeepers } from './log-keepers.ts';
import type { MemoryBackup } from './memory-stores.ts';
import type { Operators } from './operators.ts';
import { SeededRandom } from './seeded-random.ts';

const MINUTE = 60_000;
/** The share of histories in which an operator restores a backup. */
const SHARE = 0.3;

/** Those that a restore affects. */
interface Others {
  readonly operators: Operators;
  readonly externalActors: ExternalActors;
  readonly logKeepers: LogKeepers;
}

interface Taken {
  readonly backup: MemoryBackup;
  readonly takenAt: number;
  /** The number of unreadable messages that had been sent by then. */
  readonly unreadable: number;
}

/**
 * An operator who makes backups and later restores one while all processes run. Invariant 3: a restore halts enforcement, and resets no
 * suspension, used approval or cap. It uses a separate random stream.
 */
export class Restores {
  readonly #simulation: Simulation;
  readonly #operators: Operators;
  readonly #externalActors: ExternalActors;
  readonly #logKeepers: LogKeepers;
  readonly #chance: SeededRandom;

  constructor(simulation: Simulation, seed: number, { operators, externalActors, logKeepers }: Others) {
    this.#simulation = simulation;
    this.#operators = operators;
    this.#externalActors = externalActors;
    this.#logKeepers = logKeepers;
    this.#chance = new SeededRandom(Math.imul(seed, 0x27d4eb2f) ^ 0x165667b1);
  }

  begin(): void {
    if (this.#chance.happens(SHARE)) this.#backUpLater();
  }

  #backUpLater(): void {
    // Sometimes before the first changes, so that the backup lacks them.
    const ms = this.#chance.happens(0.5) ? this.#chance.between(0, MINUTE) : this.#chance.between(5, 40) * MINUTE;
    this.#simulation.time.after(ms, () => {
      if (this.#simulation.calmed) return;
      this.#simulation.note('operator: backup');
      const takenAt = this.#simulation.time.now();
      const backup = this.#simulation.stores.inside.backup();
      const unreadable = this.#externalActors.rubbish;
      const restoreIn = this.#chance.between(2, 40) * MINUTE;
      if (this.#chance.happens(0.5)) this.#suspendIn(this.#chance.between(MINUTE, restoreIn));
      this.#restoreIn(restoreIn, { backup, takenAt, unreadable });
    });
  }

  /** Suspends a drifted account after the backup, so that the backup lacks the suspension. */
  #suspendIn(ms: number): void {
    this.#simulation.time.after(ms, () => {
      const members = this.#simulation.sandbox.accounts().filter(({ management }) => !management);
      const troubled = members.filter(({ computeOptimizer }) => computeOptimizer.status !== 'Active');
      const account = this.#chance.any(troubled.length > 0 ? troubled : members);
      if (account !== undefined && !this.#simulation.calmed) this.#operators.command('suspend', account.accountId);
    });
  }

  #restoreIn(ms: number, taken: Taken): void {
    this.#logKeepers.workDuring(ms);
    this.#simulation.time.after(ms, () => {
      if (this.#simulation.calmed) return;
      // The checker cannot know which of two concurrent commands comes last.
      if (this.#operators.busy) return this.#restoreIn(MINUTE, taken);
      this.#restore(taken);
      this.#externalActors.rubbish = taken.unreadable;
      const { accountId } = this.#simulation.caller;
      const unhaltIn = this.#chance.between(2, 20) * MINUTE;
      if (this.#chance.happens(0.7))
        this.#simulation.time.after(unhaltIn, () => this.#operators.command('unhalt', accountId));
      if (this.#chance.happens(0.5)) this.#backUpLater();
    });
  }

  #restore({ backup, takenAt }: Taken): void {
    const { checker, time, newId } = this.#simulation;
    const now = time.now();
    const request = { file: 'backup.db', actor: 'operator', now, newId };
    const report = backup.restore(reconcileRestored(request));
    checker.controls.haltedAt = now;
    checker.timeline.restored(takenAt);
    this.#simulation.reached('restored backup');
    this.#simulation.note(`operator: restore ${JSON.stringify(report)}`);
  }
}
