import type { S3Archive } from '../adapters/aws/s3/checkpoint-archive.ts';
import { keyFileSigner } from '../adapters/system/key-file-signer.ts';
import { createKeyFile } from '../adapters/system/new-key-file.ts';
import { witnessClient } from '../adapters/system/witness-client.ts';
import type { Checkpointing } from '../app/transparency/checkpointing.ts';
import { type CheckpointEnv, type KeyLocation, readCheckpointEnv } from '../config/checkpoint-env.ts';
import type { Environment } from '../config/config.ts';
import type { Network } from '../domain/network.ts';
import { type PublicKey, publicKeyPem } from '../domain/transparency/public-key.ts';
import { verifierKey, writeVerifierKey } from '../domain/transparency/verifier-key.ts';
import type { CheckpointSigner } from '../ports/checkpoint-signer.ts';
import type { Clock, Random } from '../ports/system.ts';
import { ownNetwork } from './network.ts';

/** The caller closes it. */
export interface OpenCheckpointing extends Checkpointing {
  readonly archive: S3Archive | null;
  close(): void;
}

interface CheckpointingOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Default: this process's settings. */
  readonly network?: Network;
}

/** Opens no file and no connection yet. @throws ConfigError that names the variable */
export async function openCheckpointing(
  env: Environment,
  { clock, random, network = ownNetwork() }: CheckpointingOptions,
): Promise<OpenCheckpointing> {
  const { key, archive: place, witnesses } = readCheckpointEnv(env);
  const options = { clock, random, network };
  const signer = key === null ? null : await signerOf(key, options);
  const archive = place === null ? null : await archiveOf(place, options);
  return {
    signer,
    archive,
    witnesses: witnesses.map(({ key: trusted, url }) => ({
      witness: witnessClient({ name: trusted.name, url, network }),
      key: trusted,
    })),
    close() {
      signer?.close();
      archive?.close();
    },
  };
}

/** Loads a client of the AWS SDK only if it is needed. */
async function signerOf(key: KeyLocation, options: CheckpointingOptions): Promise<CheckpointSigner> {
  if (key.kind === 'file') return keyFileSigner({ path: key.path });
  const { kmsSigner } = await import('../adapters/aws/kms/checkpoint-signer.ts');
  return kmsSigner({ keyId: key.keyId, ...options });
}

async function archiveOf(place: NonNullable<CheckpointEnv['archive']>, options: CheckpointingOptions) {
  const { s3Archive } = await import('../adapters/aws/s3/checkpoint-archive.ts');
  return s3Archive({ ...place, ...options });
}

/** The public half of a key, in the forms that auditors use. */
export interface PublicTexts {
  readonly pem: string;
  /** `null`: the name of the key is not known yet. */
  readonly verifierKey: string | null;
}

/** @param name of the key: the origin of the log; `null`: the store has no log yet */
export function publicTexts(publicKey: PublicKey, name: string | null): PublicTexts {
  const named = name === null ? null : writeVerifierKey(verifierKey({ name, ...publicKey }));
  return { pem: publicKeyPem(publicKey), verifierKey: named };
}

/**
 * Creates a key file for `ROLLCALL_CHECKPOINT_KEY`.
 * @param name as for {@link publicTexts}
 * @throws SignerError; a file that exists is not changed
 */
export async function newCheckpointKey(path: string, name: string | null): Promise<PublicTexts> {
  return publicTexts(await createKeyFile(path), name);
}
