import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { BucketState } from '../../domain/rate-limit/adaptive-rate.ts';
import { backlogMs, callsPerTick, takeTicks, tickMs } from '../../domain/rate-limit/slot-calendar.ts';
import type { Clock } from '../../ports/system.ts';
import type { ClockCheck } from './clock-check.ts';
import { calendarAt, type SharedLimiterState } from './shared-state.ts';
import { NO_SLOTS, SlotBlock } from './slot-block.ts';

/** How long after its time a slot may still be used, ms, by this machine's clock. */
export const LATE_MS = 50;
const FIRST_BLOCK = 4;
/** The largest reservation in one write; larger ones would save almost no writes. */
const MOST_CALLS = 250;
/** Pause before the next attempt when the whole calendar is taken, ms. */
const FULL_MS = 1_000;
/** Once the backlog exceeds this many reservations, blocks shrink, so that no caller waits for minutes. */
const LONG_BACKLOG = 4;
/** Spaced slots may reach this many reservations ahead; the slots between them stay free for other processes. */
export const SPAN = 3;
/** After this time without calls, the pace of earlier calls says nothing about the next ones, ms. */
const PAUSE_MS = 30_000;

export interface TotalBudgetOptions {
  readonly shared: SharedLimiterState;
  readonly clock: Clock;
  readonly check: ClockCheck;
  readonly ceiling: number;
  readonly reserveMs: number;
  /** The operations' buckets to store in the same conditional write. */
  readonly operationsToStore: (
    operations: Readonly<Record<string, BucketState>>,
    now: EpochMs,
  ) => Record<string, BucketState>;
}

/** This process's part of the total budget. */
export class TotalBudget {
  readonly #options: TotalBudgetOptions;
  #block = new SlotBlock(NO_SLOTS);
  /** The time that the block covers, ms. */
  #spanMs = 0;
  /** For how many calls to reserve slots next. */
  #want = FIRST_BLOCK;
  /** The spacing of slots to reserve, ms; 0: the next free ones. */
  #apartMs = 0;
  #refill: Promise<void> | null = null;

  constructor(options: TotalBudgetOptions) {
    this.#options = options;
  }

  /** Takes the next slot. @returns the time of the slot, epoch ms. */
  async take(): Promise<EpochMs> {
    const { clock, check } = this.#options;
    for (;;) {
      const now = clock.now();
      const slot = this.#block.take(now, check.steps());
      if (slot !== null) {
        if (this.#isOver(now)) this.#reserveAhead();
        return slot;
      }
      await this.#refilled();
    }
  }

  /**
   * Whether the next block should be reserved in advance: this one is used up, and slots are close together. If they are further apart, the next call would
   * wait longer for the first slot of a block reserved now than for a reservation of its own.
   */
  #isOver(now: EpochMs): boolean {
    return this.#block.last <= now && this.#apartMs <= LATE_MS;
  }

  /**
   * Reserves the next block while this call is made, so that the next call does not wait for the store. If that fails, the next call reserves again, even
   * if it was already waiting.
   */
  #reserveAhead(): void {
    this.#refill ??= this.#begin(this.#reserve().catch(() => undefined));
  }

  #refilled(): Promise<void> {
    this.#refill ??= this.#begin(this.#reserve());
    return this.#refill;
  }

  #begin(reserving: Promise<void>): Promise<void> {
    return reserving.finally(() => {
      this.#refill = null;
    });
  }

  /**
   * A busy process should not write for every call, and one that calls rarely must not take slots from others. So blocks grow, and their slots are
   * spaced so that about half of them are used.
   */
  #learn(): void {
    const { size, lapsed, waited, last } = this.#block;
    if (size === 0) return;
    if (this.#options.clock.now() - last > PAUSE_MS) {
      this.#want = FIRST_BLOCK;
      this.#apartMs = 0;
      return;
    }
    const used = Math.max(1, size - lapsed);
    if (lapsed > size / 2) this.#apartMs = Math.min(this.#options.reserveMs * SPAN, this.#spanMs / (2 * used));
    // Calls waited for slots, so more slots could be used.
    else if (waited > size / 2) this.#apartMs /= 2;
    this.#want = Math.min(MOST_CALLS, size * 2);
  }

  async #reserve(): Promise<void> {
    this.#learn();
    const { shared, clock, check, ceiling, reserveMs, operationsToStore } = this.#options;
    const every = tickMs(ceiling);
    const apartMs = this.#apartMs < every ? 0 : this.#apartMs;
    const most = apartMs === 0 ? reserveMs / every : (reserveMs * SPAN) / apartMs;
    const times = await shared.change((page, now) => {
      const current = calendarAt(page.calendar, ceiling, now);
      const from = now + shared.leadMs;
      const share = (LONG_BACKLOG * reserveMs) / Math.max(LONG_BACKLOG * reserveMs, backlogMs(current, from));
      const ticks = Math.max(1, Math.round(Math.min(most, this.#want / callsPerTick(ceiling)) * share));
      const [calendar, taken] = takeTicks(current, { now, from, ticks, apartMs });
      if (taken.length === 0) return { waitMs: FULL_MS };
      const operations = { ...page.operations, ...operationsToStore(page.operations, now) };
      return { page: { ...page, calendar, operations }, value: taken };
    });
    const [first = 0] = times;
    const last = times.at(-1) ?? first;
    if (last + LATE_MS < clock.now()) shared.lapsedOnArrival();
    const calls = times.flatMap((at) => Array.from({ length: callsPerTick(ceiling) }, () => at));
    this.#block = new SlotBlock({ times: calls, patienceMs: LATE_MS, steps: check.steps() });
    this.#spanMs = last - first + Math.max(apartMs, every);
  }
}
