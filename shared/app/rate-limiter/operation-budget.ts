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
import type { Clock } from '../../ports/system.ts';
import type { ClockCheck } from './clock-check.ts';
import type { Change, Page, SharedLimiterState } from './shared-state.ts';

/** The outcome of a call, and when it was made. */
interface Answer {
  readonly leave: EpochMs;
  readonly throttled: boolean;
}

/**
 * How many reservations' time a slot may be late: the total paces all calls anyway, and a process that is paced by that would see most of its
 * slots here lapse, and write for new ones.
 */
const PATIENCE = 4;

/** A reservation that was written. */
interface Had {
  readonly slots: Reservation;
  readonly begun: EpochMs;
  /** How many answers it took into account. */
  readonly answers: number;
}

export interface OperationOptions {
  readonly book: SharedLimiterState;
  readonly clock: Clock;
  readonly check: ClockCheck;
  /** `service:Operation`. */
  readonly name: string;
  readonly ceiling: number;
  readonly reserveMs: number;
}

/**
 * This process's view of one operation's bucket: the slots it has reserved and what it has seen since. As long as the operation may be
 * called at the rate of all together, the total paces it and it costs nothing.
 */
export class OperationBudget {
  readonly #options: OperationOptions;
  #slots: Reservation = { from: 0, everyMs: 0, count: 0 };
  #used = 0;
  /** How many of the present slots lapsed. */
  #lapsed = 0;
  /** How many slots to ask for next: more while all are used, as many as were used when some lapsed. */
  #want = 1;
  /** How late a slot may be used, ms: also by the time that reserving it took, or a slow store would let none through. */
  #patienceMs = 0;
  /** `check.steps()` when the slots were reserved. */
  #steps = 0;
  #answers: Answer[] = [];
  /** Called since the shared page was last told so. */
  #called = false;
  #refill: Promise<void> | null = null;

  constructor(options: OperationOptions) {
    this.#options = options;
  }

  /** The time of this process's next slot; `null`: only the total limits this operation. */
  async take(): Promise<EpochMs | null> {
    const { book, clock, check } = this.#options;
    for (;;) {
      this.#called = true;
      if (this.#isFree(await book.page())) return null;
      if (check.steps() !== this.#steps) this.#used = this.#slots.count;
      while (this.#used < this.#slots.count) {
        const at = this.#slots.from + this.#used * this.#slots.everyMs;
        this.#used += 1;
        if (at + this.#patienceMs >= clock.now()) return at;
        this.#lapsed += 1;
      }
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
    this.#answers.push({ leave, throttled });
    // Drop the slots that were reserved at the old, faster rate; they lapse.
    if (throttled) this.#used = this.#slots.count;
  }

  /** The bucket as it goes along with a write that is made anyway; `null`: there is nothing to tell. */
  told(stored: BucketState | null, now: EpochMs): BucketState | null {
    if (!this.#called) return null;
    this.#called = false;
    const state = stored ?? newBucket(now, this.#options.ceiling);
    return isFree(state, this.#options.ceiling) ? { ...state, at: now } : null;
  }

  #isFree({ operations, at }: Page): boolean {
    const { name, ceiling } = this.#options;
    if (!isFree(operations[name] ?? newBucket(at, ceiling), ceiling)) return false;
    if (this.#answers.some(({ throttled }) => throttled)) return false;
    // Success is no news at the highest rate.
    this.#answers = [];
    return true;
  }

  /** A process that calls seldom must not take slots from those that call often, and one that calls often should not write for each. */
  #learn(): void {
    const { count } = this.#slots;
    if (count > 0) this.#want = this.#lapsed === 0 ? count * 2 : Math.max(1, count - this.#lapsed);
  }

  async #reserve(): Promise<void> {
    const { book, clock, check, name, reserveMs } = this.#options;
    let reach = reserveMs;
    const had = await book.change((page, now): Change<Had> => {
      const state = this.#advance(page.operations[name] ?? null, now);
      const most = Math.max(1, Math.round((state.rate * reserveMs) / 1000));
      const [next, slots] = reserve(state, now, Math.min(most, this.#want));
      // Who waits in line has no slot yet: those taken far ahead would go on at their old pace long after it was cut. Each wait lets
      // reach a little further, so that no process is always too late.
      const early = slots.from - now - reach;
      if (early >= 1) {
        reach += reserveMs;
        return { waitMs: early };
      }
      const value = { slots, begun: clock.now(), answers: this.#answers.length };
      return { page: { ...page, operations: { ...page.operations, [name]: next } }, value };
    });
    // What was reported while the write was under way counts next time.
    this.#answers = this.#answers.slice(had.answers);
    this.#slots = had.slots;
    this.#steps = check.steps();
    this.#patienceMs = had.slots.everyMs + Math.max(0, clock.now() - had.begun) + PATIENCE * reserveMs;
    this.#used = 0;
    this.#lapsed = 0;
  }

  #advance(stored: BucketState | null, now: EpochMs): BucketState {
    const { ceiling, reserveMs } = this.#options;
    const state = stored ?? newBucket(now, ceiling);
    const from = countsFrom(state, reserveMs);
    const counted = this.#answers.filter(({ leave }) => leave >= from);
    const throttled = counted.filter((answer) => answer.throttled).length;
    return adapt(state, { ok: counted.length - throttled, throttled }, now, ceiling);
  }
}
