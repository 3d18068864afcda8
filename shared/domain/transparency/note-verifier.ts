import { cosignatureVerifier } from './cosignature.ts';
import type { NoteVerifier } from './signed-note.ts';
import { parseVerifierKey, signatureMatches, type VerifierKey } from './verifier-key.ts';

/** Verifies signatures by the key, whichever type it has. @param key as text, or as it was read */
export function noteVerifier(key: string | VerifierKey): NoteVerifier {
  const parsed = typeof key === 'string' ? parseVerifierKey(key) : key;
  if (parsed.type === 'cosignature') return cosignatureVerifier(parsed);
  return { name: parsed.name, keyId: parsed.keyId, verify: signatureMatches(parsed) };
}
