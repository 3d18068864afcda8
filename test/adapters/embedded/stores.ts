import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmbeddedStore, EmbeddedStoreOptions } from '../../../shared/adapters/embedded/store.ts';
import { openEmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import { makeNewId } from '../../../shared/adapters/system/ids.ts';
import { HOST } from '../../support/host.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';

/** A directory for stores, and all stores opened in it; `dispose` closes and removes them. */
export interface Bench {
  /** Does not exist yet. */
  readonly dataDir: string;
  /** A path next to the data directory. */
  path(name: string): string;
  readonly clock: ManualClock;
  readonly newId: () => string;
  open(options?: Partial<EmbeddedStoreOptions>): Promise<EmbeddedStore>;
  dispose(): Promise<void>;
}

export function makeBench(): Bench {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-store-'));
  const clock = manualClock();
  const newId = makeNewId(systemClock);
  const opened: EmbeddedStore[] = [];
  return {
    dataDir: join(directory, 'data'),
    path: (name) => join(directory, name),
    clock,
    newId,
    async open(options = {}) {
      const store = await openEmbeddedStore({ ...HOST, dataDir: join(directory, 'data'), clock, newId, ...options });
      opened.push(store);
      return store;
    },
    async dispose() {
      for (const store of opened) await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
