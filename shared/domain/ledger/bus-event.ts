import type { EntryType, LedgerEntry } from './entry.ts';

/** `source` of every event. */
export const EVENT_SOURCE = 'rollcall';

/** An entry's type in words, as events carry it: `DriftDetected` is "Drift Detected". */
export function wordsOf(type: EntryType): string {
  return type.replace(/(?<=[a-z])(?=[A-Z])/g, ' ');
}

/**
 * What stands for an entry that is too large for a bus: enough to tell what happened to whom, and to find the entry itself (`rollcall
 * audit show <id>`). `truncated` tells the two apart.
 */
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
