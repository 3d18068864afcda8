import { hostTime } from '../../shared/adapters/embedded/host-time.ts';
import type { LimiterOptions } from '../../shared/app/rate-limiter/rate-limiter.ts';
import type { Clock } from '../../shared/ports/system.ts';

/** Store time for a limiter in virtual time. */
export function limiterTimesOf(clock: Pick<Clock, 'now'>): Pick<LimiterOptions, 'monotonic' | 'storeTime'> {
  const monotonic = (): number => clock.now();
  return { monotonic, storeTime: hostTime(clock, monotonic) };
}
