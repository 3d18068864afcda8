import { fromBase64, toBase64 } from '../../domain/transparency/encoding.ts';
import { writeBundle } from '../../domain/transparency/entry-bundle.ts';
import { equalBytes, HASH_BYTES, type Hash } from '../../domain/transparency/hash.ts';
import { leafTile, readTile, TILE_WIDTH, type TileId, tileNodes } from '../../domain/transparency/tiles.ts';
import { type NodeSource, subtreeHash } from '../../domain/transparency/tree.ts';
import { DamagedRegisterError, type Registers } from '../../ports/registers.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';
import { bundleDocument, bytesOf, entriesOf, readBundle } from './bundle.ts';
import { LOG_TILES } from './log-documents.ts';

type Reads = Pick<Registers, 'read'>;

/** The stored hashes of the first `size` entries. */
export function storedNodes(registers: Reads, size: number): NodeSource {
  return tileNodes(size, (tiles) => Promise.all(tiles.map((tile) => storedTile(registers, tile))));
}

/** The content of a tile (C2SP tlog-tiles). Level 0 is computed from the bundle. @throws DamagedRegisterError if the log does not have it */
export async function storedTile(registers: Reads, tile: TileId): Promise<Uint8Array> {
  const { level, index, width } = tile;
  if (level === 0) return leafTile(await entriesIn(registers, index, width));
  const document = tileDocument(level, index);
  const found = await readTyped(registers, document);
  if (found === null) throw new DamagedRegisterError(document.name, 'it does not exist');
  const content = fromBase64(found.value.hashes, document.name);
  // Checks the length.
  readTile(tile, content);
  return content.slice(0, width * HASH_BYTES);
}

/** The first `width` entries of a bundle as tlog-tiles has them. @throws DamagedRegisterError if the log does not have them */
export async function storedBundle(registers: Reads, index: number, width: number): Promise<Uint8Array> {
  return writeBundle(await entriesIn(registers, index, width));
}

async function entriesIn(registers: Reads, index: number, width: number): Promise<readonly Uint8Array[]> {
  const { name } = bundleDocument(index);
  const found = await readBundle(registers, index);
  const entries = found === null ? [] : entriesOf(found.value);
  if (entries.length < width) {
    throw new DamagedRegisterError(name, `it has ${entries.length} entries, and the log has ${width} there`);
  }
  return entries.slice(0, width).map(bytesOf);
}

function tileDocument(level: number, index: number) {
  return LOG_TILES.named(`${level}/${index}`);
}

/**
 * Adds the hash of a full bundle, and of each tile that becomes full, to the tiles above. May be repeated.
 * @param requireBundle fails if a backup has replaced the bundle
 */
export async function completeBundle(
  registers: Registers,
  { index, leaves }: { readonly index: number; readonly leaves: readonly Hash[] },
  requireBundle: () => Promise<void>,
): Promise<void> {
  let hash = subtreeHash(leaves);
  let at = index;
  for (let level = 1; ; level += 1) {
    const hashes = await addToTile(registers, { level, at, hash }, requireBundle);
    if (hashes.length < TILE_WIDTH) return;
    hash = subtreeHash(hashes);
    at = Math.floor(at / TILE_WIDTH);
  }
}

/** @returns the hashes of the tile up to the added one */
async function addToTile(
  registers: Registers,
  { level, at, hash }: { readonly level: number; readonly at: number; readonly hash: Hash },
  requireBundle: () => Promise<void>,
): Promise<readonly Hash[]> {
  const index = Math.floor(at / TILE_WIDTH);
  const place = at % TILE_WIDTH;
  const document = tileDocument(level, index);
  for (;;) {
    const known = await readTyped(registers, document);
    await requireBundle();
    const content = known === null ? new Uint8Array() : fromBase64(known.value.hashes, document.name);
    const has = content.length / HASH_BYTES;
    if (has < place) throw new DamagedRegisterError(document.name, `hashes: ${has} were found, and ${place} expected`);
    const next = new Uint8Array((place + 1) * HASH_BYTES);
    next.set(content.subarray(0, place * HASH_BYTES));
    next.set(hash, place * HASH_BYTES);
    // Another hash is of a log that a backup has replaced.
    if (has > place && equalBytes(next, content.subarray(0, next.length))) {
      return readTile({ level, index, width: place + 1 }, content);
    }
    const written = await writeTyped(registers, document, { hashes: toBase64(next) }, known?.version ?? null);
    if (written !== null) return readTile({ level, index, width: place + 1 }, next);
  }
}
