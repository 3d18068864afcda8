import { EvidenceError } from './finding.ts';

const LINE_BREAK = 0x0a;
/** Decoding this many bytes takes a few milliseconds. */
const PIECE = 1_000_000;

/**
 * The lines of a file, decoded piece by piece: as one text, a large file would be too long for a string. Each line ends with a line feed.
 * @throws EvidenceError if the bytes could also be read as another text
 */
export function* linesOf(bytes: Uint8Array, name: string): Generator<string> {
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(LINE_BREAK, Math.min(from + PIECE, bytes.length - 1));
    if (end === -1) throw new EvidenceError(`${name} does not end with a line break: its end is missing.`);
    yield* decoded(bytes.subarray(from, end), name).split('\n');
    from = end + 1;
  }
}

function decoded(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new EvidenceError(`${name} is not text in UTF-8.`);
  }
}
