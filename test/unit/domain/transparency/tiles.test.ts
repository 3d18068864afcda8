import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompactTree } from '../../../../shared/domain/transparency/compact-tree.ts';
import { MAX_ENTRY_BYTES, readBundle, writeBundle } from '../../../../shared/domain/transparency/entry-bundle.ts';
import { type Hash, leafHash } from '../../../../shared/domain/transparency/hash.ts';
import { edgeTiles, growTiles } from '../../../../shared/domain/transparency/tile-growth.ts';
import {
  newTiles,
  parseTilePath,
  readTile,
  TILE_WIDTH,
  type TileId,
  type TileSource,
  tileNodes,
  tilePath,
} from '../../../../shared/domain/transparency/tiles.ts';
import { consistencyProof, inclusionProof, rootOf } from '../../../../shared/domain/transparency/tree.ts';
import { verifyConsistency, verifyInclusion } from '../../../../shared/domain/transparency/verify-proof.ts';
import { bytes, NAIVE } from './samples.ts';

/** More than 256 full tiles, so that the tree has three levels of tiles. */
const SIZE = 65_536 + 300;

/** The tiles of a growing tree, by path without the width, as a store keeps them. */
class TileStore {
  readonly #tiles = new Map<string, Uint8Array>();
  size = 0;
  reads = 0;

  readonly source: TileSource = async (tiles) => {
    this.reads += tiles.length;
    return tiles.map((tile) => this.#tiles.get(nameOf(tile)) ?? new Uint8Array());
  };

  async append(leaves: readonly Hash[]): Promise<readonly TileId[]> {
    const grown = growTiles(this.size, await this.source(edgeTiles(this.size)), leaves);
    for (const { content, ...tile } of grown) this.#tiles.set(nameOf(tile), content);
    this.size += leaves.length;
    return grown.map(({ content: _content, ...tile }) => tile);
  }
}

function nameOf({ level, index }: TileId): string {
  return tilePath({ level, index, width: TILE_WIDTH });
}

describe('tile paths', () => {
  it('are those of the specification', () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 1, index: 0, width: 17 })).toBe('tile/1/000.p/17');
    expect(tilePath({ level: null, index: 273, width: 112 })).toBe('tile/entries/273.p/112');
    expect(tilePath({ level: 63, index: 1000, width: 1 })).toBe('tile/63/x001/000.p/1');
  });

  it('are read back as they were written', () => {
    const name = fc.record({
      level: fc.option(fc.nat(63)),
      index: fc.oneof(fc.nat(2_000), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
      width: fc.integer({ min: 1, max: TILE_WIDTH }),
    });
    fc.assert(
      fc.property(name, (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual(tile);
      }),
      { verbose: true },
    );
  });

  it.each([
    '',
    'tile',
    'tile/0',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/00',
    'tile/0/0000',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/x001',
    'tile/0/x001/x234/067/',
    '/tile/0/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/012',
    'tile/0/000.p',
    'tile/entries',
    'tile/data/000',
    'tile/0/000\n',
    'tile/0/x999/x999/x999/x999/x999/999',
    '../checkpoint',
  ])('%j is refused', (path) => {
    expect(() => parseTilePath(path)).toThrow('tile path: not the path of a tile or of a bundle of entries');
  });

  it('have numbers within the limits of the specification', () => {
    expect(() => tilePath({ level: 64, index: 0, width: 1 })).toThrow('tile level 64 is not 0 to 63');
    expect(() => tilePath({ level: 0, index: -1, width: 1 })).toThrow('tile index -1');
    expect(() => tilePath({ level: 0, index: 0, width: 0 })).toThrow('tile width 0 is not 1 to 256');
    expect(() => tilePath({ level: 0, index: 0, width: 257 })).toThrow('tile width 257 is not 1 to 256');
  });
});

describe('the tiles of a tree', () => {
  it('are those that the specification gives for 70,000 and for 256 entries', () => {
    const tiles = newTiles(0, 70_000);
    const count = (level: number, full: boolean): number =>
      tiles.filter((tile) => tile.level === level && (tile.width === TILE_WIDTH) === full).length;
    expect([count(0, true), count(1, true), count(2, true)]).toEqual([273, 1, 0]);
    expect(edgeTiles(70_000)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
    expect(tiles.filter(({ width }) => width < TILE_WIDTH)).toEqual(edgeTiles(70_000));
    expect(newTiles(0, 256)).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ]);
    expect(newTiles(0, 0)).toEqual([]);
  });

  it('give the same roots and proofs as the tree, while they grow by any number of entries', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 6 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (batches, part) => {
          const [store, tree] = [new TileStore(), new CompactTree()];
          for (const batch of batches) {
            const leaves = Array.from({ length: batch }, (_, at) => leafHash(bytes(`${tree.size + at}`)));
            const before = { size: tree.size, root: tree.root() };
            for (const leaf of leaves) tree.append(leaf);
            expect(await store.append(leaves)).toEqual(newTiles(before.size, tree.size));
            const head = { size: tree.size, root: tree.root() };
            const nodes = tileNodes(head.size, store.source);
            expect(await rootOf(head.size, nodes)).toEqual(head.root);
            verifyConsistency(before, head, await consistencyProof(before.size, head.size, nodes));
            if (head.size === 0) continue;
            const index = Math.floor(part * head.size);
            const path = await inclusionProof(index, head.size, nodes);
            verifyInclusion({ leaf: leafHash(bytes(`${index}`)), index, path }, head);
          }
        },
      ),
      { verbose: true, numRuns: 30 },
    );
  });

  it('are at most five to read for a proof, also for an earlier size, which finds tiles that have grown', async () => {
    const [store, tree] = [new TileStore(), new CompactTree()];
    const leaves = Array.from({ length: SIZE }, (_, at) => leafHash(bytes(`${at}`)));
    await store.append(leaves.slice(0, 1_000));
    await store.append(leaves.slice(1_000));
    for (const leaf of leaves.slice(0, 65_600)) tree.append(leaf);
    const earlier = { size: tree.size, root: tree.root() };
    for (const leaf of leaves.slice(65_600)) tree.append(leaf);
    const later = { size: tree.size, root: tree.root() };
    expect(store.size).toBe(SIZE);
    for (const head of [earlier, later]) {
      for (const index of [0, 255, 256, 999, 1_000, 65_535, 65_536, head.size - 1]) {
        store.reads = 0;
        const path = await inclusionProof(index, head.size, tileNodes(head.size, store.source));
        verifyInclusion({ leaf: leafHash(bytes(`${index}`)), index, path }, head);
        expect(store.reads).toBeLessThanOrEqual(5);
      }
    }
    verifyConsistency(earlier, later, await consistencyProof(earlier.size, later.size, tileNodes(SIZE, store.source)));
  });

  it('are refused if they are short, too long or missing', async () => {
    const tile = { level: 0, index: 0, width: 2 };
    expect(readTile(tile, new Uint8Array(96))).toHaveLength(2);
    expect(() => readTile(tile, new Uint8Array(32))).toThrow('tile/0/000.p/2: 2 hashes were expected, and 1 found');
    expect(() => readTile(tile, new Uint8Array(65))).toThrow('65 bytes are not 1 to 256 hashes of 32 bytes');
    expect(() => readTile(tile, new Uint8Array(257 * 32))).toThrow('8224 bytes are not 1 to 256 hashes');
    await expect(
      rootOf(
        3,
        tileNodes(3, async () => []),
      ),
    ).rejects.toThrow('1 tiles were requested, and 0 returned');
    const nodes = tileNodes(3, async () => [new Uint8Array(96)]);
    await expect(nodes([{ level: 1, index: 1 }])).rejects.toThrow(
      'a tree of size 3 has no complete subtree 1 at level 1',
    );
    expect(() => growTiles(3, [], [])).toThrow('edge of the tree: 1 tiles were expected, and 0 found');
    expect(() => growTiles(3, [new Uint8Array(64)], [])).toThrow('3 hashes were expected, and 2 found');
    expect(() => growTiles(0, [], [bytes('x')])).toThrow('leaf hash: a hash has 32 bytes, not 1');
  });

  it('have the hashes of the naive tree', async () => {
    const store = new TileStore();
    await store.append(Array.from({ length: 130 }, (_, at) => leafHash(bytes(`entry ${at}`))));
    expect(
      await tileNodes(
        130,
        store.source,
      )([
        { level: 6, index: 1 },
        { level: 1, index: 64 },
        { level: 0, index: 5 },
      ]),
    ).toEqual([NAIVE.mth(64, 128), NAIVE.mth(128, 130), NAIVE.mth(5, 6)]);
  });
});

describe('a bundle of entries', () => {
  it('is read back as it was written, and also if it has grown since', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: TILE_WIDTH }), (entries) => {
        const bundle = writeBundle(entries);
        expect(readBundle(bundle, entries.length)).toEqual(entries);
        expect(readBundle(bundle, 1)).toEqual(entries.slice(0, 1));
        expect(() => readBundle(bundle, entries.length + 1)).toThrow(`${entries.length + 1} entries were expected`);
        expect(() => readBundle(bundle.slice(0, -1), entries.length)).toThrow('it ends within entry');
      }),
      { verbose: true },
    );
  });

  it('has lengths as big-endian 16-bit numbers', () => {
    expect(writeBundle([bytes('ab'), bytes('')])).toEqual(new Uint8Array([0, 2, 97, 98, 0, 0]));
    const long = new Uint8Array(MAX_ENTRY_BYTES).fill(7);
    expect(readBundle(writeBundle([long]), 1)).toEqual([long]);
  });

  it('is refused with too many entries, too long ones, or none', () => {
    expect(() => writeBundle([])).toThrow('a bundle has 1 to 256 entries, not 0');
    expect(() => writeBundle(Array.from({ length: 257 }, () => bytes('')))).toThrow(
      'a bundle has 1 to 256 entries, not 257',
    );
    expect(() => writeBundle([new Uint8Array(65_536)])).toThrow('an entry has at most 65535 bytes, not 65536');
    expect(() => readBundle(new Uint8Array(257 * 2), 256)).toThrow('it has 257 entries, more than 256');
    expect(() => readBundle(new Uint8Array([0]), 1)).toThrow('it ends within entry 0');
  });
});
