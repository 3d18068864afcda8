import { SharedRead } from '../../domain/shared-read.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';
import type { Clock } from '../../ports/system.ts';

interface Kept {
  readonly readAt: number;
  readonly snapshot: OrganizationSnapshot;
}

/**
 * The same store, but `load` keeps the snapshot in memory, because parsing ten thousand accounts blocks the event loop for about 50 ms.
 * A new snapshot is seen immediately; a single account that an event has changed, after at most `maxAgeMs`.
 */
export function cachedSnapshots(snapshots: SnapshotStore, clock: Clock, maxAgeMs: number): SnapshotStore {
  const reading = new SharedRead<OrganizationSnapshot | null>();
  let kept: Kept | null = null;
  const load = async (): Promise<OrganizationSnapshot | null> => {
    const now = clock.now();
    const meta = await snapshots.meta();
    const age = kept === null ? Number.POSITIVE_INFINITY : now - kept.readAt;
    if (kept !== null && meta?.takenAt === kept.snapshot.takenAt && age >= 0 && age < maxAgeMs) return kept.snapshot;
    const snapshot = await snapshots.load();
    kept = snapshot === null ? null : { readAt: now, snapshot };
    return snapshot;
  };
  return { ...snapshots, load: () => reading.get(load) };
}
