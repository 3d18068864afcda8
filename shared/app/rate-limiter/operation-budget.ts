import type { EpochMs } from '../../domain/enrollment/model.ts';
import {
  adapt,
  type BucketState,
  countsFrom,
  isFree,
  newBucket,
  type Reservation,
  reserve,
} from '../../domain/rate-limit/adaptive-rate.ts';
import type { RateRules } from '../../domain/rate-limit/rate-rules.ts';
import type { Clock } from '../../ports/system.ts';
import type { ClockCheck } from './clock-check.ts';
import type { Change, Page, SharedLimiterState } from './shared-state.ts';
import { NO_SLOTS, SlotBlock } from './slot-block.ts';

/** While a cut is being measured, blocks are this many times smaller, so that outcomes are stored sooner. */
const SETTLING_BLOCKS = 4;
/** At most this share of the slots of a block is waited for while calls come more slowly than slots. */
const CALM_SHARE = 0.1;

/** The outcome of a call, and when the call was made. */
interface CallOutcome {
  readonly leave: EpochMs;
  readonly throttled: boolean;
}

/** A reservation that was written. */
interface Written {
  readonly slots: Reservation | null;
  /** Whether the rate has just been cut, and the effect is being measured. */
  readonly measuring: boolean;
  readonly begunAt: EpochMs;
  /** How many outcomes it took into account. */
  readonly outcomes: number;
}

/** A moment at which one call may be made. */
interface Slot {
  readonly at: EpochMs;
  /** Whether the slot has not been given up since. If it has, the call needs another one. */
  readonly isValid: () => boolean;
}

export interface OperationOptions {
  readonly shared: SharedLimiterState;
  readonly clock: Clock;
  readonly check: ClockCheck;
  /** `service:Operation`. */
  readonly name: string;
  readonly rules: RateRules;
  readonly reserveMs: number;
  /** The same while calls come more slowly than slots and no limit is known, ms. */
  readonly calmReserveMs: number;
  /** How late a slot may be used, ms. */
  readonly patienceMs: number;
  /** Whether a throttled answer also takes the slots from calls that wait for them, so that they take others at the lower rate. */
  readonly recalls: boolean;
}

/**
 * This process's part of the budget of one operation: the slots that it has reserved, and the outcomes since. At the highest rate, an operation needs
 * no slots.
 */
export class OperationBudget {
  readonly #options: OperationOptions;
  #block = new SlotBlock(NO_SLOTS);
  /** The end of the block on the shared timeline. */
  #blockEnd: EpochMs = Number.NEGATIVE_INFINITY;
  /** How often slots have been given up because of throttling. Slots that were taken before do not count any more. */
  #givenUp = 0;
  /** Whether a cut was being measured when the block was reserved. */
  #measuring = false;
  /** How many slots to reserve next: more while all are used, only as many as were used if some lapsed. */
  #want = 1;
  /** Whether calls came more slowly than the slots of the last block. */
  #calm = false;
  #outcomes: CallOutcome[] = [];
  /** Whether the operation was called since the shared state last recorded it. */
  #called = false;
  #refill: Promise<void> | null = null;
  /** How far ahead the next slots may begin, ms. */
  #reach = 0;
  /** Aborts when a call is throttled, to end the wait for slots. */
  #throttled = new AbortController();

  constructor(options: OperationOptions) {
    this.#options = options;
  }

  /** `service:Operation`. */
  get name(): string {
    return this.#options.name;
  }

  /** This process's next slot; `null`: it needs none. */
  async take(): Promise<Slot | null> {
    const { shared, clock, check, recalls } = this.#options;
    for (;;) {
      this.#called = true;
      if (this.#isFree(await shared.page())) return null;
      const at = this.#block.take(clock.now(), check.steps());
      const givenUp = this.#givenUp;
      if (at !== null) return { at, isValid: () => !recalls || this.#givenUp === givenUp };
      if (this.#refill === null) this.#learn();
      this.#refill ??= this.#reserve().finally(() => {
        this.#refill = null;
      });
      await this.#refill;
    }
  }

  report(outcome: 'ok' | 'throttled' | 'failed', leave: EpochMs): void {
    if (outcome === 'failed') return;
    const throttled = outcome === 'throttled';
    this.#outcomes.push({ leave, throttled });
    // While a cut is being measured, the slots have the new rate.
    if (throttled && !this.#measuring) this.#giveUp();
    if (throttled) this.#throttled.abort();
  }

  /** Gives up the slots that were reserved at the old, faster rate. */
  #giveUp(): void {
    const { clock, recalls } = this.#options;
    const first = recalls ? this.#block.firstAfter(clock.now()) : this.#block.firstLeft();
    this.#block.drop(first ?? this.#blockEnd);
    this.#givenUp += 1;
  }

  /** The bucket to store with a write that happens anyway; `null`: nothing has changed. */
  toStore(stored: BucketState | null, now: EpochMs): BucketState | null {
    if (!this.#called) return null;
    this.#called = false;
    const state = stored ?? newBucket(now, this.#options.rules);
    return isFree(state, this.#options.rules) ? { ...state, at: now } : null;
  }

  #isFree({ operations, at }: Page): boolean {
    const { name, rules } = this.#options;
    if (!isFree(operations[name] ?? newBucket(at, rules), rules)) return false;
    if (this.#outcomes.some(({ throttled }) => throttled)) return false;
    // At the highest rate the rate cannot grow, so successes need not be stored.
    this.#outcomes = [];
    return true;
  }

  /** A process that calls rarely must not take slots from busy ones, and a busy process should not write for every call. */
  #learn(): void {
    const { size, lapsed, waited } = this.#block;
    if (size === 0) return;
    this.#want = lapsed === 0 ? size * 2 : Math.max(1, size - lapsed);
    this.#calm = waited <= size * CALM_SHARE;
  }

  async #reserve(): Promise<void> {
    const { shared, clock, check, reserveMs, patienceMs } = this.#options;
    this.#reach = reserveMs;
    let slots: Reservation | null = null;
    let writeMs = 0;
    while (slots === null) {
      const written = await shared.change((page, now) => this.#attempt(page, now));
      // Slots that were given up are given back only once.
      this.#blockEnd = Number.NEGATIVE_INFINITY;
      // Outcomes that were reported during the write count next time.
      this.#outcomes = this.#outcomes.slice(written.outcomes);
      this.#measuring = written.measuring;
      slots = written.slots;
      writeMs = Math.max(0, clock.now() - written.begunAt);
    }
    const { from, everyMs, count } = slots;
    this.#blockEnd = from + count * everyMs;
    this.#block = new SlotBlock({
      times: Array.from({ length: count }, (_, n) => from + n * everyMs),
      // Includes the time that the reservation took; otherwise every slot of a slow store would lapse.
      patienceMs: everyMs + writeMs + patienceMs,
      steps: check.steps(),
    });
  }

  /**
   * Slots far in the future would keep their old spacing after the rate is cut, so a process whose slots would begin beyond its reach waits first. Each
   * wait extends the reach; otherwise faster processes could always reserve before it. An answer that cuts the rate is stored without that wait.
   */
  #attempt(page: Page, now: EpochMs): Change<Written> {
    const { clock, name, reserveMs } = this.#options;
    const { state: adapted, throttled } = this.#advance(page.operations[name] ?? null, now);
    const state = this.#withoutGivenUp(adapted, now);
    const most = Math.max(1, Math.round((state.rate * this.#spanMs(state)) / 1000));
    const [next, slots] = reserve(state, now, Math.min(most, this.#want));
    const write = (bucket: BucketState, reserved: Reservation | null): Change<Written> => ({
      page: { ...page, operations: { ...page.operations, [name]: bucket } },
      value: { slots: reserved, measuring: bucket.settling, begunAt: clock.now(), outcomes: this.#outcomes.length },
    });
    const waitMs = slots.from - now - this.#reach;
    if (waitMs < 1) return write(next, slots);
    if (throttled && state.settling) return write(state, null);
    if (this.#throttled.signal.aborted) this.#throttled = new AbortController();
    else this.#reach += reserveMs;
    return { waitMs, signal: this.#throttled.signal };
  }

  /**
   * Gives back the slots that were given up if no other worker has reserved slots after them. A pause as long as these slots would let the service's burst
   * allowance grow, and the limit would be overestimated. Slots before them keep their place: calls may have used them, or other workers hold them.
   * The effect of the cut is still measured from the end of the block, because other workers may hold slots up to it.
   */
  #withoutGivenUp(state: BucketState, now: EpochMs): BucketState {
    const { givenUpFrom } = this.#block;
    if (givenUpFrom === null || state.tat !== this.#blockEnd) return state;
    return { ...state, tat: Math.min(state.tat, Math.max(givenUpFrom, now)) };
  }

  /**
   * The time that a reservation may cover, ms. Calls that are slower than the slots, such as those of a listing that requests one page after the
   * other, use a long block no faster than a short one, so it costs fewer writes and adds no burst. Once a limit is known, the slots that these
   * calls leave unused are for other processes.
   */
  #spanMs({ settling, limit }: BucketState): number {
    const { reserveMs, calmReserveMs } = this.#options;
    if (settling) return reserveMs / SETTLING_BLOCKS;
    return this.#calm && limit === null ? calmReserveMs : reserveMs;
  }

  /** The bucket after the outcomes so far, and whether any of those that count was throttled. */
  #advance(stored: BucketState | null, now: EpochMs): { readonly state: BucketState; readonly throttled: boolean } {
    const { rules } = this.#options;
    const state = stored ?? newBucket(now, rules);
    const from = countsFrom(state);
    const counted = this.#outcomes.filter(({ leave }) => leave >= from);
    const throttled = counted.filter((answer) => answer.throttled).length;
    const lastAt = counted.length === 0 ? null : Math.max(...counted.map(({ leave }) => leave));
    const feedback = { ok: counted.length - throttled, throttled, lastAt };
    return { state: adapt(state, feedback, now, rules), throttled: throttled > 0 };
  }
}
