import {
  isWithin,
  type KnownDifference,
  MAX_CLOCK_ERROR_MS,
  narrowed,
  provenError,
  type Range,
  widened,
} from '../domain/clock-difference.ts';
import { ClockDifferenceError, type StoreTime, type TimeReading } from '../ports/store-time.ts';
import type { Clock, Monotonic } from '../ports/system.ts';

export interface ClockCheckOptions {
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly store: StoreTime;
  /**
   * Whether the first call may wait for up to about a second until the clock is verified. Without it (a short-lived function on a host whose
   * time the provider keeps) the answers that come anyway are compared, and a difference is refused as soon as they prove it.
   */
  readonly mayWait: boolean;
}

/** The wall clock was set if it moved by more than this against the monotonic clock, ms. Gradual corrections stay below. */
const STEP_MS = 20;
/** Reads begin so long before the own clock's second changes, ms, so that one is answered on either side of it. */
const BEFORE_SECOND_MS = 60;
/** The pause between two reads, ms. */
const LOOK_MS = 10;
/** A second changes once a second: reads for longer than this learn nothing more, ms. */
const LOOKING_MS = 1_100;
/** After an inconclusive comparison (answers that take longer than the allowed error) the next one is so much later, ms. */
const INCONCLUSIVE_FOR_MS = 10 * 60_000;

/**
 * Compares this process's clock with the store's and refuses one that is proven to be off by more than the limiter assumes.
 *
 *               bounds within ±E
 *   unknown ───────────────────────▶ verified ──┐ answers keep the bounds narrow
 *     ▲  │                              │   ▲───┘
 *     │  │ bounds beyond ±E             │ wall clock moved against the monotonic clock, or bounds grew old
 *     │  ▼                              ▼
 *   refused (every call throws; each attempt compares again)   unknown
 *
 * A clock within E is never refused. One that is off by more than E plus the time of two answers is always detected before its first call.
 */
export class ClockCheck {
  readonly #options: ClockCheckOptions;
  #known: KnownDifference | null = null;
  #steps = 0;
  /** Wall clock minus monotonic clock, ms: when the clock was last set, and now. */
  #reference: number;
  #shift: number;
  #comparing: Promise<void> | null = null;
  /** Monotonic time of the last comparison. */
  #comparedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ClockCheckOptions) {
    this.#options = options;
    this.#reference = options.clock.now() - options.monotonic();
    this.#shift = this.#reference;
    options.store.follow((reading) => this.#learn(reading));
  }

  /** How often the clock was set since the beginning. Slots that were reserved before it was set are moments of another time. */
  steps(): number {
    const { clock, monotonic } = this.#options;
    const before = monotonic();
    const now = clock.now();
    // The process may have been suspended between the two readings; only what that cannot explain is a step.
    const [least, most] = [now - monotonic(), now - before];
    this.#shift = most;
    if (least - this.#reference > STEP_MS || this.#reference - most > STEP_MS) {
      this.#steps += 1;
      this.#reference = most;
      // A machine that slept looks the same, and then the monotonic clock stood still: nothing that was known holds.
      this.#forget();
    }
    return this.#steps;
  }

  /** What is known now of the store's clock minus the own one; `null`: nothing. */
  difference(): Range | null {
    this.steps();
    if (this.#known === null) return null;
    const { low, high } = widened(this.#known, this.#options.monotonic());
    return { low: low - this.#shift, high: high - this.#shift };
  }

  /** Returns when the clock may be used. @throws ClockDifferenceError; what a read of the store throws */
  async verify(): Promise<void> {
    const difference = this.difference();
    if (difference !== null && isWithin(difference)) return;
    const proven = difference !== null && provenError(difference) !== null;
    const age = this.#options.monotonic() - this.#comparedAt;
    if (!proven && age < INCONCLUSIVE_FOR_MS) return;
    if (!proven && !this.#options.mayWait) return;
    await this.compare();
    this.refuse();
  }

  /** @throws ClockDifferenceError if what is known proves that the clock is off */
  refuse(): void {
    const difference = this.difference();
    const aheadMs = difference === null ? null : provenError(difference);
    if (aheadMs !== null) throw new ClockDifferenceError(aheadMs, MAX_CLOCK_ERROR_MS);
  }

  /** Compares anew, from fresh answers. One comparison at a time. */
  compare(): Promise<void> {
    this.#comparing ??= this.#compare().finally(() => {
      this.#comparing = null;
    });
    return this.#comparing;
  }

  async #compare(): Promise<void> {
    const { clock, monotonic, mayWait } = this.#options;
    // Many answers know better than one: what a single look cannot replace is kept until an answer contradicts it.
    if (mayWait) this.#forget();
    await this.#look();
    if (mayWait && !this.#isDecided()) {
      const toSecond = 1_000 - (clock.now() % 1_000);
      await clock.sleep(toSecond > BEFORE_SECOND_MS ? toSecond - BEFORE_SECOND_MS : 0);
      const begun = monotonic();
      while (!this.#isDecided() && monotonic() - begun < LOOKING_MS) {
        await this.#look();
        if (!this.#isDecided()) await clock.sleep(LOOK_MS);
      }
    }
    this.#comparedAt = monotonic();
  }

  async #look(): Promise<void> {
    const reading = await this.#options.store.read();
    if (reading !== null) this.#learn(reading);
  }

  #isDecided(): boolean {
    const difference = this.difference();
    return difference !== null && (isWithin(difference) || provenError(difference) !== null);
  }

  #learn(reading: TimeReading): void {
    this.steps();
    this.#known = narrowed(this.#known, reading);
  }

  #forget(): void {
    this.#known = null;
    this.#comparedAt = Number.NEGATIVE_INFINITY;
  }
}
