import type { SnapshotStore } from '../../shared/ports/snapshot-store.ts';
import type { NameOf } from './ui/entries.ts';

/** The names of the accounts that entries are about, from the last snapshot. */
export async function namesOf(
  snapshots: SnapshotStore,
  entries: readonly { readonly accountId: string | null }[],
): Promise<NameOf> {
  if (entries.every(({ accountId }) => accountId === null)) return () => null;
  const snapshot = await snapshots.load();
  const names = new Map(snapshot?.accounts.map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? null;
}
