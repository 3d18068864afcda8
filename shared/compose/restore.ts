import { type RestoreResult, restoreEmbeddedStore } from '../adapters/embedded/restore.ts';
import { reconcileRestored } from '../app/reconcile-restored.ts';
import type { RestoreReport } from '../app/restore-entry.ts';
import type { Clock, NewId } from '../ports/system.ts';

export interface RestoreStoreOptions {
  readonly dataDir: string;
  /** The backup. */
  readonly file: string;
  /** Who restores, for the audit log. */
  readonly actor: string;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** Puts a backup in the place of the embedded store, halted, with the stricter of what both had set. @throws StoreError, OtherOrganizationError */
export function restoreStore({ actor, ...options }: RestoreStoreOptions): Promise<RestoreResult<RestoreReport>> {
  const { file, clock, newId } = options;
  return restoreEmbeddedStore({
    ...options,
    reconcile: (backup, replaced) => reconcileRestored({ file, actor, newId, now: clock.now() })(backup, replaced),
  });
}
