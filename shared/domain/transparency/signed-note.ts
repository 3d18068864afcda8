import { fromBase64, fromUtf8, quote, toBase64, toUtf8 } from './encoding.ts';
import { MalformedError, UnprovenError } from './errors.ts';

/*
 * C2SP signed-note, "Format" and "Signatures":
 *
 *   text, ending with a line break
 *   (empty line)
 *   — key name Base64(key ID, signature)      once or more
 */

const FORMAT = 'signed note';
const LINE_PREFIX = '— ';
const KEY_ID_BYTES = 4;
const SPACE = 0x20;
const LINE_BREAK = 0x0a;

/** Bounds of what a reader accepts. The specification asks for at least 16 signatures. */
const MAX_SIGNATURES = 100;
const MAX_CHARACTERS = 1_000_000;

export interface NoteSignature {
  readonly name: string;
  /** A 32-bit number that, with the name, identifies the key and its algorithm. It is not a secure hash of the key. */
  readonly keyId: number;
  /** What follows the key ID; the key's type decides the content. */
  readonly signature: Uint8Array;
}

/** A note as it was read. Nothing about it is to be believed before {@link openNote} has verified it. */
export interface SignedNote {
  /** Ends with a line break, and is what the signatures cover. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A trusted public key. */
export interface NoteVerifier {
  readonly name: string;
  readonly keyId: number;
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

/** A private key, which may be in another process or service. */
export interface NoteSigner {
  readonly name: string;
  readonly keyId: number;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

export interface OpenedNote {
  readonly text: string;
  /** Signatures by the given keys, all of them valid; at least one. */
  readonly verified: readonly NoteSignature[];
  /** Signatures by other keys, which prove nothing here. */
  readonly unknown: readonly NoteSignature[];
}

/**
 * Reads a note without verifying it.
 * @throws MalformedError if it is not a note, or has the same signature line twice
 */
export function parseNote(note: string | Uint8Array): SignedNote {
  const whole = typeof note === 'string' ? note : fromUtf8(note, FORMAT);
  checkText(whole);
  const end = whole.lastIndexOf('\n\n');
  if (end === -1) throw new MalformedError(FORMAT, 'there is no empty line between a text and its signatures');
  const text = whole.slice(0, end + 1);
  return { text, signatures: parseSignatures(whole.slice(end + 2), lineCount(text) + 2) };
}

/**
 * Reads signature lines without a text, as a witness returns them.
 * @param firstLine the number of the first line, for messages
 */
export function parseSignatures(lines: string, firstLine = 1): readonly NoteSignature[] {
  if (lines === '') throw new MalformedError(FORMAT, 'it has no signature');
  checkText(lines);
  const each = lines.slice(0, -1).split('\n');
  if (each.length > MAX_SIGNATURES) {
    throw new MalformedError(FORMAT, `it has ${each.length} signatures, more than ${MAX_SIGNATURES}`);
  }
  const seen = new Set<string>();
  return each.map((line, at) => {
    const where = `${FORMAT}, line ${firstLine + at}`;
    if (seen.has(line)) throw new MalformedError(where, 'the same signature stands in an earlier line');
    seen.add(line);
    return parseLine(line, where);
  });
}

/** @throws MalformedError if the parts do not make a note that {@link parseNote} reads back */
export function writeNote({ text, signatures }: SignedNote): string {
  checkText(text);
  const note = `${text}\n${signatures.map(writeLine).join('')}`;
  parseNote(note);
  return note;
}

/** Signs a text, or adds signatures to those that it has. A new signature replaces those of the same key. */
export async function signNote(note: SignedNote, signers: readonly NoteSigner[]): Promise<string> {
  checkText(note.text);
  const message = toUtf8(note.text, FORMAT);
  const added = await Promise.all(
    signers.map(async (signer) => ({
      name: signer.name,
      keyId: signer.keyId,
      signature: await signer.sign(message),
    })),
  );
  const kept = note.signatures.filter((old) => !signers.some((signer) => isSameKey(signer, old)));
  return writeNote({ text: note.text, signatures: [...kept, ...added] });
}

/**
 * Verifies a note ("Signatures" of the specification).
 * @throws UnprovenError if a signature by one of the keys is wrong, or there is none by any of them
 * @throws MalformedError if a key has two signatures, or two of the keys have the same name and ID
 */
export function openNote(note: SignedNote, verifiers: readonly NoteVerifier[]): OpenedNote {
  const opened = sortSignatures(note, verifiers);
  requireOneOf(opened.verified, verifiers);
  return opened;
}

/** As {@link openNote}, but a note without any signature by the keys is accepted. */
export function sortSignatures({ text, signatures }: SignedNote, verifiers: readonly NoteVerifier[]): OpenedNote {
  checkDistinct(verifiers);
  const message = toUtf8(text, FORMAT);
  const verified: NoteSignature[] = [];
  const unknown: NoteSignature[] = [];
  for (const each of signatures) {
    const verifier = verifiers.find((key) => isSameKey(key, each));
    if (verifier === undefined) {
      unknown.push(each);
      continue;
    }
    if (signaturesBy([each], verified).length > 0) {
      throw new MalformedError(FORMAT, `two signatures by the key ${keyOf(each)}`);
    }
    if (!verifier.verify(message, each.signature)) {
      throw new UnprovenError(`${FORMAT}: the signature by the key ${keyOf(each)} does not match the text`);
    }
    verified.push(each);
  }
  return { text, verified, unknown };
}

/** @throws UnprovenError unless one of the verified signatures is by one of the keys */
export function requireOneOf(verified: readonly NoteSignature[], keys: readonly KeyName[]): void {
  if (signaturesBy(keys, verified).length > 0) return;
  const names = keys.map(keyOf).join(', ') || 'none';
  throw new UnprovenError(`${FORMAT}: there is no signature by a trusted key (trusted: ${names})`);
}

/** Those of the signatures that have the name and ID of one of the keys. */
export function signaturesBy(keys: readonly KeyName[], signatures: readonly NoteSignature[]): readonly NoteSignature[] {
  return signatures.filter((signature) => keys.some((key) => isSameKey(key, signature)));
}

/** Without spaces and without `+`, which separate names from what follows them. @throws MalformedError for any other name */
export function checkKeyName(name: string, where: string): void {
  if (name === '' || /[\p{White_Space}+]/u.test(name)) {
    throw new MalformedError(where, `a key name is not empty and has no spaces and no "+": ${quote(name)}`);
  }
}

/** Eight hexadecimal digits. */
export function keyIdText(keyId: number): string {
  return keyId.toString(16).padStart(8, '0');
}

function parseLine(line: string, where: string): NoteSignature {
  if (!line.startsWith(LINE_PREFIX)) {
    throw new MalformedError(where, `a signature line begins with an em dash and a space: ${quote(line)}`);
  }
  const rest = line.slice(LINE_PREFIX.length);
  const space = rest.indexOf(' ');
  if (space === -1) throw new MalformedError(where, `there is no signature after the key name: ${quote(line)}`);
  const name = rest.slice(0, space);
  checkKeyName(name, where);
  const bytes = fromBase64(rest.slice(space + 1), where);
  if (bytes.length <= KEY_ID_BYTES) throw new MalformedError(where, 'there is no signature after the key ID');
  return { name, keyId: new DataView(bytes.buffer).getUint32(0), signature: bytes.slice(KEY_ID_BYTES) };
}

function writeLine({ name, keyId, signature }: NoteSignature): string {
  checkKeyName(name, FORMAT);
  if (keyId !== keyId >>> 0) throw new RangeError(`key ID ${keyId} is not a 32-bit number`);
  const bytes = new Uint8Array(KEY_ID_BYTES + signature.length);
  new DataView(bytes.buffer).setUint32(0, keyId);
  bytes.set(signature, KEY_ID_BYTES);
  return `${LINE_PREFIX}${name} ${toBase64(bytes)}\n`;
}

/** @throws MalformedError unless the text ends with a line break and has no other control characters */
function checkText(text: string): void {
  if (text.length > MAX_CHARACTERS) throw new MalformedError(FORMAT, `it has more than ${MAX_CHARACTERS} characters`);
  if (!text.isWellFormed()) throw new MalformedError(FORMAT, 'not valid Unicode');
  if (!text.endsWith('\n')) throw new MalformedError(FORMAT, 'it does not end with a line break');
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < SPACE && code !== LINE_BREAK) {
      throw new MalformedError(`${FORMAT}, line ${lineCount(text.slice(0, at)) + 1}`, 'it has a control character');
    }
  }
}

function lineCount(text: string): number {
  return text.split('\n').length - 1;
}

function checkDistinct(verifiers: readonly NoteVerifier[]): void {
  const twice = verifiers.find((key, at) => verifiers.slice(0, at).some((other) => isSameKey(key, other)));
  if (twice !== undefined) throw new MalformedError('trusted keys', `two of them have the name and ID ${keyOf(twice)}`);
}

type KeyName = Pick<NoteSignature, 'name' | 'keyId'>;

function isSameKey(one: KeyName, other: KeyName): boolean {
  return one.name === other.name && one.keyId === other.keyId;
}

function keyOf({ name, keyId }: KeyName): string {
  return `${name}+${keyIdText(keyId)}`;
}
