import type { EpochMs } from '../../domain/enrollment/model.ts';

export interface SlotBlockOptions {
  /** The times of the slots, ascending. */
  readonly times: readonly EpochMs[];
  /** How long after its time a slot may still be used, ms. */
  readonly patienceMs: number;
  /** `check.steps()` when the slots were reserved. */
  readonly steps: number;
}

/** The slots that a process has reserved in one write. How it used them determines the next reservation. */
export class SlotBlock {
  readonly #options: SlotBlockOptions;
  #next = 0;
  /** Slots that passed unused. */
  lapsed = 0;
  /** Slots that were taken before their time, so that a call waited. */
  waited = 0;
  /** From when on the slots were given up, epoch ms; `null`: none was. */
  givenUpFrom: EpochMs | null = null;

  constructor(options: SlotBlockOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#options.times.length;
  }

  /**
   * Takes the next slot that can still be used; `null`: none is left. Slots that have passed lapse. If they were kept, every process could release its
   * saved slots in the same second.
   * @param steps see {@link ClockCheck.steps}; if it has changed, the clock was set, so the remaining slots are dropped
   */
  take(now: EpochMs, steps: number): EpochMs | null {
    const { times, patienceMs } = this.#options;
    if (steps !== this.#options.steps) this.drop(Number.NEGATIVE_INFINITY);
    for (let at = times[this.#next]; at !== undefined; at = times[this.#next]) {
      this.#next += 1;
      if (at > now) this.waited += 1;
      if (at + patienceMs >= now) return at;
      this.lapsed += 1;
    }
    return null;
  }

  /** The time of the last slot, epoch ms; −Infinity without slots. */
  get last(): EpochMs {
    return this.#options.times.at(-1) ?? Number.NEGATIVE_INFINITY;
  }

  /** The first slot after this time; `null`: every slot is earlier. */
  firstAfter(now: EpochMs): EpochMs | null {
    return this.#options.times.find((at) => at > now) ?? null;
  }

  /** The first slot that no call has taken; `null`: all are taken. */
  firstLeft(): EpochMs | null {
    return this.#options.times[this.#next] ?? null;
  }

  /** Gives up the remaining slots. @param from the first slot that no call will use */
  drop(from: EpochMs): void {
    this.#next = this.size;
    this.givenUpFrom ??= from;
  }
}

export const NO_SLOTS: SlotBlockOptions = { times: [], patienceMs: 0, steps: 0 };
