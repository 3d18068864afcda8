import { afterEach, beforeEach, expect } from 'vitest';
import type { EmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { suspend } from '../../../shared/app/guardrails/controls.ts';
import { restoreStore } from '../../../shared/compose/restore.ts';
import { checkLink, EMPTY_CHAIN, headOf } from '../../../shared/domain/ledger/entry.ts';
import { type OperatorSelector, parseOperatorSelector } from '../../../shared/domain/policy/index.ts';
import { type Bench, makeBench } from './stores.ts';

export let bench: Bench;
export let store: EmbeddedStore;
export let copy: string;

export const deps = (of: EmbeddedStore = store) => ({
  ...of,
  clock: bench.clock,
  newId: bench.newId,
  actor: 'user:anna',
});

export const restore = (more: { readonly dataDir?: string } = {}) =>
  restoreStore({
    ...{ dataDir: bench.dataDir, file: copy, actor: 'user:ben', clock: bench.clock, newId: bench.newId },
    ...more,
  });

export function selectorOf(text: string): OperatorSelector {
  const parsed = parseOperatorSelector(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.selector;
}

export const suspendIt = (text: string, until: number | null = null) =>
  suspend(deps(), { selector: selectorOf(text), until, reason: 'incident' });

export async function lastEntry(type: 'StoreRestored' | 'EnforcementHalted') {
  return (await store.ledger.query({ type }, { limit: 1 })).entries[0];
}

export async function expectWhole(): Promise<void> {
  for (const chain of await store.ledger.chains(null, 100)) {
    let head = EMPTY_CHAIN;
    for (const entry of await store.ledger.read(chain, 0, 10_000)) {
      expect(checkLink(head, entry)).toBeNull();
      head = headOf(entry);
    }
    expect(await store.ledger.head(chain)).toEqual(head);
  }
}

/** Opens the store of a data directory as `store`. */
export async function reopen(options: Parameters<Bench['open']>[0] = {}): Promise<void> {
  store = await bench.open(options);
}

/** Registers set-up and clean-up for every test of the calling file. */
export function useStoreAndBackup(): void {
  beforeEach(async () => {
    bench = makeBench();
    copy = bench.path('backup.db');
    store = await bench.open();
  });
  afterEach(() => bench.dispose());
}
