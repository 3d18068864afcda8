import { existsSync } from 'node:fs';
import * as z from 'zod';
import { readBytes } from '../../shared/config/read-bytes.ts';
import { checkpointInNote } from '../../shared/domain/transparency/checkpoint.ts';
import { MalformedError } from '../../shared/domain/transparency/errors.ts';
import { CommandError } from './errors.ts';

/** A signed note has below 4 KB, and about 200 bytes for each witness. */
const MAX_CHECKPOINT_BYTES = 1024 * 1024;
const MAX_KEY_BYTES = 64 * 1024;

/**
 * Reads a checkpoint that was kept outside the store: the note itself, or a document of Rollcall that contains it.
 * @returns the signed note, unverified
 * @throws FileError; CommandError if the file has no checkpoint
 */
export function readKeptCheckpoint(file: string): string {
  const bytes = readBytes(file, { maxBytes: MAX_CHECKPOINT_BYTES });
  if (bytes.length === 0) throw invalidCheckpoint(file, 'the file is empty');
  const note = noteIn(bytes);
  try {
    checkpointInNote(note ?? bytes);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw invalidCheckpoint(file, error.message);
  }
  return note ?? new TextDecoder().decode(bytes);
}

function invalidCheckpoint(file: string, problem: string): CommandError {
  return new CommandError('CheckpointInvalid', `--checkpoint ${file}: it is not a signed checkpoint`, {
    hints: [
      `Found: ${problem}.`,
      'Expected: the note that rollcall audit checkpoint prints, byte for byte, or its --json document, or the published event',
    ],
  });
}

const published = z.object({ detail: z.object({ treeHead: z.object({ note: z.string() }) }) });
/** `audit checkpoint --json`; an entry of the audit log; an event of the bus, whose detail is the entry. */
const documents = z.union([
  z.object({ note: z.string() }).transform(({ note }) => note),
  published.transform(({ detail }) => detail.treeHead.note),
  z.object({ detail: published }).transform(({ detail }) => detail.detail.treeHead.note),
]);

/** The note in a JSON document; `null`: it is no such document. */
function noteIn(bytes: Uint8Array): string | null {
  const text = new TextDecoder().decode(bytes);
  // The first line of a note is the origin.
  if (!text.trimStart().startsWith('{')) return null;
  try {
    return documents.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null; // It is then reported as a note with a wrong form.
  }
}

/** `name+ID+Base64` (C2SP signed-note, "Verifier keys"). */
const VERIFIER_KEY = /^\S+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/;

/** A public key: in a file, or given directly. @throws FileError */
export function readKeptKey(named: string): string {
  const trimmed = named.trim();
  const isDirect = VERIFIER_KEY.test(trimmed) || trimmed.startsWith('-----BEGIN');
  if (isDirect && !existsSync(named)) return trimmed;
  return new TextDecoder().decode(readBytes(named, { maxBytes: MAX_KEY_BYTES, ifMissing: KEY_MISSING }));
}

const KEY_MISSING = 'there is no such file, and it is not a verifier key (name+ID+Base64)';

/** @param parse reads the key, for a log with this origin @throws CommandError if it is not the public key of a log */
export function checkKeptKey<T>(named: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new CommandError('CheckpointKeyInvalid', `--key ${shownKey(named)}: it is not the public key of a log`, {
      hints: [
        `Found: ${error.message}.`,
        'Expected: a file with a public key in PEM or a verifier key, or the verifier key itself (rollcall audit checkpoint --key prints both)',
      ],
    });
  }
}

/** A file, or the beginning of a key. A key in PEM could be a private one, so none of it is shown. */
function shownKey(named: string): string {
  if (named.includes('-----BEGIN')) return '(a key in PEM)';
  return named.length > 100 ? `${named.slice(0, 100)}…` : named;
}
