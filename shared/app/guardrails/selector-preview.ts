import type { AccountId } from '../../domain/enrollment/model.ts';
import type { OperatorSelector } from '../../domain/policy/index.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';

export interface SelectorPreview {
  /** Number of matching active accounts in the last snapshot; `null`: there is no snapshot, or it lacks the tags. */
  readonly matched: number | null;
  /** Ids in the selector that the snapshot does not have. */
  readonly unseen: readonly AccountId[];
}

/** The selector matches no account of the snapshot, so it is most likely mistyped. */
export class EmptySelectorError extends Error {
  override readonly name = 'EmptySelectorError';
}

/** Matches a selector against the last snapshot. @throws EmptySelectorError */
export async function previewSelector(snapshots: SnapshotStore, selector: OperatorSelector): Promise<SelectorPreview> {
  const snapshot = await snapshots.load();
  if (snapshot === null) return { matched: null, unseen: [] };
  const known = new Set(snapshot.accounts.map(({ id }) => id));
  const unseen = selector.accounts.filter((id) => !known.has(id));
  if (selector.match.usesTags && !snapshot.tags) return { matched: null, unseen };
  const read = snapshot.accounts.filter(({ tags }) => !selector.match.usesTags || tags !== null);
  const matching = read.filter((account) => selector.match.test(account));
  // An account whose tags are unknown may match.
  if (matching.length === 0 && read.length < snapshot.accounts.length) return { matched: null, unseen };
  // Only active accounts are managed. `status` and `resume` count only these, too.
  const matched = matching.filter(({ state }) => state === 'ACTIVE').length;
  if (matching.length > 0 || selector.accounts.length > 0 || selector.text === 'all') return { matched, unseen };
  throw new EmptySelectorError(
    `${selector.text}: none of the ${snapshot.accounts.length} accounts of the last scan matches, so nothing would be suspended. ` +
      'Compare it with `rollcall account ID`: paths and names must match exactly, and a glob must be quoted.',
  );
}
