import { isCanonicalJson } from '../canonical-hash.ts';
import { sha256Hex } from '../crypto.ts';
import type { LedgerEntry } from './entry.ts';

/** An entry together with the text from which it was read. */
export interface StoredEntry {
  /** Made by JSON.parse from the text, without a change. */
  readonly entry: LedgerEntry;
  /** The JSON of the entry as the store has it. */
  readonly text: string;
}

/**
 * Whether the stored text is the one that was hashed when the entry was written. The hash is computed over the text itself, so every reader of the text
 * gets what was hashed. A text in another form than canonical JSON is rejected, because two readers could take different entries from it.
 */
export function hasHashedText({ entry, text }: StoredEntry): boolean {
  if (!isCanonicalJson(text, entry)) return false;
  const member = `"hash":${JSON.stringify(entry.hash)},`;
  // Only texts and numbers follow the entry's own hash in canonical JSON, so its last place is the right one.
  const at = text.lastIndexOf(member);
  return at !== -1 && sha256Hex(text.slice(0, at) + text.slice(at + member.length)) === entry.hash;
}
