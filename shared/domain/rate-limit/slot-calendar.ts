import type { EpochMs } from '../enrollment/model.ts';

/**
 * The moments at which calls may be made, for all operations and all workers: a fixed grid of ticks, `rate` of them a second, each of which is
 * taken once. Like GCRA it has one timestamp (`head`: every tick before it is gone), plus a bitmap of the taken ticks after it. A busy worker takes
 * consecutive ticks, and the bitmap stays empty; a worker that calls rarely takes spaced ticks and leaves those between to others. Because every
 * tick lies on the grid, no second holds more than `rate` of them.
 */
export interface Calendar {
  /** Calls a second. */
  readonly rate: number;
  /** Number of the first tick that may be free; tick n is at n × {@link tickMs} after the epoch. */
  readonly head: number;
  /** Which ticks from `head` on are taken: hexadecimal digits, four ticks each, the lowest bit the earliest; at most {@link MAX_DIGITS}. */
  readonly taken: string;
}

export interface TickRequest {
  /** The present time: earlier ticks have passed. */
  readonly now: EpochMs;
  /** No tick before this time is taken; the ticks between `now` and this time stay free for faster workers. */
  readonly from: EpochMs;
  /** How many ticks. */
  readonly ticks: number;
  /** The minimum distance between ticks, ms; 0: the next free ones. */
  readonly apartMs: number;
}

/** Above this many calls a second one tick permits several calls, because timers and event loops are no finer than a millisecond. */
const MOST_TICKS_PER_SECOND = 1_000;
/** Maximum length of `taken`, characters: 40,000 ticks, which is 40 s ahead at the highest rate. No tick beyond this is taken. */
export const MAX_DIGITS = 10_000;
/** How many calls one tick permits. */
export function callsPerTick(rate: number): number {
  return Math.ceil(rate / MOST_TICKS_PER_SECOND);
}

export function tickMs(rate: number): number {
  return (1000 * callsPerTick(rate)) / rate;
}

export function newCalendar(rate: number, now: EpochMs): Calendar {
  return { rate, head: Math.ceil(now / tickMs(rate)), taken: '' };
}

/** When the last taken tick ends. */
function takenUntil(calendar: Calendar): EpochMs {
  const bits = unpack(calendar.taken);
  return (calendar.head + bits.lastIndexOf(true) + 1) * tickMs(calendar.rate);
}

/**
 * The calendar at `rate`. After a change of the rate, the new ticks begin after the last tick that was taken at the old rate: mixed, the two could
 * exceed both rates.
 */
export function withRate(calendar: Calendar, rate: number, now: EpochMs): Calendar {
  return calendar.rate === rate ? calendar : newCalendar(rate, Math.max(now, takenUntil(calendar)));
}

/** How much later than `from` the first free tick is, ms: how long a worker would wait for it. */
export function backlogMs(calendar: Calendar, from: EpochMs): number {
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
export function takeTicks(calendar: Calendar, request: TickRequest): readonly [Calendar, readonly EpochMs[]] {
  const every = tickMs(calendar.rate);
  const start = Math.max(calendar.head, Math.ceil(request.now / every));
  const bits = unpack(calendar.taken).slice(start - calendar.head);
  const stride = Math.max(1, Math.round(request.apartMs / every));
  const times: EpochMs[] = [];
  for (let tick = Math.max(0, Math.ceil(request.from / every) - start); times.length < request.ticks; tick += stride) {
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
