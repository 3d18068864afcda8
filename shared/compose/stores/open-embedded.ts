import { type EmbeddedStore, openEmbeddedStore } from '../../adapters/embedded/store.ts';
import { systemClock, systemMonotonic } from '../../adapters/system/clock.ts';
import { makeNewId } from '../../adapters/system/ids.ts';
import { systemRandom } from '../../adapters/system/random.ts';
import type { Clock, Monotonic, NewId } from '../../ports/system.ts';

export interface StoreOptions {
  readonly dataDir: string;
  readonly clock?: Clock;
  readonly monotonic?: Monotonic;
  readonly newId?: NewId;
  readonly readOnly: boolean;
  /** Whether a missing store is created; otherwise throws `NotFound`. Default `true`. */
  readonly create?: boolean;
  readonly maxPages?: number;
}

/** Opens the embedded store. This module must not import the AWS SDK, which takes longer to load than most commands take to run. */
export function openStore(options: StoreOptions): Promise<EmbeddedStore> {
  const clock = options.clock ?? systemClock;
  const { monotonic = systemMonotonic, newId = makeNewId(clock), create = true } = options;
  return openEmbeddedStore({ ...options, clock, monotonic, random: systemRandom, newId, create });
}
