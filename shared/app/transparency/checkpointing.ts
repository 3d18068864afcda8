import type { VerifierKey } from '../../domain/transparency/verifier-key.ts';
import type { CheckpointArchive } from '../../ports/checkpoint-archive.ts';
import type { CheckpointSigner } from '../../ports/checkpoint-signer.ts';
import type { Witness } from '../../ports/witness.ts';

/** Whose checkpoint signatures are asked for, and verified with this key. */
export interface KnownWitness {
  readonly witness: Witness;
  /** Of type `cosignature`. */
  readonly key: VerifierKey;
}

/** What a process publishes checkpoints with. */
export interface Checkpointing {
  /** `null`: no key is configured. Entries are still appended to the log, and nothing is signed. */
  readonly signer: CheckpointSigner | null;
  /** `null`: checkpoints are only published. */
  readonly archive: CheckpointArchive | null;
  readonly witnesses: readonly KnownWitness[];
}

export const NO_CHECKPOINTING: Checkpointing = { signer: null, archive: null, witnesses: [] };
