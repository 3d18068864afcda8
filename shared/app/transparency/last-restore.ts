import { ORGANIZATION_CHAIN } from '../../domain/ledger/entry.ts';
import type { Ledger } from '../../ports/ledger.ts';

/** The number of entries to read: more than the organization's chain gains while an index lags. */
const RECENT = 100;

/**
 * The id of the latest `StoreRestored`; `null`: none. Recent entries are read from the chain itself, because the index of entry types may lag: a checkpoint
 * signed in the meantime would carry the name of the log that the restore replaced.
 */
export async function lastRestore(ledger: Pick<Ledger, 'head' | 'read' | 'query'>): Promise<string | null> {
  const { seq } = await ledger.head(ORGANIZATION_CHAIN);
  const recent = await ledger.read(ORGANIZATION_CHAIN, Math.max(0, seq - RECENT), RECENT);
  const found = recent.findLast(({ type }) => type === 'StoreRestored');
  if (found !== undefined) return found.id;
  const { entries } = await ledger.query({ type: 'StoreRestored' }, { limit: 1 });
  return entries[0]?.id ?? null;
}
