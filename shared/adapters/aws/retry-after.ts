import { httpDate, retryAfterMs } from '../../domain/retry-after.ts';

/**
 * The pause that an error answer requests in `Retry-After`, ms; `null`: none. If the header has a date, it is compared with the answer's own `Date`,
 * because this machine's clock may differ from the server's.
 */
export function askedToWait(error: unknown): number | null {
  const headers = member(member(error, '$response'), 'headers');
  const date = member(headers, 'date');
  const header = member(headers, 'retry-after');
  if (typeof header !== 'string') return null;
  const now = typeof date === 'string' ? httpDate(date) : null;
  // Without a `Date` header, a date in `Retry-After` counts as past.
  return retryAfterMs(header, now ?? Number.POSITIVE_INFINITY);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
