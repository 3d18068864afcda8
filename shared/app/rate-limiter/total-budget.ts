import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { BucketState } from '../../domain/rate-limit/adaptive-rate.ts';
import { callsPerTick, lineMs, takeTicks, tickMs } from '../../domain/rate-limit/slot-calendar.ts';
import type { Clock } from '../../ports/system.ts';
import type { ClockCheck } from './clock-check.ts';
import type { SharedLimiterState } from './shared-state.ts';

/** How long after its time a slot may still be used, ms, by the own clock. */
export const LATE_MS = 50;
const FIRST_BLOCK = 4;
/** One write takes no more: a longer block saves nothing worth having. */
const MOST_TICKS = 250;
/** Pause before the next attempt when the whole calendar is taken, ms. */
const FULL_MS = 1_000;
/** A line of so many reservations' time is long: blocks become smaller, so that nobody waits for minutes. */
const LONG_LINE = 4;
/** Slots apart from each other may reach so many reservations' time ahead: others have those between. */
export const SPAN = 3;
/**
 * More than this part of a block lapsed: its slots were too close to each other for this process, and are as far apart as its calls next
 * time. Where nobody stands in line, lapsed slots cost nobody anything, and four times as many slots as calls mean short waits.
 */
const CROWDED = { mostLapsed: 0.2, slotsPerCall: 1 };
const ROOMY = { mostLapsed: 0.8, slotsPerCall: 4 };

interface Slot {
  readonly at: EpochMs;
  /** How many calls may still be made at it. */
  left: number;
}

/** Counts of the present block: they say how the next one should be. */
interface Block {
  readonly spanMs: number;
  readonly size: number;
  lapsed: number;
  /** Slots whose time was waited for. */
  waited: number;
  /** How long the line was when it was had, ms. */
  readonly lineMs: number;
  /** `check.steps()` at that time. */
  readonly steps: number;
}

export interface SlotsOptions {
  readonly book: SharedLimiterState;
  readonly clock: Clock;
  readonly check: ClockCheck;
  readonly ceiling: number;
  readonly reserveMs: number;
  /** What else is to be written with a reservation: one conditional write for both. */
  readonly along: (operations: Readonly<Record<string, BucketState>>, now: EpochMs) => Record<string, BucketState>;
}

/** This process's slots of the total. */
export class TotalBudget {
  readonly #options: SlotsOptions;
  #slots: Slot[] = [];
  #block: Block | null = null;
  #want = FIRST_BLOCK;
  /** How far apart slots are asked for, ms; 0: the next that are free. */
  #apartMs = 0;
  #refill: Promise<void> | null = null;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  /** The time of the next slot. */
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
      // What was reserved and not used in its time is gone: kept slots would come out all at once, in every process.
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
   * A process that calls often should not write for each call, and one that calls seldom must not take slots from others: blocks grow as
   * long as they are used, and their slots are as far apart as calls are.
   */
  #learn(): void {
    if (this.#block === null) return;
    const { size, lapsed, spanMs, waited, lineMs: line } = this.#block;
    const { reserveMs } = this.#options;
    const { mostLapsed, slotsPerCall } = line > reserveMs / 2 ? CROWDED : ROOMY;
    const wanted = Math.max(1, size - lapsed) * slotsPerCall;
    if (lapsed > size * mostLapsed) this.#apartMs = Math.min(reserveMs * SPAN, spanMs / wanted);
    // Calls stood waiting for slots: more of them could be used.
    else if (waited > size / 2) this.#apartMs /= 2;
    this.#want = Math.min(MOST_TICKS, size * 2);
    this.#block = null;
  }

  async #reserve(): Promise<void> {
    this.#learn();
    const { book, clock, check, ceiling, reserveMs, along } = this.#options;
    const every = tickMs(ceiling);
    const apartMs = this.#apartMs < every ? 0 : this.#apartMs;
    const most = apartMs === 0 ? reserveMs / every : (reserveMs * SPAN) / apartMs;
    const { times, line } = await book.change((page, now) => {
      const start = now + book.leadMs;
      const inLine = lineMs(page.calendar, start);
      const long = (LONG_LINE * reserveMs) / Math.max(LONG_LINE * reserveMs, inLine);
      const ticks = Math.max(1, Math.round(Math.min(most, this.#want) * long ** 2));
      const [calendar, taken] = takeTicks(page.calendar, { now, from: start, ticks, apartMs });
      if (taken.length === 0) return { waitMs: FULL_MS };
      const operations = { ...page.operations, ...along(page.operations, now) };
      return { page: { ...page, calendar, operations }, value: { times: taken, line: inLine } };
    });
    this.#slots = times.map((at) => ({ at, left: callsPerTick(ceiling) }));
    const from = times[0] ?? 0;
    if ((times.at(-1) ?? from) + LATE_MS < clock.now()) book.lapsedOnArrival();
    const spanMs = (times.at(-1) ?? from) - from + Math.max(apartMs, every);
    this.#block = { spanMs, size: times.length, lapsed: 0, waited: 0, lineMs: line, steps: check.steps() };
  }
}
