import { hostTime } from '../adapters/embedded/host-time.ts';
import { systemMonotonic } from '../adapters/system/clock.ts';
import type { LimiterOptions } from '../app/rate-limiter/rate-limiter.ts';
import type { StoreTime } from '../ports/store-time.ts';
import type { Clock, Monotonic } from '../ports/system.ts';

/** A write to the table is slower and costs more than a write to a file. At 10 calls per second this reserves 25 calls. */
export const TABLE_RESERVE_MS = 2_500;

/**
 * The clocks that the limiter compares. A clock injected without `monotonic` is simulated time that the store does not know, so it is compared with
 * itself.
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
