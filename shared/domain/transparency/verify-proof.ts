import { MalformedError, UnprovenError } from './errors.ts';
import { checkHash, EMPTY_ROOT, equalBytes, type Hash, nodeHash } from './hash.ts';
import { checkSize } from './tree.ts';

/** The size of a tree and its root. */
export interface TreeHead {
  readonly size: number;
  readonly root: Hash;
}

interface Inclusion {
  /** The hash of the entry, `leafHash(entry)`. */
  readonly leaf: Hash;
  readonly index: number;
  readonly path: readonly Hash[];
}

/**
 * Verifies that the tree has the entry at its index (RFC 9162, section 2.1.3.2).
 * @throws UnprovenError if the proof does not lead from the leaf to the root
 * @throws MalformedError or RangeError if a number or hash is not valid
 */
export function verifyInclusion({ leaf, index, path }: Inclusion, head: TreeHead): void {
  checkHead(head, 'inclusion proof');
  checkSize(index, 'entry index');
  if (index >= head.size)
    throw new UnprovenError(`inclusion proof: entry index ${index} is not below the tree size ${head.size}`);
  let [node, last] = [index, head.size - 1];
  let hash = checkHash(leaf, 'leaf hash');
  for (const sibling of path) {
    if (last === 0) throw tooLong('inclusion proof');
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      [node, last] = skipLevels(node, last);
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw tooShort('inclusion proof');
  if (!equalBytes(hash, head.root))
    throw new UnprovenError('inclusion proof: it does not lead to the root of the tree');
}

/**
 * Verifies that the later tree begins with all entries of the earlier one, unchanged and in the same order (RFC 9162, section 2.1.4.2). Every tree is
 * consistent with the empty tree.
 * @throws UnprovenError if the proof does not lead to both roots
 * @throws MalformedError or RangeError if a number or hash is not valid
 */
export function verifyConsistency(from: TreeHead, to: TreeHead, path: readonly Hash[]): void {
  checkHead(from, 'consistency proof, earlier tree');
  checkHead(to, 'consistency proof, later tree');
  if (from.size > to.size) {
    throw new UnprovenError(
      `consistency proof: the earlier tree has ${from.size} entries, and the later one only ${to.size}`,
    );
  }
  if (from.size === 0 || from.size === to.size) {
    if (path.length > 0) throw tooLong('consistency proof');
    if (from.size === to.size && !equalBytes(from.root, to.root)) {
      throw new UnprovenError(`consistency proof: two trees of size ${to.size} have different roots`);
    }
    return;
  }
  if (path.length === 0) throw tooShort('consistency proof');
  const [earlier, later] = rootsFrom(from, to, path);
  if (!equalBytes(earlier, from.root))
    throw new UnprovenError('consistency proof: it does not lead to the root of the earlier tree');
  if (!equalBytes(later, to.root))
    throw new UnprovenError('consistency proof: it does not lead to the root of the later tree');
}

/** The roots of both trees, as the path has them; `from.size` is above 0 and below `to.size`. */
function rootsFrom(from: TreeHead, to: TreeHead, path: readonly Hash[]): readonly [earlier: Hash, later: Hash] {
  let [node, last] = [from.size - 1, to.size - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  // A complete subtree as the earlier tree is its own first hash, so the path leaves it out.
  const [first = from.root, ...rest] = node === 0 ? [from.root, ...path] : path;
  let [earlier, later] = [checkHash(first, 'consistency proof'), first];
  for (const sibling of rest) {
    if (last === 0) throw tooLong('consistency proof');
    if (node % 2 === 1 || node === last) {
      earlier = nodeHash(sibling, earlier);
      later = nodeHash(sibling, later);
      [node, last] = skipLevels(node, last);
    } else {
      later = nodeHash(later, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw tooShort('consistency proof');
  return [earlier, later];
}

/** At the right edge a node has no sibling until its index is odd, so the levels before that are skipped. */
function skipLevels(node: number, last: number): [node: number, last: number] {
  let [at, end] = [node, last];
  while (at % 2 === 0 && at !== 0) [at, end] = [half(at), half(end)];
  return [at, end];
}

/** Sizes reach 2^53, where the shift operators of JavaScript end at 2^32. */
function half(value: number): number {
  return Math.floor(value / 2);
}

/** Only one root is right for the empty tree (RFC 9162, section 2.1.1). */
export function checkHead({ size, root }: TreeHead, where: string): void {
  checkSize(size, 'tree size');
  checkHash(root, where);
  if (size === 0 && !equalBytes(root, EMPTY_ROOT))
    throw new MalformedError(where, 'an empty tree has the hash of the empty string as its root');
}

function tooLong(proof: string): UnprovenError {
  return new UnprovenError(`${proof}: it has more hashes than trees of this size need`);
}

function tooShort(proof: string): UnprovenError {
  return new UnprovenError(`${proof}: it has fewer hashes than trees of this size need`);
}
