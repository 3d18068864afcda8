import type { AccountId } from '../../domain/enrollment/model.ts';
import type { OperatorSelector } from '../../domain/policy/index.ts';
import type { Facts } from '../../ports/facts.ts';

export interface Meant {
  /** How many accounts of the last snapshot are meant; `null`: there is no snapshot, or it lacks the tags. */
  readonly matched: number | null;
  /** Ids that were named and that the snapshot does not have. */
  readonly unseen: readonly AccountId[];
}

/** The snapshot shows that nothing is meant: most likely a slip of the pen. */
export class MeansNobodyError extends Error {
  override readonly name = 'MeansNobodyError';
}

/** Whom a selector means, as far as the last scan can tell. @throws MeansNobodyError */
export async function whomItMeans(facts: Facts, selector: OperatorSelector): Promise<Meant> {
  const snapshot = await facts.load();
  if (snapshot === null) return { matched: null, unseen: [] };
  const known = new Set(snapshot.accounts.map(({ id }) => id));
  const unseen = selector.accounts.filter((id) => !known.has(id));
  if (selector.match.usesTags && !snapshot.tags) return { matched: null, unseen };
  const read = snapshot.accounts.filter(({ tags }) => !selector.match.usesTags || tags !== null);
  const matched = read.filter((account) => selector.match.test(account)).length;
  // One of the others may be meant.
  if (matched === 0 && read.length < snapshot.accounts.length) return { matched: null, unseen };
  if (matched > 0 || selector.accounts.length > 0 || selector.text === 'all') return { matched, unseen };
  throw new MeansNobodyError(
    `${selector.text}: none of the ${snapshot.accounts.length} accounts of the last scan matches, so nothing would be suspended. ` +
      'Compare it with `rollcall account ID`; paths and names count exactly, and a glob is quoted.',
  );
}
