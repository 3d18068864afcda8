import type { VerifierKey } from '../../domain/transparency/verifier-key.ts';
import type { CheckpointArchive } from '../../ports/checkpoint-archive.ts';
import type { CheckpointSigner } from '../../ports/checkpoint-signer.ts';
import type { Witness } from '../../ports/witness.ts';

/** A witness that is asked to cosign checkpoints, and the key that verifies its signatures. */
export interface KnownWitness {
  readonly witness: Witness;
  /** Of type `cosignature`. */
  readonly key: VerifierKey;
}

/** The key, archive and witnesses with which a process publishes checkpoints. */
export interface Checkpointing {
  /** `null`: no key is configured. Entries are still appended to the log, and nothing is signed. */
  readonly signer: CheckpointSigner | null;
  /** `null`: checkpoints are only published. */
  readonly archive: CheckpointArchive | null;
  readonly witnesses: readonly KnownWitness[];
}

export const NO_CHECKPOINTING: Checkpointing = { signer: null, archive: null, witnesses: [] };
