import { parseLogEntry } from '../../../../shared/domain/ledger/log-entry.ts';
import { readBundle } from '../../../../shared/domain/transparency/entry-bundle.ts';
import { equalBytes, HASH_BYTES, type Hash, leafHash } from '../../../../shared/domain/transparency/hash.ts';
import {
  hashesAt,
  parseTilePath,
  readTile,
  TILE_WIDTH,
  type TileId,
  tileNodes,
  tilePath,
} from '../../../../shared/domain/transparency/tiles.ts';
import { rootOf, subtreeHash } from '../../../../shared/domain/transparency/tree.ts';
import type { TreeHead } from '../../../../shared/domain/transparency/verify-proof.ts';
import type { Archive } from './archive.ts';
import { EvidenceError, messageOf } from './finding.ts';

const DIRECTORY = 'log/';

/** The part of the transparency log in the ZIP file: tiles and bundles of a log of this size. */
export class Log {
  readonly size: number;
  readonly #archive: Archive;
  #named: { readonly name: string; readonly entries: readonly Uint8Array[] } | null = null;

  constructor(archive: Archive, size: number) {
    this.#archive = archive;
    this.size = size;
  }

  /** The root of the first `size` entries, by the tiles. @throws EvidenceError if a tile is missing or has another form */
  async root(size: number): Promise<Hash> {
    try {
      return await rootOf(
        size,
        tileNodes(size, async (tiles) => tiles.map((tile) => this.#tile(this.#whole(tile)))),
      );
    } catch (error) {
      throw new EvidenceError(sentence(messageOf(error)));
    }
  }

  /** Whether the ZIP file has the hashes for the root of the first `size` entries. Only tiles of the lowest level can be missing. */
  hasRoot(size: number): boolean {
    if (size % TILE_WIDTH === 0) return true;
    return this.#archive.has(
      `${DIRECTORY}${tilePath(this.#whole({ level: 0, index: Math.floor(size / TILE_WIDTH), width: 1 }))}`,
    );
  }

  /**
   * Verifies that every tile in the ZIP file leads to the root.
   * @param turn called after each tile
   * @throws EvidenceError that names the first tile that does not
   */
  async verify({ size, root }: TreeHead, turn: () => Promise<void>): Promise<number> {
    if (!equalBytes(await this.root(size), root)) {
      throw new EvidenceError(
        'The tiles in log/tile/ do not lead to the root of the checkpoint: at least one was changed.',
      );
    }
    let tiles = 0;
    for (const name of this.#archive.names) {
      if (!name.startsWith(`${DIRECTORY}tile/`)) continue;
      this.#verifyTile(name);
      tiles += 1;
      await turn();
    }
    return tiles;
  }

  /** The hash of the entry at this index; `null`: the ZIP file does not have it. */
  leaf(index: number): Hash | null {
    if (index >= this.size) return null;
    const tile = this.#whole({ level: 0, index: Math.floor(index / TILE_WIDTH), width: 1 });
    const name = `${DIRECTORY}${tilePath(tile)}`;
    if (!this.#archive.has(name)) return null;
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    return this.#archive.bytes(name).subarray(at, at + HASH_BYTES);
  }

  /** Chain and number of the entry at this index, for messages; `null`: the ZIP file does not say. */
  nameOf(index: number): { readonly chain: string; readonly seq: number } | null {
    const { width, ...place } = this.#whole({ level: 0, index: Math.floor(index / TILE_WIDTH), width: 1 });
    const name = `${DIRECTORY}${tilePath({ ...place, level: null, width })}`;
    if (!this.#archive.has(name)) return null;
    try {
      // Neighbours are asked for one after another.
      if (this.#named?.name !== name) this.#named = { name, entries: readBundle(this.#archive.bytes(name), width) };
      const bytes = this.#named.entries[index % TILE_WIDTH];
      return bytes === undefined ? null : parseLogEntry(bytes);
    } catch {
      return null;
    }
  }

  /** The tile as wide as it is in this log. */
  #whole({ level, index }: TileId): TileId {
    return { level, index, width: Math.min(TILE_WIDTH, hashesAt(level, this.size) - index * TILE_WIDTH) };
  }

  #tile(tile: TileId): Uint8Array {
    return this.#archive.bytes(`${DIRECTORY}${tilePath(tile)}`);
  }

  /** Retention is judged by the entries that a bundle names, so it must have those of the log. */
  #verifyBundle(index: number, width: number, bundle: Uint8Array): void {
    const tile = this.#whole({ level: 0, index, width });
    const leaves = readTile(tile, this.#tile(tile));
    for (const [at, entry] of readBundle(bundle, width).entries()) {
      const leaf = leaves[at];
      if (leaf === undefined || !equalBytes(leafHash(entry), leaf))
        throw new Error(`its entry ${at} is not the one that the log has`);
    }
  }

  #verifyTile(name: string): void {
    try {
      const { level, index, width } = parseTilePath(name.slice(DIRECTORY.length));
      if (level === null) {
        this.#verifyBundle(index, width, this.#archive.bytes(name));
        return;
      }
      const hashes = readTile({ level, index, width }, this.#archive.bytes(name));
      if (this.#archive.bytes(name).length !== width * HASH_BYTES) throw new Error('it is longer than its name says');
      if (this.#whole({ level, index, width }).width !== width) throw new Error('the checkpoint has no such tile');
      // The partial tiles at the right edge were part of the root.
      if (width < TILE_WIDTH) return;
      const above = this.#whole({ level: level + 1, index: Math.floor(index / TILE_WIDTH), width: 1 });
      const expected = readTile(above, this.#tile(above))[index % TILE_WIDTH];
      if (expected === undefined || !equalBytes(subtreeHash(hashes), expected))
        throw new Error('it does not lead to the root of the checkpoint');
    } catch (error) {
      throw error instanceof EvidenceError ? error : new EvidenceError(sentence(`${name}: ${messageOf(error)}`));
    }
  }
}

function sentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}
