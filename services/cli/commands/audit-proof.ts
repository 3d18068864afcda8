import { existsSync } from 'node:fs';
import type { CheckpointReport } from '../../../shared/app/queries/audit/checkpoint.ts';
import type { EntryProof } from '../../../shared/app/queries/audit/proof.ts';
import type { OpenStore } from '../../../shared/compose/stores/profile.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { FileError } from '../../../shared/config/file-error.ts';
import { isSpecial, writeTextFile } from '../../../shared/config/text-file.ts';
import type { LedgerEntry } from '../../../shared/domain/ledger/entry.ts';
import type { CliContext } from '../context.ts';
import { entryNamed } from '../entry-named.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import { noCheckpoint } from '../ui/checkpoint-text.ts';
import { oneLine } from '../ui/table.ts';
import { count, instant, number } from '../ui/words.ts';
import { hang } from '../ui/wrap.ts';
import type { VerifyProofFlags } from './audit-proof-verify.ts';

export interface ProofFlags extends Partial<VerifyProofFlags> {
  readonly out?: string;
  readonly force?: boolean;
}

export async function runProof(context: CliContext, id: string | undefined, flags: ProofFlags): Promise<number> {
  const { verify, key, entry, out } = flags;
  if (verify === undefined) {
    if (key !== undefined || entry !== undefined) throw wrongUse('--key and --entry are for --verify FILE.');
    if (id === undefined) throw wrongUse('Name an entry, or a proof with --verify FILE.');
    return makeProof(context, id, flags);
  }
  if (id !== undefined || out !== undefined)
    throw wrongUse('--verify reads a proof; it takes no entry id and no --out.');
  if (key === undefined) {
    throw wrongUse('--verify needs --key KEY, the public key of the log: a file with it, or the verifier key itself.');
  }
  const { verifyProofFile } = await import('./audit-proof-verify.ts');
  return verifyProofFile(context, { verify, key, ...(entry !== undefined && { entry }) });
}

const wrongUse = (message: string): ConfigError => new ConfigError('Usage', message);

async function makeProof(context: CliContext, id: string, { out, force = false }: ProofFlags): Promise<number> {
  const { output, config } = context;
  // Before the entry is looked up by a short id, which reads the whole audit log.
  if (out !== undefined && !force && existsSync(out) && !isSpecial(out)) {
    throw new FileError(out, `${out} already exists; name another file with --out, or replace it with --force`);
  }
  const { findEntry } = await import('../../../shared/app/queries/audit/show.ts');
  const proved = await withStore(context, true, async (store) => {
    const entry = await entryNamed(store.ledger, id, (reference) => findEntry(store.ledger, reference));
    return prove(context, store, entry);
  });
  if (out !== undefined) writeTextFile(out, proved.proof, `${process.pid}`, force ? 'replace' : 'refuse');
  if (output.json) output.document({ ...proved, file: out ?? null });
  else if (out !== undefined) output.print(`Wrote ${out}. ${proofText(proved)}`);
  else {
    await output.pour(once(proved.proof));
    if (!config.quiet) for (const line of hang('', proofText(proved), output.noteWidth, 2)) output.note(line);
  }
  return EXIT.ok;
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

function proofText({ entry, index, checkpoint }: EntryProof): string {
  const { origin, size, at, keyId } = checkpoint;
  return oneLine(
    `Proves that the log ${origin} has entry ${number(entry.seq)} of ${entry.chain} at index ${index}, with the checkpoint of ${instant(at)} (${count(size, 'entry', 'entries')}, key ${keyId}).`,
  );
}

async function prove(context: CliContext, store: OpenStore, entry: LedgerEntry): Promise<EntryProof> {
  const [{ entryProof }, { NotYetProvableError }] = await Promise.all([
    import('../../../shared/app/queries/audit/proof.ts'),
    import('../../../shared/app/transparency/log-reader.ts'),
  ]);
  try {
    return await entryProof(store, entry);
  } catch (error) {
    if (!(error instanceof NotYetProvableError)) throw error;
    throw await notCovered(context, store, entry);
  }
}

async function notCovered({ env }: CliContext, store: OpenStore, { seq, chain }: LedgerEntry): Promise<CommandError> {
  const [{ checkpointReport }, { readCheckpointEnv }] = await Promise.all([
    import('../../../shared/app/queries/audit/checkpoint.ts'),
    import('../../../shared/config/checkpoint-env.ts'),
  ]);
  const report = await checkpointReport(store);
  if (report.checkpoint === null) return noCheckpoint(report, readCheckpointEnv(env).key !== null);
  const { size, at } = report.checkpoint;
  const has = report.logSize ?? 0;
  const covers = `The newest one is of ${instant(at)} and covers ${size > has ? '' : 'the first '}${count(size, 'entry', 'entries')}`;
  return new CommandError('EntryNotCovered', `no checkpoint covers entry ${number(seq)} of ${chain} yet`, {
    hints: [
      size > has
        ? `${covers}; the log has only ${number(has)}: a backup may have replaced the store. rollcall audit verify shows more.`
        : `${covers}.`,
      next(report),
    ],
  });
}

function next({ problems }: CheckpointReport): string {
  const refusal = problems.find(({ kind }) => kind !== 'unarchived');
  if (refusal !== undefined) return oneLine(`No newer one is signed: ${refusal.message}`);
  return 'serve and the deployed functions sign the next one after a run, or within an hour; apply and scan sign one when they end.';
}
