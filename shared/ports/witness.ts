import type { NoteSignature } from '../domain/transparency/signed-note.ts';

/**
 * A witness, which signs checkpoints that are consistent with the newest one that it has seen (C2SP tlog-witness).
 *
 * Promises:
 * - `cosign` makes one request without retries, which ends within a few seconds, whatever the witness does.
 * - The signatures are those of the answer, unverified: the caller verifies them with the witness's key.
 * - It never throws, and no result contains text of unlimited length that the witness sent.
 */
export interface Witness {
  /** Its key name. */
  readonly name: string;

  cosign(request: CosignRequest): Promise<WitnessAnswer>;
}

export interface CosignRequest {
  /** The size of the newest checkpoint that the witness is known to have signed; 0: none. */
  readonly oldSize: number;
  /** The consistency proof from `oldSize`. */
  readonly proof: readonly Uint8Array[];
  /** The checkpoint, signed by the log. */
  readonly checkpoint: string;
}

/**
 * - `cosigned`: the signature lines of its answer.
 * - `conflict`: it has seen another size; the caller may ask again with a proof from that size.
 * - `refused`: it does not know the log, or its key, or it regards the proof as wrong.
 * - `unavailable`: it gave no answer, or one that the protocol does not allow.
 */
export type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly signatures: readonly NoteSignature[] }
  | { readonly kind: 'conflict'; readonly size: number }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string };
