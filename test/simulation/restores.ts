import { reconcileRestored } from '../../shared/app/operator/reconcile-restored.ts';
import type { Stage } from './environment.ts';
import type { Others } from './external-actors.ts';
import type { MemoryBackup } from './memory-stores.ts';
import type { Operators } from './operators.ts';
import { Chance } from './seeded-random.ts';

const MINUTE = 60_000;
/** The part of the histories in which an operator restores a backup. */
const SHARE = 0.3;

/**
 * An operator who makes backups and later replaces the stores by one of them, while all processes go on. Invariant 3: this halts enforcement, and lifts
 * no suspension, used approval or cap. Their choices come from a random stream of their own.
 */
export class Restores {
  readonly #stage: Stage;
  readonly #operators: Operators;
  readonly #others: Others;
  readonly #chance: Chance;

  constructor(stage: Stage, seed: number, { operators, others }: { operators: Operators; others: Others }) {
    this.#stage = stage;
    this.#operators = operators;
    this.#others = others;
    this.#chance = new Chance(Math.imul(seed, 0x27d4eb2f) ^ 0x165667b1);
  }

  begin(): void {
    if (this.#chance.happens(SHARE)) this.#backUpLater();
  }

  #backUpLater(): void {
    // Sometimes before the first changes, so that the backup has none of them.
    const ms = this.#chance.happens(0.5) ? this.#chance.between(0, MINUTE) : this.#chance.between(5, 40) * MINUTE;
    this.#stage.time.after(ms, () => {
      if (this.#stage.calmed) return;
      this.#stage.note('operator: backup');
      const backup = this.#stage.stores.inside.backup();
      const unreadable = this.#others.rubbish;
      const restoreIn = this.#chance.between(2, 40) * MINUTE;
      if (this.#chance.happens(0.5)) this.#suspendIn(this.#chance.between(MINUTE, restoreIn));
      this.#restoreIn(restoreIn, backup, unreadable);
    });
  }

  /** What the backup cannot know: an account that is not as it should be is suspended after it was made. */
  #suspendIn(ms: number): void {
    this.#stage.time.after(ms, () => {
      const members = this.#stage.sandbox.accounts().filter(({ management }) => !management);
      const troubled = members.filter(({ computeOptimizer }) => computeOptimizer.status !== 'Active');
      const account = this.#chance.any(troubled.length > 0 ? troubled : members);
      if (account !== undefined && !this.#stage.calmed) this.#operators.command('suspend', account.accountId);
    });
  }

  #restoreIn(ms: number, backup: MemoryBackup, unreadable: number): void {
    this.#stage.time.after(ms, () => {
      if (this.#stage.calmed) return;
      // The judge cannot know which of two commands that run at the same time comes last.
      if (this.#operators.busy) return this.#restoreIn(MINUTE, backup, unreadable);
      this.#restore(backup);
      this.#others.rubbish = unreadable;
      const { accountId } = this.#stage.caller;
      const unhaltIn = this.#chance.between(2, 20) * MINUTE;
      if (this.#chance.happens(0.7))
        this.#stage.time.after(unhaltIn, () => this.#operators.command('unhalt', accountId));
      if (this.#chance.happens(0.5)) this.#backUpLater();
    });
  }

  #restore(backup: MemoryBackup): void {
    const { judge, time, newId } = this.#stage;
    const now = time.now();
    const request = { file: 'backup.db', actor: 'operator', now, newId };
    const report = backup.restore(reconcileRestored(request));
    judge.controls.haltedAt = now;
    this.#stage.note(`operator: restore ${JSON.stringify(report)}`);
  }
}
