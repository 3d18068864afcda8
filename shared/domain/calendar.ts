import type { EpochMs } from './types.ts';

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
  /** No tick before this time. */
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
/** No line of callers is so long: a head that lies further ahead was put there by something that is wrong, and the calendar begins anew. */
const MOST_AHEAD_MS = 5 * 60_000;

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
export function takenUntil(calendar: Calendar): EpochMs {
  const bits = unpack(calendar.taken);
  return (calendar.head + bits.lastIndexOf(true) + 1) * tickMs(calendar.rate);
}

/** The calendar under a rate that may have been changed: the lattice is another one then, and begins where all that was taken has ended. */
export function withRate(calendar: Calendar, rate: number, now: EpochMs): Calendar {
  if (calendar.rate !== rate) return newCalendar(rate, Math.max(now, believed(takenUntil(calendar), now)));
  return believed(calendar.head * tickMs(rate), now) === now ? newCalendar(rate, now) : calendar;
}

function believed(time: EpochMs, now: EpochMs): EpochMs {
  return time - now > MOST_AHEAD_MS ? now : time;
}

/** How long the line is, ms: when the first free tick is. */
export function lineMs(calendar: Calendar, now: EpochMs): number {
  return Math.max(0, calendar.head * tickMs(calendar.rate) - now);
}

/**
 * Takes the earliest free ticks that fit the wish. At least one; fewer than wished where the calendar ends.
 * @returns the calendar, and the time of each tick taken, ascending
 */
export function takeTicks(calendar: Calendar, wish: Wish): readonly [Calendar, readonly EpochMs[]] {
  const every = tickMs(calendar.rate);
  const start = Math.max(calendar.head, Math.ceil(wish.from / every));
  // What lies before the wish's beginning is the past: every wish begins now.
  const bits = unpack(calendar.taken).slice(start - calendar.head);
  const stride = Math.max(1, Math.round(wish.apartMs / every));
  const times: EpochMs[] = [];
  for (let tick = 0; times.length < wish.ticks; tick += stride) {
    while (bits[tick] === true) tick += 1;
    if (times.length > 0 && tick >= MAX_DIGITS * 4) break;
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
