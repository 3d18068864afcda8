import { httpDate, retryAfterMs } from '../../domain/retry-after.ts';

/**
 * How long the answer behind an error of the SDK asks to wait, ms; `null`: it does not say. A date is taken by the clock of whoever answered
 * (`Date`), which this machine's need not agree with.
 */
export function askedToWait(error: unknown): number | null {
  const headers = member(member(error, '$response'), 'headers');
  const date = member(headers, 'date');
  const header = member(headers, 'retry-after');
  if (typeof header !== 'string') return null;
  const now = typeof date === 'string' ? httpDate(date) : null;
  // Without a time to count from, a date says nothing.
  return retryAfterMs(header, now ?? Number.POSITIVE_INFINITY);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
