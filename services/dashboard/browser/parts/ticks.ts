import { dayText, timeText } from '../time-text.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Steps between two ticks of a time axis, ms. */
const STEPS = [
  ...[1_000, 5_000, 10_000, 30_000],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 4, 7, 14, 30].map((n) => n * DAY),
];

export interface Tick {
  /** Epoch ms. */
  readonly at: number;
  readonly text: string;
}

/** At most `most` ticks of a time axis, at round times. */
export function timeTicks(from: number, to: number, most: number): readonly Tick[] {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? 90 * DAY;
  const first = Math.ceil(from / step) * step;
  const ticks: Tick[] = [];
  for (let at = first; at <= to; at += step) {
    const clock = timeText(at, at, { seconds: step < MINUTE });
    const startsDay = clock === '00:00' || step >= DAY;
    ticks.push({ at, text: startsDay ? dayText(at, to) : clock });
  }
  return ticks;
}

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

/** An axis of whole percents around the values, at least 2 points high. It starts at 0 only if the values reach down there. */
export function percentScale(values: readonly number[]): Scale {
  const least = values.length === 0 ? 98 : Math.min(...values);
  const most = values.length === 0 ? 100 : Math.max(...values);
  const span = Math.max(most - least, 2);
  const step = [1, 2, 5, 10, 20].find((each) => span / each <= 6) ?? 25;
  const high = Math.min(100, Math.ceil(most / step) * step);
  const low = Math.max(0, Math.min(Math.floor(least / step) * step, high - 2));
  const ticks = Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, index) => low + index * step);
  return { low, high, ticks };
}
