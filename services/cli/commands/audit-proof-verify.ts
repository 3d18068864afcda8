import { ConfigError } from '../../../shared/config/config-error.ts';
import { logEntry } from '../../../shared/domain/ledger/log-entry.ts';
import { checkpointInNote } from '../../../shared/domain/transparency/checkpoint.ts';
import { UnprovenError } from '../../../shared/domain/transparency/errors.ts';
import { leafHash } from '../../../shared/domain/transparency/hash.ts';
import { noteVerifier } from '../../../shared/domain/transparency/note-verifier.ts';
import { keyIdText } from '../../../shared/domain/transparency/signed-note.ts';
import { type TlogProof, verifyProof } from '../../../shared/domain/transparency/tlog-proof.ts';
import { type VerifierKey, verifierKey } from '../../../shared/domain/transparency/verifier-key.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { checkKeptKey, readKeptKey } from '../kept-checkpoint.ts';
import { type ProvedEntry, readEntryFile, readProofFile } from '../kept-proof.ts';
import { oneLine } from '../ui/table.ts';
import { count, instant, number } from '../ui/words.ts';
import { hang } from '../ui/wrap.ts';

export interface VerifyProofFlags {
  /** The file with the proof. */
  readonly verify: string;
  readonly key: string;
  readonly entry?: string;
}

/** Verifies the proof of one entry without a store. */
export async function verifyProofFile(context: CliContext, flags: VerifyProofFlags): Promise<number> {
  const { output } = context;
  const read = readProofFile(flags.verify);
  const entry = flags.entry === undefined ? read.entry : readEntryFile(flags.entry);
  if (entry === null) {
    throw new ConfigError(
      'Usage',
      `--verify ${flags.verify} needs --entry FILE: a proof alone does not contain the entry. \`audit show ENTRY --json\` prints it.`,
    );
  }
  const { origin, size } = checkpointInNote(read.proof.checkpoint);
  const key = await keyOf(flags.key, origin);
  const problem = problemOf(read.proof, entry, key);
  const { chain, seq, at } = entry;
  const shown = `entry ${number(seq)} of ${chain}`;
  const message =
    problem === null
      ? `The log ${origin} has ${shown} (${entry.type}, ${instant(at)}) at index ${read.proof.index}. The checkpoint over ${count(size, 'entry', 'entries')} proves it, signed by the key ${keyIdText(key.keyId)}.`
      : `This does not prove ${shown}: ${problem}.`;
  const document = { ok: problem === null, chain, seq, index: read.proof.index, origin, size, message };
  const mark = problem === null ? output.style('green', '✓') : output.style('red', '✗');
  output.result(document, () => hang(`${mark} `, oneLine(message), output.width));
  return problem === null ? EXIT.ok : EXIT.error;
}

async function keyOf(named: string, origin: string): Promise<VerifierKey> {
  const text = readKeptKey(named);
  const { readCheckpointKey } = await import('../../../shared/app/queries/audit/verify-checkpoint.ts');
  return checkKeptKey(named, () => readCheckpointKey(text, origin));
}

/** Without the store, nothing shows whether a restore renamed the log. So the same key under another name is an error, but the message explains it. */
function problemOf(proof: TlogProof, entry: ProvedEntry, key: VerifierKey): string | null {
  const problem = failureOf(proof, entry, key);
  const { origin } = checkpointInNote(proof.checkpoint);
  if (problem === null || key.name === origin) return problem;
  if (failureOf(proof, entry, verifierKey({ ...key, name: origin })) !== null) return problem;
  return `the proof is of the log ${origin}, and the key is for the log ${key.name}. It is the same public key, and a log gets a new name when its store is restored. If that has happened, use the verifier key of ${origin}`;
}

/** Why the proof fails; `null`: it holds. */
function failureOf(proof: TlogProof, entry: ProvedEntry, key: VerifierKey): string | null {
  if (!entry.isIntact) return 'the entry was edited, because its content does not match its hash';
  const leaf = leafHash(logEntry(entry.chain, entry));
  try {
    verifyProof(proof, leaf, { origin: key.name, log: [noteVerifier(key)] });
    return null;
  } catch (error) {
    if (error instanceof UnprovenError) return error.message;
    throw error;
  }
}
