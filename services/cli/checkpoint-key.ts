import type { PublicKey } from '../../shared/domain/transparency/public-key.ts';
import type { CliContext } from './context.ts';

/**
 * The public half of the key that `ROLLCALL_CHECKPOINT_KEY` names; `null`: it names none.
 * @throws ConfigError, SignerError
 */
export async function configuredKey({ env, clock }: Pick<CliContext, 'env' | 'clock'>): Promise<PublicKey | null> {
  const { openCheckpointing } = await import('../../shared/compose/checkpoints.ts');
  const { signer, close } = await openCheckpointing(env, { clock, random: Math.random });
  try {
    return signer === null ? null : await signer.open();
  } finally {
    close();
  }
}
