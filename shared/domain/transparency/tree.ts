import { MalformedError } from './errors.ts';
import { checkHash, EMPTY_ROOT, foldSubtree, HASH_BYTES, type Hash, nodeHash } from './hash.ts';

/** A complete subtree: the hash over the entries from `index` × 2^`level` on, 2^`level` of them. Level 0 are the leaf hashes. */
export interface NodeId {
  readonly level: number;
  readonly index: number;
}

/**
 * Returns the stored hashes of complete subtrees, in the order in which they are requested. Each root or proof calls it once, so that a store can read
 * all of them in one request.
 */
export type NodeSource = (nodes: readonly NodeId[]) => Promise<readonly Hash[]>;

/** Entries from `start` on and before `end`, of which RFC 6962 defines a hash. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** The root of the first `size` entries (RFC 9162, section 2.1.1). */
export async function rootOf(size: number, source: NodeSource): Promise<Hash> {
  checkSize(size, 'tree size');
  if (size === 0) return EMPTY_ROOT;
  const [root = EMPTY_ROOT] = await hashesOf([{ start: 0, end: size }], source);
  return root;
}

/**
 * The hashes that lead from entry `index` to the root of the first `size` entries, beginning with the leaf's sibling (RFC 9162, section 2.1.3.1).
 * @throws RangeError if the tree has no such entry
 */
export async function inclusionProof(index: number, size: number, source: NodeSource): Promise<readonly Hash[]> {
  checkSize(size, 'tree size');
  checkSize(index, 'entry index');
  if (index >= size) throw new RangeError(`entry index ${index} is not below the tree size ${size}`);
  return hashesOf(siblings(index, size), source);
}

/**
 * The hashes that prove that the first `from` entries of a tree of `to` entries have not changed (RFC 9162, section 2.1.4.1). It is empty if `from` is
 * 0 or equal to `to`.
 * @throws RangeError if `from` is larger than `to`
 */
export async function consistencyProof(from: number, to: number, source: NodeSource): Promise<readonly Hash[]> {
  checkSize(from, 'earlier tree size');
  checkSize(to, 'later tree size');
  if (from > to) throw new RangeError(`the earlier tree size ${from} is larger than the later one, ${to}`);
  if (from === 0 || from === to) return [];
  return hashesOf(consistencyRanges(from, to), source);
}

/** The complete subtrees that together have the entries of the range, from left to right. */
export function subtreesOf(start: number, end: number): readonly NodeId[] {
  const found: NodeId[] = [];
  for (let at = start; at < end; ) {
    const { level, width } = largestPower(end - at);
    found.push({ level, index: at / width });
    at += width;
  }
  return found;
}

/** @throws RangeError unless `value` is 0 or a positive integer that a JavaScript number represents exactly */
export function checkSize(value: number, name: string): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${name} ${value} is not a whole number from 0 to 2^53 − 1`);
}

/** From the leaf upwards, the other half of each subtree that contains entry `index`. */
function siblings(index: number, size: number): readonly Range[] {
  const found: Range[] = [];
  for (let [start, end] = [0, size]; end - start > 1; ) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      found.push({ start: middle, end });
      end = middle;
    } else {
      found.push({ start, end: middle });
      start = middle;
    }
  }
  return found.reverse();
}

/** The subtrees of SUBPROOF (RFC 9162, section 2.1.4.1), from the last one that it visits upwards. */
function consistencyRanges(from: number, to: number): readonly Range[] {
  const found: Range[] = [];
  let [start, end] = [0, to];
  while (from !== end) {
    const middle = start + splitOf(end - start);
    if (from <= middle) {
      found.push({ start: middle, end });
      end = middle;
    } else {
      found.push({ start, end: middle });
      start = middle;
    }
  }
  // A subtree that begins with the first entry is the whole earlier tree, whose root the verifier already has.
  if (start > 0) found.push({ start, end });
  return found.reverse();
}

/** Reads the complete subtrees of all ranges in one request, and hashes those of each range together. */
async function hashesOf(ranges: readonly Range[], source: NodeSource): Promise<readonly Hash[]> {
  const parts = ranges.map(({ start, end }) => subtreesOf(start, end));
  const nodes = parts.flat();
  if (nodes.length === 0) return [];
  const hashes = await source(nodes);
  if (hashes.length !== nodes.length) {
    throw new MalformedError(
      'Merkle tree',
      `${nodes.length} stored hashes were requested, and ${hashes.length} returned`,
    );
  }
  let at = 0;
  return parts.map(({ length }) => {
    at += length;
    return joined(hashes.slice(at - length, at));
  });
}

/** The hash over adjacent complete subtrees, each smaller than the one before it. */
export function joined(subtrees: readonly Hash[]): Hash {
  const last = subtrees.at(-1);
  if (last === undefined) return EMPTY_ROOT;
  return subtrees.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), checkHash(last, 'Merkle tree'));
}

/** The hash of a complete subtree from those of all its subtrees of one level, a power of two of them. */
export function subtreeHash(hashes: readonly Hash[]): Hash {
  const level = new Uint8Array(hashes.length * HASH_BYTES);
  for (const [at, hash] of hashes.entries()) level.set(checkHash(hash, 'Merkle tree'), at * HASH_BYTES);
  return foldSubtree(level);
}

/** The largest power of two below `count`, at which RFC 6962 divides a tree; `count` is at least 2. */
function splitOf(count: number): number {
  const { width } = largestPower(count);
  return width === count ? width / 2 : width;
}

/** The largest power of two that is not above `count`. Doubling stays exact up to 2^53, where bit operators and logarithms do not. */
function largestPower(count: number): { readonly level: number; readonly width: number } {
  let [level, width] = [0, 1];
  while (width * 2 <= count) {
    level += 1;
    width *= 2;
  }
  return { level, width };
}
