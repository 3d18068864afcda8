import { isCanonicalJson } from '../canonical-hash.ts';
import { sha256Hex } from '../crypto.ts';
import type { LedgerEntry } from './entry.ts';

/** An entry together with the text from which it was read. */
export interface StoredEntry {
  /** The result of JSON.parse for `text`, unchanged. */
  readonly entry: LedgerEntry;
  /** The JSON of the entry as the store has it. */
  readonly text: string;
}

/**
 * Whether the stored text is the one that was hashed when the entry was written. The hash is computed over the text itself, so every reader of the text
 * gets what was hashed. A text that is not canonical JSON is rejected, because two readers could read different entries from it.
 */
export function hasHashedText({ entry, text }: StoredEntry): boolean {
  if (!isCanonicalJson(text, entry)) return false;
  // Only 64 hexadecimal digits can equal the hash below, so no escape is needed.
  const member = `"hash":"${entry.hash}",`;
  // In canonical JSON, only strings and numbers follow the entry's own hash, so the last match is that hash.
  const at = text.lastIndexOf(member);
  return at !== -1 && sha256Hex(text.slice(0, at) + text.slice(at + member.length)) === entry.hash;
}
