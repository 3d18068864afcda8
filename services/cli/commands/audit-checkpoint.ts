import { relative, resolve, sep } from 'node:path';
import { ConfigError } from '../../../shared/config/config-error.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import { checkpointText, noCheckpoint, problemTexts } from '../ui/checkpoint-text.ts';
import { hang, wrap } from '../ui/wrap.ts';

export interface CheckpointFlags {
  readonly key?: boolean;
  readonly newKey?: string;
}

export async function runCheckpoint(context: CliContext, { key = false, newKey }: CheckpointFlags): Promise<number> {
  if (key && newKey !== undefined) {
    throw new ConfigError('Usage', '--key and --new-key cannot be combined: --new-key prints the public key too.');
  }
  if (newKey !== undefined) return createKey(context, newKey);
  return key ? printKey(context) : printCheckpoint(context);
}

async function printCheckpoint(context: CliContext): Promise<number> {
  const { output, clock, config, env } = context;
  const { checkpointReport } = await import('../../../shared/app/queries/audit/checkpoint.ts');
  const report = await withStore(context, true, (store) => checkpointReport(store));
  const { checkpoint, logSize, problems } = report;
  if (checkpoint === null) {
    const { readCheckpointEnv } = await import('../../../shared/config/checkpoint-env.ts');
    throw noCheckpoint(report, readCheckpointEnv(env).key !== null);
  }
  if (output.json) {
    output.document({ ...checkpoint, logSize, problems });
    return EXIT.ok;
  }
  await output.pour(once(checkpoint.note));
  if (!config.quiet) explain(context, [checkpointText(checkpoint, report, clock.now())]);
  explain(context, problemTexts(report));
  return EXIT.ok;
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

/** Sentences on stderr, so that stdout has only what a file for other programs needs. */
function explain({ output }: CliContext, texts: readonly string[]): void {
  for (const text of texts) for (const line of hang('', text, output.noteWidth, 2)) output.note(line);
}

async function printKey(context: CliContext): Promise<number> {
  const { output } = context;
  const [{ configuredKey }, { publicTexts }] = await Promise.all([
    import('../checkpoint-key.ts'),
    import('../../../shared/compose/checkpoints.ts'),
  ]);
  const [publicKey, log] = await Promise.all([configuredKey(context), knownLog(context)]);
  if (publicKey === null) throw unknownKey(log);
  const { pem, verifierKey } = publicTexts(publicKey, log.origin);
  const keyId = verifierKey?.split('+')[1] ?? null;
  if (output.json) output.document({ origin: log.origin, keyId, type: publicKey.type, pem, verifierKey });
  else await output.pour(once(`${pem}${verifierKey === null ? '' : `${verifierKey}\n`}`));
  if (log.keyId !== null && keyId !== log.keyId) {
    explain(context, [
      `warning: the newest checkpoint is signed by another key (${log.keyId}). This key signs the next one; keep both public keys.`,
    ]);
  }
  if (output.json || context.config.quiet) return EXIT.ok;
  explain(context, [
    verifierKey === null
      ? 'The public key in PEM. Its verifier key contains the name of the log, which the store does not have yet.'
      : 'The public key in PEM and as a verifier key. Auditors need one of them. Keep it where people who can write the store cannot change it.',
  ]);
  return EXIT.ok;
}

interface KnownLog {
  readonly origin: string | null;
  /** The key that signed the newest checkpoint; `null`: there is none. */
  readonly keyId: string | null;
}

/** The log of the store. A key can be shown and created before there is a store. */
async function knownLog(context: CliContext): Promise<KnownLog> {
  const { checkpointReport, originOf } = await import('../../../shared/app/queries/audit/checkpoint.ts');
  try {
    return await withStore(context, true, async (store) => {
      const [origin, { checkpoint }] = await Promise.all([originOf(store), checkpointReport(store)]);
      // A key of an earlier log has another ID, because the ID depends on the name.
      return { origin, keyId: checkpoint?.origin === origin ? (checkpoint?.keyId ?? null) : null };
    });
  } catch (error) {
    if (context.store.isMissing(error)) return { origin: null, keyId: null };
    throw error;
  }
}

function unknownKey({ origin, keyId }: KnownLog): CommandError {
  const signed = keyId === null ? '' : ` The newest checkpoint is signed by the key ${origin ?? ''}+${keyId}.`;
  return new CommandError('CheckpointKeyUnknown', 'this command does not know the key that signs checkpoints', {
    hints: [
      `The store does not contain it.${signed}`,
      'Fix: set ROLLCALL_CHECKPOINT_KEY to the same value as for the processes that sign checkpoints',
    ],
  });
}

const KEEP =
  'Keep the public key where people who can write the store cannot change it. Back up the key file: if it is lost, you need a new key, and auditors need its public key.';

async function createKey(context: CliContext, file: string): Promise<number> {
  const { output, store, config } = context;
  const { newCheckpointKey } = await import('../../../shared/compose/checkpoints.ts');
  const { origin } = await knownLog(context);
  const { pem, verifierKey } = await newCheckpointKey(file, origin);
  const path = resolve(file);
  const { width } = output;
  output.result({ file, path, origin, pem, verifierKey }, () => [
    ...wrap(`Created ${file}: an Ed25519 key that only this user can read. Its public key:`, width),
    ...pem.trimEnd().split('\n'),
    ...(verifierKey === null ? [] : [verifierKey]),
    'To sign checkpoints with it, set this for serve, apply and scan:',
    `  export ROLLCALL_CHECKPOINT_KEY=${path}`,
    ...wrap(KEEP, width),
  ]);
  const inside = relative(resolve(config.dataDir), path);
  if (store.local && inside.split(sep)[0] !== '..') {
    output.note(
      `warning: ${file} is in the directory of the store (${store.label}). Move it: a copy of the directory would contain the key too.`,
    );
  }
  return EXIT.ok;
}
