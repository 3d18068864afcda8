import { MalformedError } from './errors.ts';
import { TILE_WIDTH } from './tiles.ts';

/** The length prefix of an entry has 16 bits. */
export const MAX_ENTRY_BYTES = 0xffff;

const PREFIX_BYTES = 2;

/**
 * Entries one after another, each behind its length as a big-endian 16-bit number (C2SP tlog-tiles, "Log entries").
 * @throws RangeError if there are no entries, more than 256, or one is too long
 */
export function writeBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length < 1 || entries.length > TILE_WIDTH)
    throw new RangeError(`a bundle has 1 to ${TILE_WIDTH} entries, not ${entries.length}`);
  const bundle = new Uint8Array(entries.reduce((sum, { length }) => sum + PREFIX_BYTES + length, 0));
  const view = new DataView(bundle.buffer);
  let at = 0;
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES)
      throw new RangeError(`an entry has at most ${MAX_ENTRY_BYTES} bytes, not ${entry.length}`);
    view.setUint16(at, entry.length);
    bundle.set(entry, at + PREFIX_BYTES);
    at += PREFIX_BYTES + entry.length;
  }
  return bundle;
}

/**
 * The first `width` entries of a bundle, which may have grown since.
 * @throws MalformedError if it has fewer entries than that, more than 256, or ends within an entry
 */
export function readBundle(bundle: Uint8Array, width: number): readonly Uint8Array[] {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.length);
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bundle.length; ) {
    const begin = at + PREFIX_BYTES;
    const end = begin <= bundle.length ? begin + view.getUint16(at) : Number.POSITIVE_INFINITY;
    if (end > bundle.length) throw new MalformedError('entry bundle', `it ends within entry ${entries.length}`);
    entries.push(bundle.slice(begin, end));
    at = end;
  }
  if (entries.length > TILE_WIDTH)
    throw new MalformedError('entry bundle', `it has ${entries.length} entries, more than ${TILE_WIDTH}`);
  if (entries.length < width)
    throw new MalformedError('entry bundle', `${width} entries were expected, and ${entries.length} found`);
  return entries.slice(0, width);
}
