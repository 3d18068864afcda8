import { signal } from '@preact/signals';

/* Times and durations as text: UTC by default, or the reader's time zone everywhere. */

export type Zone = 'UTC' | 'local';
const KEY = 'rollcall-zone';
/** Tests of the words run without a browser. */
const storage = 'localStorage' in globalThis ? globalThis.localStorage : null;
/** The time zone of every time on the page. */
export const zone = signal<Zone>(storage?.getItem(KEY) === 'local' ? 'local' : 'UTC');

export function setZone(next: Zone): void {
  zone.value = next;
  storage?.setItem(KEY, next);
}

/** `UTC`, or the short name of the reader's time zone. */
export function zoneName(): string {
  if (zone.value === 'UTC') return 'UTC';
  const parts = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' }).formatToParts(new Date());
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'local';
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const YEAR_MS = 365 * 86_400_000;
const two = (n: number): string => String(n).padStart(2, '0');

interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly clock: string;
  readonly seconds: string;
}

function partsOf(ms: number): Parts {
  // A local time is read as if it were UTC, so that the same getters serve for both.
  const date = new Date(zone.value === 'UTC' ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    clock: `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`,
    seconds: two(date.getUTCSeconds()),
  };
}

/** `1 Dec`; with the year if it is 12 months or more from `now` (epoch ms). */
export function dayText(ms: number, now: number): string {
  const { year, month, day } = partsOf(ms);
  return `${day} ${MONTHS[month] ?? ''}${Math.abs(ms - now) >= YEAR_MS ? ` ${year}` : ''}`;
}

/** `14:32` today, `1 Dec, 14:32` within 12 months, otherwise `1 Dec 2026, 14:32`. Times are epoch ms. */
export function timeText(ms: number, now: number, { seconds = false }: { readonly seconds?: boolean } = {}): string {
  const at = partsOf(ms);
  const today = partsOf(now);
  const clock = seconds ? `${at.clock}:${at.seconds}` : at.clock;
  const isToday = at.year === today.year && at.month === today.month && at.day === today.day;
  return isToday ? clock : `${dayText(ms, now)}, ${clock}`;
}

/** `14:32` today, otherwise `2 Dec` without the time of day, which matters less then. Times are epoch ms. */
export function shortTime(ms: number, now: number): string {
  const text = timeText(ms, now);
  return text.includes(', ') ? dayText(ms, now) : text;
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

/** `Tuesday, 1 Dec`: the head of a day in a timeline. Times are epoch ms. */
export function dayHeading(ms: number, now: number): string {
  const { year, month, day } = partsOf(ms);
  return `${WEEKDAYS[new Date(Date.UTC(year, month, day)).getUTCDay()] ?? ''}, ${dayText(ms, now)}`;
}

/** `14:32:04`. */
export function clockText(ms: number): string {
  const { clock, seconds } = partsOf(ms);
  return `${clock}:${seconds}`;
}

/** The whole time with its zone, for tooltips: `1 Dec 2026, 14:32:04 UTC`. */
export function exactText(ms: number): string {
  const { year, month, day, clock, seconds } = partsOf(ms);
  return `${day} ${MONTHS[month] ?? ''} ${year}, ${clock}:${seconds} ${zoneName()}`;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An age or a time until something, in its largest unit: `42 s`, `54 min`, `3 h`, `15 d`. */
export function ageText(ms: number): string {
  const length = Math.max(0, Math.abs(ms));
  if (length < MINUTE) return `${Math.floor(length / 1_000)} s`;
  if (length < HOUR) return `${Math.floor(length / MINUTE)} min`;
  if (length < 2 * DAY) return `${Math.floor(length / HOUR)} h`;
  return `${Math.floor(length / DAY)} d`;
}

/** A duration in its two largest units: `850 ms`, `42 s`, `41 min 12 s`, `2 h 30 min`, `3 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const units = [
    [DAY, 'd'],
    [HOUR, 'h'],
    [MINUTE, 'min'],
    [1_000, 's'],
  ] as const;
  const first = units.findIndex(([size]) => ms >= size);
  const parts = units.slice(first, first + 2).map(([size, unit], index) => {
    const [larger] = index === 0 ? [Number.POSITIVE_INFINITY] : (units[first] ?? [0]);
    return [Math.floor((ms % larger) / size), unit] as const;
  });
  return parts.flatMap(([n, unit], index) => (n > 0 || index === 0 ? [`${n} ${unit}`] : [])).join(' ');
}
