import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_ROOT, equalBytes, type Hash } from '../../../../shared/domain/transparency/hash.ts';
import { verifyConsistency, verifyInclusion } from '../../../../shared/domain/transparency/verify-proof.ts';
import { bytes, LARGEST, LEAVES, NAIVE, naiveHead } from './samples.ts';

const leafAt = (index: number): Hash => LEAVES[index] ?? EMPTY_ROOT;

function inclusionOf(index: number, size: number) {
  return { leaf: leafAt(index), index, path: NAIVE.path(index, 0, size) };
}

/** One change to a list of hashes that leaves it different. */
const anyMutation = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), byte: fc.nat(31), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), hash: fc.constantFrom(...LEAVES) }),
  fc.record({ kind: fc.constant('repeat' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('swap' as const), at: fc.nat(), other: fc.nat() }),
);
type Mutation = typeof anyMutation extends fc.Arbitrary<infer T> ? T : never;

function mutated(path: readonly Hash[], mutation: Mutation): readonly Hash[] {
  const at = mutation.at % Math.max(1, path.length);
  const here = path[at] ?? EMPTY_ROOT;
  switch (mutation.kind) {
    case 'flip':
      return path.with(at, here.with(mutation.byte, (here[mutation.byte] ?? 0) ^ (1 << mutation.bit)));
    case 'remove':
      return path.toSpliced(at, 1);
    case 'insert':
      return path.toSpliced(mutation.at % (path.length + 1), 0, mutation.hash);
    case 'repeat':
      return path.toSpliced(at, 0, here);
    case 'swap': {
      const other = mutation.other % path.length;
      return path.with(at, path[other] ?? here).with(other, here);
    }
  }
}

const same = (one: readonly Hash[], other: readonly Hash[]): boolean =>
  one.length === other.length && one.every((hash, at) => equalBytes(hash, other[at] ?? new Uint8Array()));

/** An assertion of Vitest for each of 8,515 proofs would take longer than the proofs. */
function outcome(verification: () => void): string {
  try {
    verification();
    return 'accepted';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

const anySize = fc.integer({ min: 2, max: LARGEST });
const anyPart = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('an inclusion proof', () => {
  it(`of the naive tree is accepted for every entry of every size up to ${LARGEST}, and for no other position or size`, () => {
    const wrong: string[] = [];
    for (let size = 1; size <= LARGEST; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const proof = inclusionOf(index, size);
        const head = naiveHead(size);
        const outcomes = [
          outcome(() => verifyInclusion(proof, head)) === 'accepted',
          outcome(() => verifyInclusion({ ...proof, index: (index + 1) % (size + 1) }, head)) === 'UnprovenError',
          outcome(() => verifyInclusion({ ...proof, leaf: leafAt((index + 1) % LARGEST) }, head)) === 'UnprovenError',
          outcome(() => verifyInclusion(proof, naiveHead(size === LARGEST ? 1 : size + 1))) === 'UnprovenError',
        ];
        if (outcomes.includes(false)) wrong.push(`entry ${index} of ${size}: ${outcomes}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('is refused after any change', () => {
    fc.assert(
      fc.property(anySize, anyPart, anyMutation, (size, part, mutation) => {
        const proof = inclusionOf(Math.floor(part * size), size);
        const path = mutated(proof.path, mutation);
        fc.pre(!same(path, proof.path));
        expect(() => verifyInclusion({ ...proof, path }, naiveHead(size))).toThrow('inclusion proof');
      }),
      { verbose: true, numRuns: 1_000 },
    );
  });

  it('says why it is refused', () => {
    const [proof, head] = [inclusionOf(3, 7), naiveHead(7)];
    const refused =
      (change: Partial<typeof proof>): (() => void) =>
      () =>
        verifyInclusion({ ...proof, ...change }, head);
    expect(refused({ path: proof.path.slice(1) })).toThrow('it has fewer hashes than trees of this size need');
    expect(refused({ path: [...proof.path, EMPTY_ROOT] })).toThrow('it has more hashes than trees of this size need');
    expect(refused({ index: 2 })).toThrow('it does not lead to the root of the tree');
    expect(refused({ index: 7 })).toThrow('entry index 7 is not below the tree size 7');
    expect(refused({ index: 1.5 })).toThrow('entry index 1.5');
    expect(refused({ leaf: bytes('entry') })).toThrow('leaf hash: a hash has 32 bytes, not 5');
    expect(refused({ path: [...proof.path.slice(1), bytes('x')] })).toThrow('a hash has 32 bytes, not 1');
    expect(() => verifyInclusion(proof, { size: 7, root: bytes('') })).toThrow('a hash has 32 bytes, not 0');
    expect(() => verifyInclusion({ leaf: EMPTY_ROOT, index: 0, path: [] }, { size: 0, root: EMPTY_ROOT })).toThrow(
      'not below the tree size 0',
    );
  });

  it('holds in trees that are larger than 32-bit numbers count', () => {
    // The last entry of a tree of 2^40 + 1 entries has one sibling: the subtree of all the others.
    const [leaf, others] = [leafAt(0), leafAt(1)];
    const root = NAIVE.mth(0, 2);
    const swapped = { leaf: others, index: 2 ** 40, path: [leaf] };
    expect(() => verifyInclusion(swapped, { size: 2 ** 40 + 1, root })).not.toThrow();
    expect(() => verifyInclusion(swapped, { size: 2 ** 40 + 2, root })).toThrow('fewer hashes');
  });
});

describe('a consistency proof', () => {
  it(`of the naive tree is accepted for every pair of sizes up to ${LARGEST}, and for no other size`, () => {
    const wrong: string[] = [];
    for (let to = 1; to <= LARGEST; to += 1) {
      for (let from = 1; from <= to; from += 1) {
        const path = NAIVE.proof(from, to);
        const [earlier, later] = [naiveHead(from), naiveHead(to)];
        const outcomes = [
          outcome(() => verifyConsistency(earlier, later, path)) === 'accepted',
          outcome(() => verifyConsistency(naiveHead(from - 1), later, [...path, earlier.root])) === 'UnprovenError',
          outcome(() => verifyConsistency({ ...earlier, root: EMPTY_ROOT }, later, path)) === 'UnprovenError',
          outcome(() => verifyConsistency(earlier, { ...later, root: EMPTY_ROOT }, path)) === 'UnprovenError',
          from === to || outcome(() => verifyConsistency(naiveHead(from + 1), later, path)) === 'UnprovenError',
          from === to || outcome(() => verifyConsistency(later, earlier, path)) === 'UnprovenError',
        ];
        if (outcomes.includes(false)) wrong.push(`from ${from} to ${to}: ${outcomes}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('is refused after any change', () => {
    fc.assert(
      fc.property(anySize, anyPart, anyMutation, (to, part, mutation) => {
        const from = 1 + Math.floor(part * (to - 1));
        const proof = NAIVE.proof(from, to);
        const path = mutated(proof, mutation);
        fc.pre(!same(path, proof));
        expect(() => verifyConsistency(naiveHead(from), naiveHead(to), path)).toThrow('consistency proof');
      }),
      { verbose: true, numRuns: 1_000 },
    );
  });

  it('is empty from the empty tree, and between two equal trees', () => {
    expect(() => verifyConsistency(naiveHead(0), naiveHead(7), [])).not.toThrow();
    expect(() => verifyConsistency(naiveHead(0), naiveHead(0), [])).not.toThrow();
    expect(() => verifyConsistency(naiveHead(7), naiveHead(7), [])).not.toThrow();
    expect(() => verifyConsistency(naiveHead(7), naiveHead(7), [EMPTY_ROOT])).toThrow('it has more hashes than');
    expect(() => verifyConsistency(naiveHead(0), naiveHead(7), [EMPTY_ROOT])).toThrow('it has more hashes than');
    expect(() => verifyConsistency(naiveHead(3), naiveHead(7), [])).toThrow('it has fewer hashes than');
  });

  it('says why it is refused', () => {
    expect(() => verifyConsistency(naiveHead(8), naiveHead(7), [])).toThrow(
      'the earlier tree has 8 entries, and the later one only 7',
    );
    expect(() => verifyConsistency(naiveHead(7), { size: 7, root: EMPTY_ROOT }, [])).toThrow(
      'two trees of size 7 have different roots',
    );
    expect(() => verifyConsistency({ size: 0, root: leafAt(0) }, naiveHead(7), [])).toThrow(
      'an empty tree has the hash of the empty string',
    );
    expect(() => verifyConsistency({ size: 3, root: bytes('x') }, naiveHead(7), [])).toThrow(
      'earlier tree: a hash has 32 bytes, not 1',
    );
    expect(() => verifyConsistency(naiveHead(3), naiveHead(7), [bytes('x')])).toThrow('a hash has 32 bytes, not 1');
  });
});
