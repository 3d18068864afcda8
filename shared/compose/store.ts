import { type EmbeddedStore, openEmbeddedStore } from '../adapters/embedded/store.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { makeNewId } from '../adapters/system/ids.ts';
import type { Clock, NewId } from '../ports/system.ts';

export interface StoreOptions {
  readonly dataDir: string;
  readonly clock?: Clock;
  readonly newId?: NewId;
  readonly readOnly: boolean;
  /** `false`: throws `NotFound` if there is no store (default `true`). */
  readonly create?: boolean;
  readonly maxPages?: number;
}

/** Just the store, for commands that need no AWS: this module does not load the AWS SDK, which takes longer than they do. */
export function openStore(options: StoreOptions): Promise<EmbeddedStore> {
  const clock = options.clock ?? systemClock;
  const { newId = makeNewId(clock), create = true } = options;
  return openEmbeddedStore({ ...options, clock, newId, create });
}
