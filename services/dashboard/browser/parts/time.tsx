import { signal } from '@preact/signals';
import { ageText, exactText, timeText, zoneName } from '../time-text.ts';

/** The current time, epoch ms; updated regularly, so that ages stay correct. */
export const now = signal(Date.now());
const TICK_MS = 15_000;

export function keepTime(): void {
  setInterval(() => {
    now.value = Date.now();
  }, TICK_MS);
}

interface TimeProps {
  /** ISO 8601; without a time, a dash. */
  readonly iso: string | null | undefined;
  /** With seconds. */
  readonly seconds?: boolean;
  /** With the name of the zone: once in a line of times. */
  readonly zoned?: boolean;
}

/** A time: `14:32` today, `1 Dec, 14:32` otherwise; the exact time on hover. */
export function Time({ iso, seconds = false, zoned = false }: TimeProps) {
  if (iso === null || iso === undefined) return <span>–</span>;
  const ms = Date.parse(iso);
  return (
    <time dateTime={iso} title={exactText(ms)}>
      {timeText(ms, now.value, { seconds })}
      {zoned && ` ${zoneName()}`}
    </time>
  );
}

interface AgeProps {
  readonly iso: string | null | undefined;
  /** `in 4 min` or `4 min ago` in place of `4 min`. */
  readonly phrase?: boolean;
}

/** How long ago a time was, or how far ahead it is: `54 min`; the exact time on hover. */
export function Age({ iso, phrase = false }: AgeProps) {
  if (iso === null || iso === undefined) return <span>–</span>;
  const ms = Date.parse(iso);
  const away = ms - Math.max(now.value, Date.now());
  const text = ageText(away);
  return (
    <time dateTime={iso} title={exactText(ms)}>
      {phrase ? (away > 0 ? `in ${text}` : `${text} ago`) : text}
    </time>
  );
}

const INSTANT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;
/** The text may come from an operator or AWS and contain an impossible time such as `2026-02-40T00:00:00Z`. */
const isTime = (part: string): boolean => INSTANT.test(part) && !Number.isNaN(Date.parse(part));

/** A sentence whose times are written like all others. */
export function Sentence({ text }: { readonly text: string }) {
  return (
    <>
      {text
        .split(INSTANT)
        .map((part, index) => (isTime(part) ? <Time key={`${index} ${part}`} iso={part} zoned /> : part))}
    </>
  );
}
