import { type VerifierKey, verifierKey } from '../../../shared/domain/transparency/verifier-key.ts';
import { SignerError } from '../../../shared/ports/checkpoint-signer.ts';
import type { CliContext } from '../context.ts';

/** The public half of the key that signs checkpoints, named after the log; `null`: none is configured, or it cannot be read, which is reported. */
export async function publicKey({ env, clock, output }: CliContext, origin: string): Promise<VerifierKey | null> {
  const [{ openCheckpointing }, { ownNetwork }] = await Promise.all([
    import('../../../shared/compose/checkpoints.ts'),
    import('../../../shared/compose/network.ts'),
  ]);
  const { signer, close } = await openCheckpointing(env, { clock, random: Math.random, network: ownNetwork() });
  try {
    return signer === null ? null : verifierKey({ name: origin, ...(await signer.open()) });
  } catch (error) {
    if (!(error instanceof SignerError)) throw error;
    output.note(`warning: the public key is not included: ${error.message}`);
    return null;
  } finally {
    close();
  }
}
