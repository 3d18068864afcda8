import { type RestoreResult, restoreEmbeddedStore } from '../adapters/embedded/restore.ts';
import { systemRandom } from '../adapters/system/random.ts';
import { reconcileRestored } from '../app/operator/reconcile-restored.ts';
import type { RestoreReport } from '../app/operator/restore-entry.ts';
import type { Clock, NewId } from '../ports/system.ts';

export { type FoundExtent, fileExtent, storeExtent } from '../adapters/embedded/store-extent.ts';

export interface RestoreStoreOptions {
  readonly dataDir: string;
  /** Path of the backup. */
  readonly file: string;
  /** The operator, for the audit log. */
  readonly actor: string;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** Replaces the embedded store by a backup. The result is halted and has the stricter settings of both. @throws StoreError, OtherOrganizationError */
export function restoreStore({ actor, ...options }: RestoreStoreOptions): Promise<RestoreResult<RestoreReport>> {
  const { file, clock, newId } = options;
  return restoreEmbeddedStore({
    ...options,
    random: systemRandom,
    // Called late, so that `now` is the time of the restore.
    reconcile: (backup, replaced) => reconcileRestored({ file, actor, newId, now: clock.now() })(backup, replaced),
  });
}
