import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompactTree } from '../../../../shared/domain/transparency/compact-tree.ts';
import { EMPTY_ROOT, foldSubtree, leafHash, nodeHash } from '../../../../shared/domain/transparency/hash.ts';
import {
  consistencyProof,
  inclusionProof,
  rootOf,
  subtreeHash,
  subtreesOf,
} from '../../../../shared/domain/transparency/tree.ts';
import { bytes, fromHex, LARGEST, LEAVES, NAIVE, naiveNodes, toHex } from './samples.ts';

/** The entries and roots by which the Certificate Transparency and transparency-dev libraries are tested; roots by tree size, from 0. */
const REFERENCE_ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map(fromHex);
const REFERENCE_ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('the Merkle tree', () => {
  it('has the published roots of the reference entries', () => {
    const tree = new CompactTree();
    const roots = [toHex(tree.root())];
    for (const entry of REFERENCE_ENTRIES) {
      tree.append(leafHash(entry));
      roots.push(toHex(tree.root()));
    }
    expect(roots).toEqual(REFERENCE_ROOTS);
    expect(toHex(EMPTY_ROOT)).toBe(REFERENCE_ROOTS[0]);
  });

  it('has the published hash of a leaf and of an inner node', () => {
    expect(toHex(leafHash(bytes('L123456')))).toBe('395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56');
    expect(toHex(leafHash(bytes('')))).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    // The first inner node over the reference entries.
    const [left, right] = REFERENCE_ENTRIES.map(leafHash);
    expect(toHex(nodeHash(left ?? EMPTY_ROOT, right ?? EMPTY_ROOT))).toBe(REFERENCE_ROOTS[2]);
  });

  it('gives a leaf another hash than an inner node over the same bytes', () => {
    const [left, right] = [leafHash(bytes('a')), leafHash(bytes('b'))];
    expect(leafHash(new Uint8Array([...left, ...right]))).not.toEqual(nodeHash(left, right));
  });

  it('refuses to hash something that is not a hash', () => {
    expect(() => nodeHash(EMPTY_ROOT, bytes('short'))).toThrow('Merkle tree: a hash has 32 bytes, not 5');
    expect(() => nodeHash(new Uint8Array(33), EMPTY_ROOT)).toThrow('a hash has 32 bytes, not 33');
    expect(() => new CompactTree().append(bytes('short'))).toThrow('leaf hash: a hash has 32 bytes, not 5');
  });
});

describe('folding a complete subtree', () => {
  const joinedLeaves = (count: number) => new Uint8Array(LEAVES.slice(0, count).flatMap((leaf) => [...leaf]));

  it('gives its hash', () => {
    for (const count of [1, 2, 4, 64, 128]) {
      expect(foldSubtree(joinedLeaves(count))).toEqual(NAIVE.mth(0, count));
      expect(subtreeHash(LEAVES.slice(0, count))).toEqual(NAIVE.mth(0, count));
    }
  });

  it('refuses any number of hashes that is not a power of two', () => {
    for (const count of [0, 3, 6, 129])
      expect(() => foldSubtree(joinedLeaves(count))).toThrow(`${count} is not a power of two`);
    expect(() => foldSubtree(new Uint8Array(16))).toThrow('0.5 is not a power of two');
    expect(() => foldSubtree(new Uint8Array(65))).toThrow('is not a power of two');
  });
});

describe('appending', () => {
  it(`has the root of the naive tree at every size up to ${LARGEST}, and completes each subtree once`, () => {
    const tree = new CompactTree();
    const complete = new Set<string>();
    for (const [index, leaf] of LEAVES.entries()) {
      for (const { level, index: at, hash } of tree.append(leaf)) {
        expect(hash).toEqual(NAIVE.mth(at * 2 ** level, (at + 1) * 2 ** level));
        complete.add(`${level}/${at}`);
      }
      expect(tree.root()).toEqual(NAIVE.mth(0, index + 1));
    }
    // The number of inner nodes and leaves of all complete subtrees: the sum of n / 2^level.
    const expected = [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, level) => sum + Math.floor(LARGEST / 2 ** level), 0);
    expect(complete.size).toBe(expected);
  });

  it('continues from a stored edge as if it had never stopped', () => {
    for (let size = 0; size < LARGEST; size += 1) {
      const stored = subtreesOf(0, size).map(({ level, index }) =>
        NAIVE.mth(index * 2 ** level, (index + 1) * 2 ** level),
      );
      const tree = CompactTree.at(size, stored);
      expect(tree.edge).toEqual(stored);
      tree.append(LEAVES[size] ?? EMPTY_ROOT);
      expect(tree.root()).toEqual(NAIVE.mth(0, size + 1));
    }
  });

  it('of a complete subtree gives the tree that appending its entries gives', () => {
    for (let level = 0; level <= 6; level += 1) {
      const width = 2 ** level;
      const tree = new CompactTree();
      for (let size = 0; size + width <= LARGEST; size += width) {
        const subtree = NAIVE.mth(size, size + width);
        expect(tree.append(subtree, level)[0]).toEqual({ level, index: size / width, hash: subtree });
        expect(tree.size).toBe(size + width);
        expect(tree.root()).toEqual(NAIVE.mth(0, tree.size));
      }
    }
  });

  it('refuses a subtree that cannot begin at the end of the tree', () => {
    const tree = new CompactTree();
    for (const leaf of LEAVES.slice(0, 6)) tree.append(leaf);
    expect(() => tree.append(NAIVE.mth(0, 4), 2)).toThrow('no subtree of 4 entries begins at entry 6');
    tree.append(NAIVE.mth(6, 8), 1);
    expect(tree.root()).toEqual(NAIVE.mth(0, 8));
  });

  it('refuses an edge of another size', () => {
    expect(() => CompactTree.at(3, [EMPTY_ROOT])).toThrow(
      'a tree of size 3 has 2 complete subtrees at its edge, not 1',
    );
    expect(() => CompactTree.at(-1, [])).toThrow('tree size -1');
    expect(() => CompactTree.at(1, [bytes('x')])).toThrow('edge of the tree: a hash has 32 bytes, not 1');
  });
});

describe('proofs from stored hashes', () => {
  it(`are those of the naive tree for every entry of every size up to ${LARGEST}`, async () => {
    for (let size = 1; size <= LARGEST; size += 1) {
      const nodes = naiveNodes(size);
      expect(await rootOf(size, nodes)).toEqual(NAIVE.mth(0, size));
      const found: string[] = [];
      const expected: string[] = [];
      for (let index = 0; index < size; index += 1) {
        found.push((await inclusionProof(index, size, nodes)).map(toHex).join(' '));
        expected.push(NAIVE.path(index, 0, size).map(toHex).join(' '));
      }
      expect(found).toEqual(expected);
    }
  });

  it(`are those of the naive tree for every pair of sizes up to ${LARGEST}`, async () => {
    for (let to = 1; to <= LARGEST; to += 1) {
      const nodes = naiveNodes(to);
      expect(await consistencyProof(0, to, nodes)).toEqual([]);
      const found: string[] = [];
      const expected: string[] = [];
      for (let from = 1; from <= to; from += 1) {
        found.push((await consistencyProof(from, to, nodes)).map(toHex).join(' '));
        expected.push(NAIVE.proof(from, to).map(toHex).join(' '));
      }
      expect(found).toEqual(expected);
    }
  });

  it('request their hashes in one call, also from trees as large as a number can count', async () => {
    const size = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    await fc.assert(
      fc.asyncProperty(size, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (to, part) => {
        let calls = 0;
        let requested = 0;
        const index = Math.floor(part * to);
        await inclusionProof(index, to, async (nodes) => {
          calls += 1;
          requested = nodes.length;
          for (const node of nodes) expect((node.index + 1) * 2 ** node.level).toBeLessThanOrEqual(to);
          return nodes.map(() => EMPTY_ROOT);
        });
        expect(calls).toBe(to === 1 ? 0 : 1);
        expect(requested).toBeLessThanOrEqual(105);
      }),
      { verbose: true },
    );
  });

  it('refuse sizes and positions that no tree has, and answers with too few hashes', async () => {
    const nodes = naiveNodes(8);
    await expect(inclusionProof(8, 8, nodes)).rejects.toThrow('entry index 8 is not below the tree size 8');
    await expect(inclusionProof(-1, 8, nodes)).rejects.toThrow('entry index -1');
    await expect(inclusionProof(0, 2 ** 53, nodes)).rejects.toThrow('tree size 9007199254740992');
    await expect(consistencyProof(9, 8, nodes)).rejects.toThrow(
      'the earlier tree size 9 is larger than the later one, 8',
    );
    await expect(consistencyProof(0.5, 8, nodes)).rejects.toThrow('earlier tree size 0.5');
    await expect(rootOf(Number.NaN, nodes)).rejects.toThrow('tree size NaN');
    await expect(rootOf(7, async () => [EMPTY_ROOT])).rejects.toThrow('3 stored hashes were requested, and 1 returned');
    await expect(rootOf(8, async () => [bytes('short')])).rejects.toThrow('a hash has 32 bytes, not 5');
    expect(await rootOf(0, nodes)).toEqual(EMPTY_ROOT);
  });

  it('hash complete subtrees only', () => {
    expect(subtreeHash(LEAVES.slice(0, 4))).toEqual(NAIVE.mth(0, 4));
    expect(() => subtreeHash(LEAVES.slice(0, 6))).toThrow('6 is not a power of two');
  });
});
