import type { StoreTime } from '../../ports/store-time.ts';
import type { Clock, Monotonic } from '../../ports/system.ts';

/** The time of a store in a local file or in memory: this machine's clock. */
export function hostTime(clock: Pick<Clock, 'now'>, monotonic: Monotonic): StoreTime {
  return {
    async read() {
      const askedAt = monotonic();
      const now = clock.now();
      return { askedAt, answeredAt: monotonic(), earliest: now, latest: now };
    },
    // A local store has no server whose answers carry a time.
    follow: () => undefined,
  };
}
