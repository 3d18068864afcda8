import type { EnrollmentId } from '../enrollment/kinds/index.ts';
import type { AccountId } from '../enrollment/model.ts';

/** The place of an entry about an enrollment in its account's chain. */
export interface Place {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId | string | null;
  readonly seq: number;
}

export interface Intent extends Place {
  readonly optOut: boolean;
}

/**
 * The accounts with an intent (an entry that announces a call) whose request was sent, or may have been sent.
 * @param unsent outcomes of intents whose request was not sent; each belongs to the last intent before it
 */
export function changedAccounts(
  intents: readonly Intent[],
  unsent: readonly Place[],
): ReadonlyMap<AccountId, { readonly optOut: boolean }> {
  const open = Map.groupBy(intents, keyOf);
  const notSent = new Set<Intent>();
  for (const outcome of unsent) {
    const before = (open.get(keyOf(outcome)) ?? []).filter(({ seq }) => seq < outcome.seq);
    const closed = before.reduce<Intent | null>(
      (last, each) => (last === null || each.seq > last.seq ? each : last),
      null,
    );
    if (closed !== null) notSent.add(closed);
  }
  const changed = new Map<AccountId, { readonly optOut: boolean }>();
  for (const intent of intents) {
    if (notSent.has(intent)) continue;
    changed.set(intent.accountId, { optOut: intent.optOut || changed.get(intent.accountId)?.optOut === true });
  }
  return changed;
}

const keyOf = ({ accountId, enrollment }: Place): string => `${accountId} ${enrollment}`;
