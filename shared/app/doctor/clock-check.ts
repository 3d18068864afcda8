import { type CheckResult, fail, pass, warn } from '../../domain/check-result.ts';
import { isWithin, MAX_CLOCK_ERROR_MS, provenError, type Range } from '../../domain/rate-limit/clock-difference.ts';
import { ClockDifferenceError } from '../../ports/store-time.ts';
import { ClockCheck, type ClockCheckOptions } from '../rate-limiter/clock-check.ts';

/** Compares this machine's clock with the store's, as every worker does before its first call. */
export async function clockCheck(options: Omit<ClockCheckOptions, 'mayWait'>): Promise<CheckResult> {
  const check = new ClockCheck({ ...options, mayWait: true });
  await check.compare();
  const difference = check.difference();
  if (difference === null) return warn('unavailable', 'unknown: the responses of the table carry no time');
  const aheadMs = provenError(difference);
  if (aheadMs !== null) {
    const { message } = new ClockDifferenceError(aheadMs, MAX_CLOCK_ERROR_MS);
    return fail('wrong', message, ['timedatectl set-ntp true']);
  }
  const found = `this machine's clock is ${between(difference)} of the table's clock`;
  if (isWithin(difference)) return pass(`${found}; at most ${MAX_CLOCK_ERROR_MS} ms are allowed`);
  return warn('unavailable', `${found}: the responses are too slow for a more exact comparison`);
}

function between({ low, high }: Range): string {
  const ahead = (ms: number): string => `${Math.abs(Math.round(ms))} ms ${ms > 0 ? 'ahead' : 'behind'}`;
  return `between ${ahead(-high)} and ${ahead(-low)}`;
}
