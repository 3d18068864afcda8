import type { EpochMs } from '../enrollment/model.ts';

/**
 * The moments at which calls may be made, over all operations and all workers: a fixed lattice of ticks, `rate` of them a second, each of
 * which is taken once. It is GCRA's one timestamp (`head`: everything before it is gone), and a bitmap of what is taken behind it. Who calls as
 * fast as it may takes the next ticks in a row, and the bitmap stays empty; who calls seldom takes ticks apart from each other and leaves
 * those between to others. Because every tick lies on the lattice, no second holds more than `rate` of them, whoever took them.
 */
export interface Calendar {
  /** Calls a second. */
  readonly rate: number;
  /** Number of the first tick that may be free; tick n is at n × {@link tickMs} after the epoch. */
  readonly head: number;
  /** Which ticks from `head` on are taken: hexadecimal digits, four ticks each, the lowest bit the earliest; at most {@link MAX_DIGITS}. */
  readonly taken: string;
}

export interface Wish {
  /** The present time: earlier ticks have passed. */
  readonly now: EpochMs;
  /** No tick before this time is taken; the ticks between `now` and this time stay free for faster workers. */
  readonly from: EpochMs;
  /** How many ticks. */
  readonly ticks: number;
  /** At least so far from tick to tick, ms; 0: the next that are free. */
  readonly apartMs: number;
}

/** Above so many calls a second, one tick is leave for several calls: neither timers nor event loops are finer than a millisecond. */
const MOST_TICKS_PER_SECOND = 1_000;
/** 40,000 ticks, 10 kB: 40 s ahead at the highest rate. Nothing is taken beyond. */
export const MAX_DIGITS = 10_000;
/** For how many calls one tick is good. */
export function callsPerTick(rate: number): number {
  return Math.ceil(rate / MOST_TICKS_PER_SECOND);
}

export function tickMs(rate: number): number {
  return (1000 * callsPerTick(rate)) / rate;
}

export function newCalendar(rate: number, now: EpochMs): Calendar {
  return { rate, head: Math.ceil(now / tickMs(rate)), taken: '' };
}

/** When the last tick that anyone has taken ends. */
function takenUntil(calendar: Calendar): EpochMs {
  const bits = unpack(calendar.taken);
  return (calendar.head + bits.lastIndexOf(true) + 1) * tickMs(calendar.rate);
}

/** The calendar under a rate that may have been changed: the lattice is another one then, and begins where all that was taken has ended. */
export function withRate(calendar: Calendar, rate: number, now: EpochMs): Calendar {
  return calendar.rate === rate ? calendar : newCalendar(rate, Math.max(now, takenUntil(calendar)));
}

/** The length of the line for a worker that can use slots from `from` on: how much later the first free tick is, ms. */
export function lineMs(calendar: Calendar, from: EpochMs): number {
  const every = tickMs(calendar.rate);
  const bits = unpack(calendar.taken);
  let tick = Math.max(calendar.head, Math.ceil(from / every));
  while (bits[tick - calendar.head] === true) tick += 1;
  return Math.max(0, tick * every - from - every);
}

/**
 * Takes the earliest free ticks that fit the request; fewer than requested, or none, if the calendar ends first.
 * @returns the calendar, and the time of each tick taken, ascending
 */
export function takeTicks(calendar: Calendar, wish: Wish): readonly [Calendar, readonly EpochMs[]] {
  const every = tickMs(calendar.rate);
  const start = Math.max(calendar.head, Math.ceil(wish.now / every));
  const bits = unpack(calendar.taken).slice(start - calendar.head);
  const stride = Math.max(1, Math.round(wish.apartMs / every));
  const times: EpochMs[] = [];
  for (let tick = Math.max(0, Math.ceil(wish.from / every) - start); times.length < wish.ticks; tick += stride) {
    while (bits[tick] === true) tick += 1;
    if (tick >= MAX_DIGITS * 4) break;
    bits[tick] = true;
    times.push((start + tick) * every);
  }
  return [pack(calendar.rate, start, bits), times];
}

function pack(rate: number, start: number, bits: readonly (boolean | undefined)[]): Calendar {
  let free = 0;
  while (bits[free] === true) free += 1;
  let taken = '';
  for (let at = free; at < bits.length; at += 4) {
    const digit = [0, 1, 2, 3].reduce((sum, bit) => sum + (bits[at + bit] === true ? 1 << bit : 0), 0);
    taken += digit.toString(16);
  }
  return { rate, head: start + free, taken };
}

function unpack(taken: string): (boolean | undefined)[] {
  return Array.from(taken).flatMap((digit) => {
    const value = Number.parseInt(digit, 16);
    return [0, 1, 2, 3].map((bit) => ((value >> bit) & 1) === 1);
  });
}
