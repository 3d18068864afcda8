import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { BucketState } from '../../domain/rate-limit/adaptive-rate.ts';
import { backlogMs, callsPerTick, takeTicks, tickMs } from '../../domain/rate-limit/slot-calendar.ts';
import type { Clock } from '../../ports/system.ts';
import type { ClockCheck } from './clock-check.ts';
import type { SharedLimiterState } from './shared-state.ts';

/** How long after its time a slot may still be used, ms, by this machine's clock. */
export const LATE_MS = 50;
const FIRST_BLOCK = 4;
/** The largest reservation in one write; larger ones would save almost no writes. */
const MOST_TICKS = 250;
/** Pause before the next attempt when the whole calendar is taken, ms. */
const FULL_MS = 1_000;
/** Once the backlog exceeds this many reservations, blocks shrink, so that no caller waits for minutes. */
const LONG_BACKLOG = 4;
/** Spaced slots may reach this many reservations ahead; the slots between them stay free for other processes. */
export const SPAN = 3;
/**
 * If more than the share `mostLapsed` of a block lapsed, its slots were too close together for this process, and the next block has about
 * `slotsPerCall` slots for each call. CROWDED applies while there is a backlog, because each lapsed slot is lost to others; ROOMY applies otherwise
 * and keeps waits short.
 */
const CROWDED = { mostLapsed: 0.2, slotsPerCall: 1 };
const ROOMY = { mostLapsed: 0.8, slotsPerCall: 4 };

interface Slot {
  readonly at: EpochMs;
  /** How many calls may still be made in this slot. */
  left: number;
}

/** The slots of one reservation. Their counts determine the size and spacing of the next reservation. */
interface Block {
  readonly spanMs: number;
  readonly size: number;
  lapsed: number;
  /** Slots whose time was waited for. */
  waited: number;
  /** The backlog when the block was reserved, ms. */
  readonly backlogMs: number;
  /** `check.steps()` when the block was reserved. */
  readonly steps: number;
}

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
  #slots: Slot[] = [];
  #block: Block | null = null;
  #want = FIRST_BLOCK;
  /** The spacing of slots to reserve, ms; 0: the next free ones. */
  #apartMs = 0;
  #refill: Promise<void> | null = null;

  constructor(options: TotalBudgetOptions) {
    this.#options = options;
  }

  /** Takes the next slot. @returns the time of the slot, epoch ms. */
  async take(): Promise<EpochMs> {
    for (;;) {
      const slot = this.#next();
      if (slot !== null) return slot;
      this.#refill ??= this.#reserve().finally(() => {
        this.#refill = null;
      });
      await this.#refill;
    }
  }

  #next(): EpochMs | null {
    const { clock, check, ceiling } = this.#options;
    if (this.#block !== null && this.#block.steps !== check.steps()) this.#slots = [];
    const now = clock.now();
    for (let [slot] = this.#slots; slot !== undefined; [slot] = this.#slots) {
      // Unused slots lapse. If they were kept, every process could release its saved slots in the same second.
      const lapsed = slot.at + LATE_MS < now;
      if (!lapsed) {
        slot.left -= 1;
        if (slot.left <= 0) this.#slots.shift();
        if (this.#block !== null && slot.at > now) this.#block.waited += 1;
        return slot.at;
      }
      this.#slots.shift();
      if (this.#block !== null && slot.left === callsPerTick(ceiling)) this.#block.lapsed += 1;
    }
    return null;
  }

  /**
   * A busy process should not write for every call, and one that calls rarely must not take slots from others: blocks grow while they are used,
   * and their slots are spaced like the calls.
   */
  #learn(): void {
    if (this.#block === null) return;
    const { size, lapsed, spanMs, waited, backlogMs: backlog } = this.#block;
    const { reserveMs } = this.#options;
    const { mostLapsed, slotsPerCall } = backlog > reserveMs / 2 ? CROWDED : ROOMY;
    const wanted = Math.max(1, size - lapsed) * slotsPerCall;
    if (lapsed > size * mostLapsed) this.#apartMs = Math.min(reserveMs * SPAN, spanMs / wanted);
    // Calls waited for slots, so more slots could be used.
    else if (waited > size / 2) this.#apartMs /= 2;
    this.#want = Math.min(MOST_TICKS, size * 2);
    this.#block = null;
  }

  async #reserve(): Promise<void> {
    this.#learn();
    const { shared, clock, check, ceiling, reserveMs, operationsToStore } = this.#options;
    const every = tickMs(ceiling);
    const apartMs = this.#apartMs < every ? 0 : this.#apartMs;
    const most = apartMs === 0 ? reserveMs / every : (reserveMs * SPAN) / apartMs;
    const { times, backlog } = await shared.change((page, now) => {
      const start = now + shared.leadMs;
      const backlog = backlogMs(page.calendar, start);
      const long = (LONG_BACKLOG * reserveMs) / Math.max(LONG_BACKLOG * reserveMs, backlog);
      const ticks = Math.max(1, Math.round(Math.min(most, this.#want) * long ** 2));
      const [calendar, taken] = takeTicks(page.calendar, { now, from: start, ticks, apartMs });
      if (taken.length === 0) return { waitMs: FULL_MS };
      const operations = { ...page.operations, ...operationsToStore(page.operations, now) };
      return { page: { ...page, calendar, operations }, value: { times: taken, backlog } };
    });
    this.#slots = times.map((at) => ({ at, left: callsPerTick(ceiling) }));
    const from = times[0] ?? 0;
    if ((times.at(-1) ?? from) + LATE_MS < clock.now()) shared.lapsedOnArrival();
    const spanMs = (times.at(-1) ?? from) - from + Math.max(apartMs, every);
    this.#block = { spanMs, size: times.length, lapsed: 0, waited: 0, backlogMs: backlog, steps: check.steps() };
  }
}
