const LINE_BREAK = 0x0a;
/** Decoding this many bytes takes a few milliseconds. */
const PIECE = 1_000_000;

/** The lines of a file, decoded piece by piece: as one text, a large file would be too long for a string. */
export function* linesOf(bytes: Uint8Array): Generator<string> {
  const decoder = new TextDecoder();
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(LINE_BREAK, Math.min(from + PIECE, bytes.length - 1));
    const to = end === -1 ? bytes.length : end + 1;
    const text = decoder.decode(bytes.subarray(from, to));
    yield* (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
    from = to;
  }
}
