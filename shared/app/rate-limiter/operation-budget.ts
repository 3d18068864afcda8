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
import { NO_SLOTS, SlotBlock } from './slot-block.ts';

/** The outcome of a call, and when the call was made. */
interface CallOutcome {
  readonly leave: EpochMs;
  readonly throttled: boolean;
}

/**
 * How late a slot may be used, as a multiple of `reserveMs`. Late use does no harm, because the total budget spaces the calls of all operations.
 * With a shorter time, slots would lapse while the process waits for that budget.
 */
const PATIENCE = 4;

/** A reservation that was written. */
interface Written {
  readonly slots: Reservation;
  readonly begunAt: EpochMs;
  /** How many outcomes it took into account. */
  readonly outcomes: number;
}

export interface OperationOptions {
  readonly shared: SharedLimiterState;
  readonly clock: Clock;
  readonly check: ClockCheck;
  /** `service:Operation`. */
  readonly name: string;
  readonly ceiling: number;
  readonly reserveMs: number;
}

/**
 * This process's part of the budget of one operation: the slots that it has reserved, and the outcomes since. While the operation may be called at
 * the rate of the total budget, it needs no slots of its own.
 */
export class OperationBudget {
  readonly #options: OperationOptions;
  #block = new SlotBlock(NO_SLOTS);
  /** How many slots to reserve next: more while all are used, only as many as were used if some lapsed. */
  #want = 1;
  #outcomes: CallOutcome[] = [];
  /** Whether the operation was called since the shared state last recorded it. */
  #called = false;
  #refill: Promise<void> | null = null;

  constructor(options: OperationOptions) {
    this.#options = options;
  }

  /** The time of this process's next slot; `null`: only the total budget limits this operation. */
  async take(): Promise<EpochMs | null> {
    const { shared, clock, check } = this.#options;
    for (;;) {
      this.#called = true;
      if (this.#isFree(await shared.page())) return null;
      const slot = this.#block.take(clock.now(), check.steps());
      if (slot !== null) return slot;
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
    // Drop the slots that were reserved at the old, faster rate; they lapse.
    if (throttled) this.#block.drop();
  }

  /** The bucket to store with a write that happens anyway; `null`: nothing has changed. */
  toStore(stored: BucketState | null, now: EpochMs): BucketState | null {
    if (!this.#called) return null;
    this.#called = false;
    const state = stored ?? newBucket(now, this.#options.ceiling);
    return isFree(state, this.#options.ceiling) ? { ...state, at: now } : null;
  }

  #isFree({ operations, at }: Page): boolean {
    const { name, ceiling } = this.#options;
    if (!isFree(operations[name] ?? newBucket(at, ceiling), ceiling)) return false;
    if (this.#outcomes.some(({ throttled }) => throttled)) return false;
    // At the highest rate the rate cannot grow, so successes need not be stored.
    this.#outcomes = [];
    return true;
  }

  /** A process that calls rarely must not take slots from busy ones, and a busy process should not write for every call. */
  #learn(): void {
    const { size, lapsed } = this.#block;
    if (size > 0) this.#want = lapsed === 0 ? size * 2 : Math.max(1, size - lapsed);
  }

  async #reserve(): Promise<void> {
    const { shared, clock, check, name, reserveMs } = this.#options;
    let reach = reserveMs;
    const written = await shared.change((page, now): Change<Written> => {
      const state = this.#advance(page.operations[name] ?? null, now);
      const most = Math.max(1, Math.round((state.rate * reserveMs) / 1000));
      const [next, slots] = reserve(state, now, Math.min(most, this.#want));
      // Slots far in the future would keep their old spacing after the rate is cut, so a process whose slots would begin beyond `reach` waits first.
      // Each wait extends `reach`; otherwise faster processes could always reserve before it.
      const early = slots.from - now - reach;
      if (early >= 1) {
        reach += reserveMs;
        return { waitMs: early };
      }
      const value = { slots, begunAt: clock.now(), outcomes: this.#outcomes.length };
      return { page: { ...page, operations: { ...page.operations, [name]: next } }, value };
    });
    // Outcomes that were reported during the write count next time.
    this.#outcomes = this.#outcomes.slice(written.outcomes);
    const { from, everyMs, count } = written.slots;
    this.#block = new SlotBlock({
      times: Array.from({ length: count }, (_, n) => from + n * everyMs),
      // Includes the time that the reservation took; otherwise every slot of a slow store would lapse.
      patienceMs: everyMs + Math.max(0, clock.now() - written.begunAt) + PATIENCE * reserveMs,
      steps: check.steps(),
    });
  }

  #advance(stored: BucketState | null, now: EpochMs): BucketState {
    const { ceiling, reserveMs } = this.#options;
    const state = stored ?? newBucket(now, ceiling);
    const from = countsFrom(state, reserveMs);
    const counted = this.#outcomes.filter(({ leave }) => leave >= from);
    const throttled = counted.filter((answer) => answer.throttled).length;
    return adapt(state, { ok: counted.length - throttled, throttled }, now, ceiling);
  }
}
