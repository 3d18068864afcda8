import { type EmbeddedStore, openEmbeddedStore } from '../adapters/embedded/store.ts';
import { systemClock, systemMonotonic } from '../adapters/system/clock.ts';
import { makeNewId } from '../adapters/system/ids.ts';
import { systemRandom } from '../adapters/system/random.ts';
import type { Stores } from '../app/context.ts';
import type { DeadLetters } from '../ports/queue.ts';
import type { Registers } from '../ports/registers.ts';
import type { StoreTime } from '../ports/store-time.ts';
import type { Clock, Monotonic, NewId } from '../ports/system.ts';

/** What every runtime's store has. */
export interface OpenStore extends Stores {
  readonly deadLetters: DeadLetters;
  /** Registers for the limiter alone, where those that survive a crash of the machine cost more; default `registers`. */
  readonly pacing?: Registers;
  readonly time: StoreTime;
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly dataDir: string;
  readonly clock?: Clock;
  readonly monotonic?: Monotonic;
  readonly newId?: NewId;
  readonly readOnly: boolean;
  /** `false`: throws `NotFound` if there is no store (default `true`). */
  readonly create?: boolean;
  readonly maxPages?: number;
}

/** Just the store, for commands that need no AWS: this module does not load the AWS SDK, which takes longer than they do. */
export function openStore(options: StoreOptions): Promise<EmbeddedStore> {
  const clock = options.clock ?? systemClock;
  const { monotonic = systemMonotonic, newId = makeNewId(clock), create = true } = options;
  return openEmbeddedStore({ ...options, clock, monotonic, random: systemRandom, newId, create });
}
