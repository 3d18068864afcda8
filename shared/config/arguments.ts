import { ConfigError } from './config-error.ts';

/* Parsers for the values of flags. Each throws a ConfigError with the flag, the given value and the expected form. */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function refuse(flag: string, found: string, expected: string): never {
  const shown = JSON.stringify(found.length > 200 ? `${found.slice(0, 200)}…` : found);
  throw new ConfigError('Usage', `${flag} ${shown}: expected ${expected}.`);
}

/** Parses a duration such as `250ms`, `60s`, `1h30m`, `24h` or `7d` into ms. */
export function durationArgument(flag: string, text: string): number {
  const ms = durationOf(text);
  return ms ?? refuse(flag, text, 'a duration such as 250ms, 60s, 1h30m or 7d');
}

function durationOf(text: string): number | null {
  if (!/^(\d{1,9}(\.\d{1,3})?(ms|s|m|h|d))+$/.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : null;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** Parses a whole number in a range. */
export function countArgument(flag: string, text: string, { min, max }: Range): number {
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : refuse(flag, text, `a whole number from ${min} to ${max}`);
}

/** Parses a decimal number in a range. */
export function numberArgument(flag: string, text: string, { min, max }: Range): number {
  const value = /^\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : refuse(flag, text, `a number from ${min} to ${max}`);
}

export function accountArgument(flag: string, text: string): string {
  return /^\d{12}$/.test(text) ? text : refuse(flag, text, 'an account id, which is 12 digits');
}

/** Accepts one of a few words. If only the case is wrong, the error suggests the right word. */
export function wordArgument<T extends string>(flag: string, text: string, words: readonly T[]): T {
  const exact = words.find((word) => word === text);
  if (exact !== undefined) return exact;
  const meant = words.find((word) => word.toLowerCase() === text.toLowerCase());
  const expected = meant === undefined ? `one of ${words.join(', ')}` : `${meant} (upper and lower case count)`;
  return refuse(flag, text, expected);
}

const INSTANT = 'a time such as 2026-03-01, 2026-03-01T12:00:00Z, or 24h for that long ago';

/** Parses a date (00:00 UTC), a time with its offset, or a duration before `now` (epoch ms) into ISO 8601. */
export function instantArgument(flag: string, text: string, now: number): string {
  const ago = durationOf(text);
  if (ago !== null) return toIso(now - ago) ?? refuse(flag, text, INSTANT);
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)) {
    return refuse(flag, text, INSTANT);
  }
  const iso = toIso(Date.parse(text));
  // `Date` reads 30 February as 2 March, so the result is accepted only if it has the day that the user typed.
  const [day = ''] = text.split('T');
  const exists = toIso(Date.parse(day))?.startsWith(day) ?? false;
  return iso !== null && exists ? iso : refuse(flag, text, INSTANT);
}

const UNTIL =
  'a time in the future, such as 2027-03-01 (the end of that day, UTC), 2027-03-01T12:00:00Z, or 2h for that long from now';
const DAY_MS = 86_400_000;

/** Parses an end time into epoch ms: a date (the last day, UTC), a time with its offset, or a duration from `now` (epoch ms). */
export function untilArgument(flag: string, text: string, now: number): number {
  const ahead = durationOf(text);
  if (ahead !== null) return ahead > 0 && toIso(now + ahead) !== null ? now + ahead : refuse(flag, text, UNTIL);
  let at: number;
  try {
    at = Date.parse(instantArgument(flag, text, now));
  } catch {
    return refuse(flag, text, UNTIL); // replaces the error of `instantArgument`, which describes past times
  }
  const end = text.includes('T') ? at : at + DAY_MS;
  return end > now ? end : refuse(flag, text, `${UNTIL}; this one is in the past`);
}

/** ISO 8601; `null` for years outside 1970 to 9999. Later years have another form, which does not sort as text. */
function toIso(ms: number): string | null {
  return ms >= 0 && ms < Date.UTC(10_000, 0) ? new Date(ms).toISOString() : null;
}
