import type { LedgerEntry } from './entry.ts';
import type { EntryType } from './entry-types.ts';

/** `source` of every event. */
export const EVENT_SOURCE = 'rollcall';

/** An entry's type in words, as events carry it: `DriftDetected` is "Drift Detected". */
export function wordsOf(type: EntryType): string {
  return type.replace(/(?<=[a-z])(?=[A-Z])/g, ' ');
}

/** Replaces an entry that is too large for the bus. `rollcall audit show <id>` shows the whole entry. */
export interface EntryReference
  extends Pick<
    LedgerEntry,
    'id' | 'chain' | 'seq' | 'at' | 'type' | 'accountId' | 'enrollment' | 'runId' | 'actor' | 'hash'
  > {
  readonly truncated: true;
}

export function referenceTo(entry: LedgerEntry): EntryReference {
  const { id, chain, seq, at, type, accountId, enrollment, runId, actor, hash } = entry;
  return { id, chain, seq, at, type, accountId, enrollment, runId, actor, hash, truncated: true };
}
