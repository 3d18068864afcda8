import * as z from 'zod/mini';
import { checkpointInNote } from '../../../../shared/domain/transparency/checkpoint.ts';
import { equalBytes } from '../../../../shared/domain/transparency/hash.ts';
import { signedBy } from './checkpoints.ts';
import { type Check, count, EvidenceError, messageOf } from './finding.ts';
import type { GivenKey } from './keys.ts';
import type { Log } from './log.ts';

const published = z.object({ detail: z.object({ treeHead: z.object({ note: z.string() }) }) });
/** JSON that contains a note: the output of `audit checkpoint --json`, a `CheckpointPublished` entry, or its event, which has the entry as its detail. */
const documents = z.union([
  z.pipe(
    z.object({ note: z.string() }),
    z.transform(({ note }) => note),
  ),
  z.pipe(
    published,
    z.transform(({ detail }) => detail.treeHead.note),
  ),
  z.pipe(
    z.object({ detail: published }),
    z.transform(({ detail }) => detail.detail.treeHead.note),
  ),
]);

interface Kept {
  /** A signed note, or a document of Rollcall that contains it. */
  readonly text: string;
  /** The origin of the checkpoint in the ZIP file. */
  readonly origin: string;
  readonly log: Log;
  readonly key: GivenKey | null;
}

/** Checks that the log still has every entry covered by a checkpoint that the auditor kept from an earlier time. */
export async function checkKept(kept: Kept): Promise<Check> {
  try {
    return await judged(kept);
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    return { name: 'kept', state: 'failed', message: error.message };
  }
}

async function judged({ text, origin, log, key }: Kept): Promise<Check> {
  const note = noteIn(text);
  const checkpoint = readNote(note);
  const { size } = checkpoint;
  if (key !== null) signedBy(note, NAME, checkpoint.origin, { ...key, name: null });
  const isSameLog = checkpoint.origin === origin;
  const other = isSameLog
    ? ''
    : ` It belongs to the log ${checkpoint.origin}, and the evidence to ${origin}: a log gets a new name when its store is restored from a backup.`;
  if (size > log.size) {
    const message = `${NAME} covers ${count(size, 'entry', 'entries')}, but the one in the evidence covers only ${count(log.size, 'entry', 'entries')}. Either the evidence was packed before your checkpoint was signed, or entries were removed. Ask for new evidence of the same period: its checkpoint must cover at least as many entries as yours.${other}`;
    return { name: 'kept', state: 'notComparable', message };
  }
  if (!log.hasRoot(size)) {
    const message = `The ZIP file does not have enough of the log to compare it with your checkpoint of ${count(size, 'entry', 'entries')}. Ask for evidence of a period that begins before the checkpoint was signed.${other}`;
    return { name: 'kept', state: 'limited', message };
  }
  if (!equalBytes(await log.root(size), checkpoint.root)) {
    throw new EvidenceError(
      `The log does not have the entries that your checkpoint covers: it was rewritten or forked.${other}`,
    );
  }
  const message = `The log still has all ${count(size, 'entry', 'entries')} that your checkpoint covers, unchanged.`;
  if (key !== null) return { name: 'kept', state: 'passed', message };
  return {
    name: 'kept',
    state: 'limited',
    message: `${message} Its signature was not verified, because there is no public key.`,
  };
}

const NAME = 'Your checkpoint';

function readNote(note: string) {
  try {
    return checkpointInNote(note);
  } catch (error) {
    throw new EvidenceError(
      `${NAME} cannot be read: ${messageOf(error)}. Expected the text that rollcall audit checkpoint prints.`,
    );
  }
}

/** Adds the last line break, which pasted text often lacks. */
function noteIn(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{')) return `${trimmed}\n`;
  try {
    return documents.parse(JSON.parse(trimmed));
  } catch {
    return trimmed; // Reading this text as a note fails with a message for the user.
  }
}
