import { hostTime } from '../adapters/embedded/host-time.ts';
import { systemMonotonic } from '../adapters/system/clock.ts';
import type { LimiterOptions } from '../app/rate-limiter/rate-limiter.ts';
import type { StoreTime } from '../ports/store-time.ts';
import type { Clock, Monotonic } from '../ports/system.ts';

/** For how long, ms, the limiter reserves calls in one write to the table: 25 calls at 10 per second. Longer than for a file, because writes cost more. */
export const TABLE_RESERVE_MS = 2_500;

/** The clocks that the limiter compares. A `clock` without `monotonic` is simulated time, which the store does not know, so it is compared with itself. */
export function limiterTimes(
  { clock, monotonic }: { readonly clock?: Clock; readonly monotonic?: Monotonic },
  store: StoreTime,
): Pick<LimiterOptions, 'monotonic' | 'storeTime'> {
  if (clock === undefined || monotonic !== undefined) {
    return { monotonic: monotonic ?? systemMonotonic, storeTime: store };
  }
  const own = (): number => clock.now();
  return { monotonic: own, storeTime: hostTime(clock, own) };
}
