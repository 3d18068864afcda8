import { MalformedError } from './errors.ts';
import { checkHash, HASH_BYTES, type Hash } from './hash.ts';
import { hashesAt, readTile, TILE_WIDTH, type TileId } from './tiles.ts';
import { checkSize, subtreeHash } from './tree.ts';

export interface Tile extends TileId {
  readonly content: Uint8Array;
}

/** The partial tiles at the right edge of a tree, at most one a level, from the lowest level on. Appending needs only these. */
export function edgeTiles(size: number): readonly TileId[] {
  checkSize(size, 'tree size');
  const tiles: TileId[] = [];
  for (let level = 0; hashesAt(level, size) > 0; level += 1) {
    const width = hashesAt(level, size) % TILE_WIDTH;
    if (width > 0) tiles.push({ level, index: Math.floor(hashesAt(level, size) / TILE_WIDTH), width });
  }
  return tiles;
}

/**
 * Appends entries to a tree that is stored as tiles. A tile that was partial is returned with its old and new hashes, so a store replaces it as a whole.
 * @param edge the content of `edgeTiles(size)`
 * @returns the tiles that are new or wider than before, from the lowest level on
 */
export function growTiles(size: number, edge: readonly Uint8Array[], leaves: readonly Hash[]): readonly Tile[] {
  const partial = edgeTiles(size);
  if (edge.length !== partial.length) {
    throw new MalformedError('edge of the tree', `${partial.length} tiles were expected, and ${edge.length} found`);
  }
  checkSize(size + leaves.length, 'tree size');
  const known = new Map(partial.map((tile, at) => [tile.level, readTile(tile, edge[at] ?? new Uint8Array())]));
  const grown: Tile[] = [];
  let added: readonly Hash[] = leaves.map((leaf) => checkHash(leaf, 'leaf hash'));
  for (let level = 0; added.length > 0; level += 1) {
    const hashes = [...(known.get(level) ?? []), ...added];
    const first = Math.floor(hashesAt(level, size) / TILE_WIDTH);
    const complete: Hash[] = [];
    for (let at = 0; at < hashes.length; at += TILE_WIDTH) {
      const own = hashes.slice(at, at + TILE_WIDTH);
      grown.push({ level, index: first + at / TILE_WIDTH, width: own.length, content: writeTile(own) });
      if (own.length === TILE_WIDTH) complete.push(subtreeHash(own));
    }
    added = complete;
  }
  return grown;
}

function writeTile(hashes: readonly Hash[]): Uint8Array {
  const content = new Uint8Array(hashes.length * HASH_BYTES);
  for (const [at, hash] of hashes.entries()) content.set(hash, at * HASH_BYTES);
  return content;
}
