import type { EpochMs } from '../../domain/enrollment/model.ts';

/**
 * A task rests at most this long, ms: the policy may change, and another process may crash and leave work behind that only a run of the task finds.
 * Half a minute less than five, so that the fifth tick runs the task even if it comes early.
 */
export const MAX_REST_MS = 270_000;

/**
 * Remembers which maintenance tasks have nothing to do for a while, so that a function that runs every minute makes no request for them. It is kept
 * in memory: a process that starts runs every task.
 */
export class TaskRests {
  readonly #until = new Map<string, EpochMs>();

  isResting(task: string, now: EpochMs): boolean {
    const until = this.#until.get(task) ?? now;
    // A rest that ends later than any rest can means that the clock was set back.
    return now < until && until - now <= MAX_REST_MS;
  }

  /** @param until when the task next has anything to do; `null`: it may have at any time */
  note(task: string, until: EpochMs | null, now: EpochMs): void {
    if (until === null) this.#until.delete(task);
    else this.#until.set(task, Math.min(until, now + MAX_REST_MS));
  }
}
