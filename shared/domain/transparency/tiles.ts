import { quote } from './encoding.ts';
import { MalformedError } from './errors.ts';
import { HASH_BYTES, type Hash, leafHash } from './hash.ts';
import { checkSize, type NodeId, type NodeSource, subtreeHash } from './tree.ts';

/** Hashes in a full tile, and entries in a full bundle (C2SP tlog-tiles, "Merkle Tree"). */
export const TILE_WIDTH = 256;

/** A full tile is a subtree of this height. */
const TILE_LEVELS = 8;

const MAX_LEVEL = 63;

/**
 * A run of hashes of one level: hash i covers entries (`index` × 256 + i) × 256^`level` and on, 256^`level` of them. `width` is 256, or less
 * for the last tile of a level.
 */
export interface TileId {
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** What a path names: a tile or, with `level` null, a bundle of entries. */
export type TileName = Omit<TileId, 'level'> & { readonly level: number | null };

/** Returns the content of tiles, in the order in which they are requested. A tile that has grown since may be longer than its width says. */
export type TileSource = (tiles: readonly TileId[]) => Promise<readonly Uint8Array[]>;

/** How many hashes the tiles of a level have together: a hash for each full tile of the level below. */
export function hashesAt(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** All tiles of a tree that are new or wider than they were at an earlier size, from the lowest level on. */
export function newTiles(from: number, to: number): readonly TileId[] {
  checkSize(from, 'earlier tree size');
  checkSize(to, 'later tree size');
  const tiles: TileId[] = [];
  for (let level = 0; hashesAt(level, to) > 0; level += 1) {
    const [old, all] = [hashesAt(level, from), hashesAt(level, to)];
    for (let at = Math.floor(old / TILE_WIDTH) * TILE_WIDTH; at < all && all > old; at += TILE_WIDTH) {
      tiles.push({ level, index: at / TILE_WIDTH, width: Math.min(TILE_WIDTH, all - at) });
    }
  }
  return tiles;
}

/** The tile of a tree of this size that has the hash, or the hashes under it. */
function tileOf({ level, index }: NodeId, size: number): TileId {
  const tileLevel = Math.floor(level / TILE_LEVELS);
  const first = index * 2 ** (level % TILE_LEVELS);
  const tile = Math.floor(first / TILE_WIDTH);
  return { level: tileLevel, index: tile, width: Math.min(TILE_WIDTH, hashesAt(tileLevel, size) - tile * TILE_WIDTH) };
}

/**
 * Reads the hashes of a tree of this size from its tiles, each tile once for all hashes of a request. Levels between those of the tiles are hashed from
 * the level below.
 */
export function tileNodes(size: number, source: TileSource): NodeSource {
  return async (nodes) => {
    const tiles = new Map<string, TileId>();
    for (const node of nodes) {
      const tile = tileOf(node, size);
      tiles.set(tilePath(tile), tile);
    }
    const wanted = [...tiles.values()];
    const contents = await source(wanted);
    if (contents.length !== wanted.length) {
      throw new MalformedError('tiles', `${wanted.length} tiles were requested, and ${contents.length} returned`);
    }
    const hashes = new Map(
      wanted.map((tile, at) => [tilePath(tile), readTile(tile, contents[at] ?? new Uint8Array())]),
    );
    return nodes.map((node) => {
      const width = 2 ** (node.level % TILE_LEVELS);
      const first = (node.index * width) % TILE_WIDTH;
      const tile = tileOf(node, size);
      const found = hashes.get(tilePath(tile))?.slice(first, first + width) ?? [];
      if (found.length < width)
        throw new RangeError(`a tree of size ${size} has no complete subtree ${node.index} at level ${node.level}`);
      return subtreeHash(found);
    });
  };
}

/** The content of the tile of level 0 that has these entries. */
export function leafTile(entries: readonly Uint8Array[]): Uint8Array {
  const content = new Uint8Array(entries.length * HASH_BYTES);
  for (const [at, entry] of entries.entries()) content.set(leafHash(entry), at * HASH_BYTES);
  return content;
}

/** The hashes of a tile. @throws MalformedError if the content is shorter than the tile's width, or is not a tile */
export function readTile(tile: TileId, content: Uint8Array): readonly Hash[] {
  const where = tilePath(tile);
  const has = content.length / HASH_BYTES;
  if (!Number.isInteger(has) || has > TILE_WIDTH) {
    throw new MalformedError(where, `${content.length} bytes are not 1 to ${TILE_WIDTH} hashes of ${HASH_BYTES} bytes`);
  }
  if (has < tile.width) throw new MalformedError(where, `${tile.width} hashes were expected, and ${has} found`);
  return Array.from({ length: tile.width }, (_, at) => content.slice(at * HASH_BYTES, (at + 1) * HASH_BYTES));
}

/**
 * `tile/<level>/<index>` or `tile/entries/<index>`, with `.p/<width>` if it is partial (C2SP tlog-tiles, "Merkle Tree", "Partial Tiles" and
 * "Log entries").
 */
export function tilePath({ level, index, width }: TileName): string {
  if (!isInteger(level ?? 0, 0, MAX_LEVEL)) throw new RangeError(`tile level ${level} is not 0 to ${MAX_LEVEL}`);
  if (!isInteger(width, 1, TILE_WIDTH)) throw new RangeError(`tile width ${width} is not 1 to ${TILE_WIDTH}`);
  checkSize(index, 'tile index');
  const digits = String(index);
  // Groups of three digits, of which all but the last begin with x.
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').replaceAll(/\d{3}(?=\d)/g, 'x$&/');
  return `tile/${level ?? 'entries'}/${groups}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** @throws MalformedError for a path that {@link tilePath} does not give */
export function parseTilePath(path: string): TileName {
  const parts = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  const [, kind = '', groups = '', partial = String(TILE_WIDTH)] = parts ?? [];
  const level = kind === 'entries' ? null : Number(kind);
  const name = { level, index: Number(groups.replaceAll(/[x/]/g, '')), width: Number(partial) };
  const valid =
    parts !== null && isInteger(level ?? 0, 0, MAX_LEVEL) && isInteger(name.index, 0, Number.MAX_SAFE_INTEGER);
  // Writing it again refuses leading zeros and a full width behind `.p`.
  if (!valid || !isInteger(name.width, 1, TILE_WIDTH) || tilePath(name) !== path) {
    throw new MalformedError('tile path', `not the path of a tile or of a bundle of entries: ${quote(path)}`);
  }
  return name;
}

function isInteger(value: number, from: number, to: number): boolean {
  return Number.isSafeInteger(value) && value >= from && value <= to;
}
