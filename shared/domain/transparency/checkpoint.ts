import { cosignatureTime } from './cosignature.ts';
import { fromBase64, fromDecimal, toBase64 } from './encoding.ts';
import { MalformedError, UnprovenError } from './errors.ts';
import {
  type NoteSignature,
  type NoteVerifier,
  parseNote,
  requireOneOf,
  signaturesBy,
  sortSignatures,
} from './signed-note.ts';
import { checkHead, type TreeHead } from './verify-proof.ts';

const FORMAT = 'checkpoint';

/** A tree head of a log, as its signed note has it (C2SP tlog-checkpoint, "Note text"). */
export interface LogCheckpoint extends TreeHead {
  /** Identifies the log; its key name should be the same. */
  readonly origin: string;
  /** Lines after the root. The specification advises against them, and witnesses make no statement about them. */
  readonly extensions: readonly string[];
}

/** Whose signatures a checkpoint needs. */
export interface CheckpointTrust {
  readonly origin: string;
  /** Keys of the log; one signature is enough, so that keys can be replaced. */
  readonly log: readonly NoteVerifier[];
  /** Keys of witnesses, of type `cosignature`. */
  readonly witnesses?: readonly NoteVerifier[];
  /** How many differently named witnesses must have signed; default: 0. */
  readonly quorum?: number;
}

interface Cosigned {
  readonly name: string;
  /** Seconds since 1970. */
  readonly time: number;
}

export interface OpenedCheckpoint extends LogCheckpoint {
  readonly witnesses: readonly Cosigned[];
}

/** The text of the note. @throws MalformedError if a part cannot stand in it */
export function checkpointText({ origin, size, root, extensions }: LogCheckpoint): string {
  checkHead({ size, root }, FORMAT);
  const lines = [origin, String(size), toBase64(root), ...extensions];
  const broken = lines.find((line) => line === '' || line.includes('\n'));
  if (broken !== undefined)
    throw new MalformedError(FORMAT, 'the origin and each extension are one line that is not empty');
  return `${lines.join('\n')}\n`;
}

/** @throws MalformedError if the text is not that of a checkpoint */
export function parseCheckpoint(text: string): LogCheckpoint {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new MalformedError(FORMAT, 'it does not end with a line break');
  const [origin, size, root, ...extensions] = lines;
  if (origin === undefined || size === undefined || root === undefined) {
    throw new MalformedError(FORMAT, 'it has fewer than three lines: origin, tree size and root');
  }
  const empty = lines.indexOf('');
  if (empty !== -1) throw new MalformedError(`${FORMAT}, line ${empty + 1}`, 'it is empty');
  const head = { size: fromDecimal(size, `${FORMAT}, line 2`), root: fromBase64(root, `${FORMAT}, line 3`) };
  checkHead(head, `${FORMAT}, line 3`);
  return { origin, ...head, extensions };
}

/** The checkpoint of a signed note. Its signatures are not verified. @throws MalformedError */
export function checkpointInNote(note: string | Uint8Array): LogCheckpoint {
  return parseCheckpoint(parseNote(note).text);
}

/** As {@link checkpointInNote}; `null`: the note has no checkpoint. */
export function checkpointOrNull(note: string): LogCheckpoint | null {
  try {
    return checkpointInNote(note);
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
}

/**
 * Verifies the signatures of a checkpoint.
 * @throws UnprovenError if it is another log's, is not signed by the log, has a wrong signature, or lacks cosignatures
 * @throws MalformedError if it is not a signed checkpoint
 */
export function openCheckpoint(note: string | Uint8Array, trust: CheckpointTrust): OpenedCheckpoint {
  const { origin, log, witnesses = [], quorum = 0 } = trust;
  const signed = parseNote(note);
  const checkpoint = parseCheckpoint(signed.text);
  if (checkpoint.origin !== origin) {
    throw new UnprovenError(
      `${FORMAT}: it is of the log ${JSON.stringify(checkpoint.origin)}, not ${JSON.stringify(origin)}`,
    );
  }
  // One list for both, so that a key that is given twice is noticed.
  const { verified } = sortSignatures(signed, [...log, ...witnesses]);
  requireOneOf(verified, log);
  const cosigned = signaturesBy(witnesses, verified).map(toCosigned);
  const names = new Set(cosigned.map(({ name }) => name)).size;
  if (names < quorum)
    throw new UnprovenError(`${FORMAT}: ${names} of the trusted witnesses have signed it, and ${quorum} must`);
  return { ...checkpoint, witnesses: cosigned };
}

function toCosigned({ name, signature }: NoteSignature): Cosigned {
  return { name, time: cosignatureTime(signature) };
}
