import { httpDate, retryAfterMs } from '../../domain/retry-after.ts';

/**
 * How long the answer behind an SDK error asks to wait, ms; `null` if it does not ask. A date is compared with the answer's own `Date` header,
 * because this machine's clock may differ from the server's.
 */
export function askedToWait(error: unknown): number | null {
  const headers = member(member(error, '$response'), 'headers');
  const date = member(headers, 'date');
  const header = member(headers, 'retry-after');
  if (typeof header !== 'string') return null;
  const now = typeof date === 'string' ? httpDate(date) : null;
  // Without a `Date` header, a date in `Retry-After` cannot be turned into a pause.
  return retryAfterMs(header, now ?? Number.POSITIVE_INFINITY);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
