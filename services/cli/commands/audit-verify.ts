import type { ShownCheckpoint } from '../../../shared/app/queries/audit/checkpoint.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { readBytes } from '../../../shared/config/read-bytes.ts';
import type { Digest } from '../../../shared/domain/ledger/entry.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import { verifyText } from '../ui/verify-text.ts';

export interface VerifyFlags {
  readonly digest?: string;
  readonly checkpoint?: string;
  readonly key?: string;
}

export async function runVerify(context: CliContext, { digest, checkpoint, key }: VerifyFlags): Promise<number> {
  if (checkpoint === undefined && key === undefined) return verifyOwn(context, digest);
  if (checkpoint === undefined || key === undefined) throw missingPart(checkpoint === undefined);
  if (digest !== undefined) {
    throw new ConfigError('Usage', '--digest and --checkpoint cannot be combined; run the command once for each.');
  }
  const { verifyKept } = await import('./audit-verify-checkpoint.ts');
  return verifyKept(context, checkpoint, key);
}

function missingPart(isCheckpoint: boolean): ConfigError {
  return new ConfigError(
    'Usage',
    isCheckpoint
      ? '--key is for --checkpoint FILE, a signed checkpoint that was kept outside the store; name both.'
      : '--checkpoint needs --key KEY, the public key of the log: a file with it, or the verifier key itself.',
  );
}

async function verifyOwn(context: CliContext, named: string | undefined): Promise<number> {
  const { output } = context;
  const kept = named === undefined ? null : await readKept(named);
  const [{ verifyLedger }, { readLog }, { readableCheckpoint }, { listOf, ownDigests }] = await Promise.all([
    import('../../../shared/app/queries/audit/verify.ts'),
    import('../../../shared/app/queries/audit/verify-checkpoint.ts'),
    import('../../../shared/app/queries/audit/checkpoint.ts'),
    import('../../../shared/app/ledger/digest.ts'),
  ]);
  const result = await withStore(context, true, async (store) => {
    const digests = kept === null || 'root' in kept ? await ownDigests(store.ledger, kept?.root ?? null) : kept.digests;
    if (kept !== null && digests.length === 0) throw unknownRoot(context, named ?? '');
    const checkpoint = await readableCheckpoint(store.ledger);
    const found = await verifyLedger(store.ledger, store.records, {
      digests,
      listOf: (digest) => listOf(store.registers, digest),
      // If strict, a digest that cannot be checked is an error. Only digests that the operator has kept outside the store are independent evidence, so
      // only these are strict.
      strict: kept !== null,
      log: await readLog(store),
    });
    return { ...found, newestCheckpoint: checkpoint === null ? null : shortened(checkpoint) };
  });
  output.result(result, () => verifyText(result, context));
  return result.ok ? EXIT.ok : EXIT.error;
}

function shortened({ at, origin, size, keyId }: ShownCheckpoint) {
  return { at, origin, size, keyId };
}

/** Maximum size of a file of digests: enough for years of daily events. */
const MAX_DIGEST_BYTES = 16 * 1024 * 1024;

type Kept = { readonly root: string } | { readonly digests: readonly Digest[] };

async function readKept(named: string): Promise<Kept> {
  if (/^[0-9a-f]{64}$/i.test(named)) return { root: named.toLowerCase() };
  const { digestsIn } = await import('../../../shared/domain/ledger/digest.ts');
  const digests = digestsIn(new TextDecoder().decode(readBytes(named, { maxBytes: MAX_DIGEST_BYTES })));
  if (digests.length > 0) return { digests };
  throw new CommandError(
    'DigestInvalid',
    `--digest ${named}: there is no digest in that file. Expected DigestPublished events or entries as JSON, in one document or one per line, or a root of 64 hexadecimal digits.`,
  );
}

function unknownRoot(context: CliContext, root: string): CommandError {
  return new CommandError(
    'DigestUnknown',
    `${context.store.label} has no DigestPublished entry with the root ${root}: it was never written there, or it was removed or pruned. ` +
      'If an event had this root, the store has been altered: compare it with the event itself (--digest FILE) and with a backup.',
  );
}
