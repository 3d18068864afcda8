import type { EpochMs } from './enrollment/model.ts';

/** Maximum pause, ms. A server that asks for a longer one is treated as mistaken. */
const MAX_MS = 60 * 60_000;

/** The three forms of RFC 9110, 5.6.7; all of them are GMT. */
const HTTP_DATE =
  /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT|[A-Z][a-z]+day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})$/;

/**
 * How long a `Retry-After` header asks to wait, ms, at most an hour [RFC 9110, 10.2.3]. `null`: it is missing, unreadable, or in
 * the past.
 * @param now the time by the server's clock
 */
export function retryAfterMs(header: string | undefined, now: EpochMs): number | null {
  const text = header?.trim() ?? '';
  if (/^\d{1,15}$/.test(text)) return Math.min(Number(text) * 1_000, MAX_MS);
  const at = httpDate(text);
  return at === null || at <= now ? null : Math.min(at - now, MAX_MS);
}

/** Epoch ms of an HTTP date; `null`: not a date. */
export function httpDate(text: string): EpochMs | null {
  if (!HTTP_DATE.test(text)) return null;
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(ms) ? null : ms;
}
