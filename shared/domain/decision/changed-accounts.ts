import { type EnrollmentId, kindOf } from '../enrollment/kinds/index.ts';
import type { AccountId } from '../enrollment/model.ts';

/** The place of an entry about an enrollment in its account's chain. */
export interface Place {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId | string | null;
  readonly seq: number;
}

export interface Intent extends Place {
  readonly optOut: boolean;
  /** Whether the change belongs to a plan that an operator has approved. */
  readonly approved: boolean;
}

/** The changes of one account in a period. */
export interface RecentChange {
  /** Whether one of them was an opt-out. Every opt-out counts against `maxOptOuts`. */
  readonly optOut: boolean;
  /** Whether one of them was made without an approval. Only then does the account count against `maxChanges`. */
  readonly counted: boolean;
  /** The enrollments that were changed under an approval. */
  readonly approved: readonly string[];
}

/**
 * The key under which registers store the last change of an account. Changes under an approval have a key for each enrollment, because they do not count against
 * `maxChanges`. Older versions take such a key for another account: while both run, they count too many changes, but never too few.
 * @param approved the enrollment that was changed under an approval; `null`: the change had none
 */
export function storedKey(accountId: AccountId, approved: string | null): string {
  return approved === null ? accountId : `${accountId} ${approved}`;
}

/** The inverse of {@link storedKey}. */
export function parseStoredKey(key: string): { readonly accountId: AccountId; readonly approved: string | null } {
  const [accountId = '', approved = null] = key.split(' ');
  return { accountId, approved };
}

/** Whether a follow-up was counted or approved together with its prerequisite. The run that changed the prerequisite then makes it. */
export function isFollowing(known: RecentChange | undefined, enrollment: EnrollmentId): boolean {
  if (known === undefined) return false;
  return known.counted || kindOf(enrollment).prerequisites.some((id) => known.approved.includes(id));
}

/** Combines the changes of an account from two periods, or adds one change. */
export function addChange(known: RecentChange | undefined, { optOut, counted, approved }: RecentChange): RecentChange {
  if (known === undefined) return { optOut, counted, approved };
  return {
    optOut: optOut || known.optOut,
    counted: counted || known.counted,
    approved: approved.length === 0 ? known.approved : [...new Set([...known.approved, ...approved])].sort(),
  };
}

/**
 * The accounts with an intent (an entry that announces a call) whose request was sent, or may have been sent.
 * @param unsent outcomes of intents whose request was not sent; each belongs to the last intent before it
 */
export function changedAccounts(
  intents: readonly Intent[],
  unsent: readonly Place[],
): ReadonlyMap<AccountId, RecentChange> {
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
  const changed = new Map<AccountId, RecentChange>();
  for (const intent of intents) {
    if (notSent.has(intent)) continue;
    const { accountId, enrollment, optOut, approved } = intent;
    const change = { optOut, counted: !approved, approved: approved && enrollment !== null ? [enrollment] : [] };
    changed.set(accountId, addChange(changed.get(accountId), change));
  }
  return changed;
}

const keyOf = ({ accountId, enrollment }: Place): string => `${accountId} ${enrollment}`;
