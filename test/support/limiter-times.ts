import { hostTime } from '../../shared/adapters/embedded/host-time.ts';
import type { LimiterOptions } from '../../shared/app/rate-limiter/rate-limiter.ts';
import type { Clock } from '../../shared/ports/system.ts';

/** For a limiter whose clock is the only time there is. */
export function limiterTimesOf(clock: Pick<Clock, 'now'>): Pick<LimiterOptions, 'monotonic' | 'storeTime'> {
  const monotonic = (): number => clock.now();
  return { monotonic, storeTime: hostTime(clock, monotonic) };
}
