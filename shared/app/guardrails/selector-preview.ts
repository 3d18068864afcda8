import type { AccountId } from '../../domain/enrollment/model.ts';
import type { OperatorSelector } from '../../domain/policy/index.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';

export interface Meant {
  /** How many accounts of the last snapshot are meant; `null`: there is no snapshot, or it lacks the tags. */
  readonly matched: number | null;
  /** Ids that were named and that the snapshot does not have. */
  readonly unseen: readonly AccountId[];
}

/** The snapshot shows that nothing is meant: most likely a slip of the pen. */
export class EmptySelectorError extends Error {
  override readonly name = 'EmptySelectorError';
}

/** Whom a selector means, as far as the last scan can tell. @throws EmptySelectorError */
export async function previewSelector(snapshots: SnapshotStore, selector: OperatorSelector): Promise<Meant> {
  const snapshot = await snapshots.load();
  if (snapshot === null) return { matched: null, unseen: [] };
  const known = new Set(snapshot.accounts.map(({ id }) => id));
  const unseen = selector.accounts.filter((id) => !known.has(id));
  if (selector.match.usesTags && !snapshot.tags) return { matched: null, unseen };
  const read = snapshot.accounts.filter(({ tags }) => !selector.match.usesTags || tags !== null);
  const matched = read.filter((account) => selector.match.test(account)).length;
  // One of the others may be meant.
  if (matched === 0 && read.length < snapshot.accounts.length) return { matched: null, unseen };
  if (matched > 0 || selector.accounts.length > 0 || selector.text === 'all') return { matched, unseen };
  throw new EmptySelectorError(
    `${selector.text}: none of the ${snapshot.accounts.length} accounts of the last scan matches, so nothing would be suspended. ` +
      'Compare it with `rollcall account ID`; paths and names count exactly, and a glob is quoted.',
  );
}
