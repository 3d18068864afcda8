import {
  isWithin,
  type KnownDifference,
  MAX_CLOCK_ERROR_MS,
  narrowed,
  provenError,
  type Range,
  widened,
} from '../../domain/rate-limit/clock-difference.ts';
import { ClockDifferenceError, type StoreTime, type TimeReading } from '../../ports/store-time.ts';
import type { Clock, Monotonic } from '../../ports/system.ts';

export interface ClockCheckOptions {
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly store: StoreTime;
  /**
   * Whether the first call may wait about a second until the clock is verified. Lambda functions do not wait, because AWS synchronizes their clocks:
   * they compare only the store's regular answers, and refuse calls once these prove a difference.
   */
  readonly mayWait: boolean;
}

/** If the wall clock moves by more than this against the monotonic clock, it was set, ms. Gradual corrections stay below. */
const STEP_MS = 20;
/**
 * The reads start this long before a full second of this process's clock, ms, so that one answer comes before the second of the store's clock changes
 * and one after it.
 */
const BEFORE_SECOND_MS = 60;
/** The pause between two reads, ms. */
const LOOK_MS = 10;
/** Maximum duration of the series of reads, ms. The second changes once in this time, so longer reading gives no new information. */
const LOOKING_MS = 1_100;
/** Pause after an inconclusive comparison (the answers take longer than the allowed error), ms. */
const INCONCLUSIVE_FOR_MS = 10 * 60_000;

/**
 * Compares this process's clock with the store's, and refuses calls once the clock is proven to be off by more than the limiter assumes.
 *
 *               bounds within ±E
 *   unknown ───────────────────────▶ verified ──┐ answers keep the bounds narrow
 *     ▲  │                              │   ▲───┘
 *     │  │ bounds beyond ±E             │ wall clock moved against the monotonic clock, or bounds grew old
 *     │  ▼                              ▼
 *   refused (every call throws; each attempt compares again)   unknown
 *
 * E = MAX_CLOCK_ERROR_MS. A clock within E is never refused. One that is off by more than E plus the time of two answers is always detected
 * before its first call.
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

  /** How often the clock was set since the process started. Slots that were reserved before it was set are times of the old clock. */
  steps(): number {
    const { clock, monotonic } = this.#options;
    const before = monotonic();
    const now = clock.now();
    // The process may have been suspended between the two readings. Only a difference that this cannot explain is a step.
    const [least, most] = [now - monotonic(), now - before];
    this.#shift = most;
    if (least - this.#reference > STEP_MS || this.#reference - most > STEP_MS) {
      this.#steps += 1;
      this.#reference = most;
      // The machine may also have slept, with its monotonic clock standing still, so the known bounds no longer hold.
      this.#forget();
    }
    return this.#steps;
  }

  /** Bounds on the store's clock minus the own clock, now; `null`: unknown. */
  difference(): Range | null {
    this.steps();
    if (this.#known === null) return null;
    const { low, high } = widened(this.#known, this.#options.monotonic());
    return { low: low - this.#shift, high: high - this.#shift };
  }

  /** Returns once the clock may be used. @throws ClockDifferenceError, and whatever a read of the store throws */
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

  /** @throws ClockDifferenceError if the known bounds prove that the clock is off */
  refuse(): void {
    const difference = this.difference();
    const aheadMs = difference === null ? null : provenError(difference);
    if (aheadMs !== null) throw new ClockDifferenceError(aheadMs, MAX_CLOCK_ERROR_MS);
  }

  /** Starts a new comparison from fresh answers, or joins the one in progress. */
  compare(): Promise<void> {
    this.#comparing ??= this.#compare().finally(() => {
      this.#comparing = null;
    });
    return this.#comparing;
  }

  async #compare(): Promise<void> {
    const { clock, monotonic, mayWait } = this.#options;
    // Many answers give narrower bounds than one. Where only one read is possible, the known bounds stay until an answer contradicts them.
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
