import { hostTime } from '../adapters/embedded/host-time.ts';
import { systemMonotonic } from '../adapters/system/clock.ts';
import type { LimiterOptions } from '../app/limiter.ts';
import type { StoreTime } from '../ports/store-time.ts';
import type { Clock, Monotonic } from '../ports/system.ts';

/**
 * What the limiter compares the clock with. A clock that was injected alone is a simulated time that the store knows nothing of, so it is
 * compared with itself.
 */
export function limiterTimes(
  { clock, monotonic }: { readonly clock?: Clock; readonly monotonic?: Monotonic },
  store: StoreTime,
): Pick<LimiterOptions, 'monotonic' | 'storeTime'> {
  if (clock === undefined || monotonic !== undefined)
    return { monotonic: monotonic ?? systemMonotonic, storeTime: store };
  const own = (): number => clock.now();
  return { monotonic: own, storeTime: hostTime(clock, own) };
}
