import { oneLine } from '../../domain/text.ts';
import { toUtf8 } from '../../domain/transparency/encoding.ts';
import { MalformedError } from '../../domain/transparency/errors.ts';
import { noteVerifier } from '../../domain/transparency/note-verifier.ts';
import { type NoteSignature, parseNote, signaturesBy, writeNote } from '../../domain/transparency/signed-note.ts';
import { consistencyProof } from '../../domain/transparency/tree.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Clock, Logger } from '../../ports/system.ts';
import type { WitnessAnswer } from '../../ports/witness.ts';
import { readTyped, update } from '../coordination/typed-register.ts';
import { WITNESSES } from './checkpoint-state.ts';
import type { KnownWitness } from './checkpointing.ts';
import { storedNodes } from './stored-tree.ts';

interface CosignDeps {
  readonly registers: Registers;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
}

interface Signed {
  readonly origin: string;
  readonly size: number;
  /** Signed by the log. */
  readonly note: string;
}

/**
 * Asks all witnesses to sign the checkpoint. A witness that refuses, lies or does not answer is reported, and never prevents the publication.
 * @returns the note with the signatures that are valid, and the names of their witnesses
 */
export async function cosigned(
  deps: CosignDeps,
  checkpoint: Signed,
  witnesses: readonly KnownWitness[],
): Promise<{ readonly note: string; readonly names: readonly string[] }> {
  const answers = await Promise.all(witnesses.map((each) => askAndRecord(deps, checkpoint, each)));
  const added = answers.flat();
  const { text, signatures } = parseNote(checkpoint.note);
  const note = added.length === 0 ? checkpoint.note : writeNote({ text, signatures: [...signatures, ...added] });
  return { note, names: added.map(({ name }) => name) };
}

async function askAndRecord(
  deps: CosignDeps,
  checkpoint: Signed,
  known: KnownWitness,
): Promise<readonly NoteSignature[]> {
  const { registers, clock, logger } = deps;
  const { origin, size } = checkpoint;
  const { name } = known.key;
  const document = WITNESSES.named(name);
  const last = (await readTyped(registers, document))?.value ?? null;
  const signed = last?.origin === origin ? last.size : 0;
  const answer = await ask(registers, checkpoint, known, signed);
  const verdict = judged(answer, checkpoint, known);
  if ('problem' in verdict) {
    logger.warn('a witness has not signed the checkpoint', { message: `${name}: ${verdict.problem}` });
    const problem = { at: clock.now(), message: verdict.problem };
    await update(registers, document, () => ({ origin, size: signed, problem }));
    return [];
  }
  await update(registers, document, () => ({ origin, size, problem: null }));
  return [verdict.signature];
}

/** Asks with the proof from the size that the witness is known to have signed, and once more if the witness names another size. */
async function ask(
  registers: Registers,
  checkpoint: Signed,
  { witness }: KnownWitness,
  signed: number,
): Promise<WitnessAnswer> {
  const from = async (oldSize: number): Promise<WitnessAnswer> => {
    const proof = await consistencyProof(oldSize, checkpoint.size, storedNodes(registers, checkpoint.size));
    return witness.cosign({ oldSize, proof, checkpoint: checkpoint.note });
  };
  const first = await from(Math.min(signed, checkpoint.size));
  return first.kind === 'conflict' && first.size <= checkpoint.size ? from(first.size) : first;
}

function judged(
  answer: WitnessAnswer,
  { note, size }: Signed,
  { key }: KnownWitness,
): { readonly signature: NoteSignature } | { readonly problem: string } {
  if (answer.kind === 'refused') return { problem: `it refused: ${oneLine(answer.reason)}` };
  if (answer.kind === 'unavailable') return { problem: `it gave no usable answer: ${oneLine(answer.reason)}` };
  if (answer.kind === 'conflict') {
    const more = `it has signed a checkpoint of this log with ${answer.size} entries, but this one has ${size}`;
    return { problem: answer.size > size ? `${more}: the store is older than that checkpoint, or forked` : more };
  }
  const [signature] = signaturesBy([key], answer.signatures);
  if (signature === undefined) return { problem: 'its answer has no signature by its key' };
  if (!isValid(key, parseNote(note).text, signature)) return { problem: 'its signature does not match the checkpoint' };
  return { signature };
}

function isValid(key: KnownWitness['key'], text: string, { signature }: NoteSignature): boolean {
  try {
    return noteVerifier(key).verify(toUtf8(text, 'checkpoint'), signature);
  } catch (error) {
    if (error instanceof MalformedError) return false;
    throw error;
  }
}
