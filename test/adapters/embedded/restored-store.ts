import { afterEach, beforeEach, expect } from 'vitest';
import type { EmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { suspend } from '../../../shared/app/guardrails/controls.ts';
import { LedgerWriter } from '../../../shared/app/ledger/ledger-writer.ts';
import { restoreStore } from '../../../shared/compose/restore.ts';
import { checkLink, EMPTY_CHAIN, type EntryDraft, headOf } from '../../../shared/domain/ledger/entry.ts';
import { type OperatorSelector, parseOperatorSelector } from '../../../shared/domain/policy/index.ts';
import { draft, FACET, time } from '../../contract/samples.ts';
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

/** ISO 8601, `ms` after the current time. */
export const at = (ms = 0): string => time(bench.clock.now() - Date.parse(time(0)) + ms);

/** Appends entries to an account's chain. */
export async function write(accountId: string, ...drafts: readonly Partial<EntryDraft>[]) {
  const ledger = new LedgerWriter(deps());
  const written = await ledger.write(accountId, () =>
    drafts.map((each) => draft({ chain: accountId, at: at(), id: bench.newId(), ...each })),
  );
  // A write waits for the lock of a restore, and the clock of these tests does not advance.
  await ledger.settled(accountId);
  return written;
}

/** A claim that lasts a minute. */
export const started = (id: string, optOut = false): Partial<EntryDraft> => ({
  id,
  type: 'RemediationStarted',
  after: { ...FACET, verdict: 'Converging', reason: 'acted' },
  api: { operation: 'UpdateEnrollmentStatus', requestId: null, clientToken: null },
  detail: { optOut, claimExpiresAt: at(60_000) },
});

export const succeeded = (intentId: string): Partial<EntryDraft> => ({
  type: 'RemediationSucceeded',
  after: { ...FACET, verdict: 'Converging', reason: 'acted' },
  api: { operation: 'UpdateEnrollmentStatus', requestId: 'r', clientToken: null },
  detail: { intentId },
});

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
