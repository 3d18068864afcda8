import { checkHash, type Hash, nodeHash } from './hash.ts';
import { checkSize, joined, type NodeId, subtreesOf } from './tree.ts';

export interface TreeNode extends NodeId {
  readonly hash: Hash;
}

/**
 * An append-only tree that remembers only the complete subtrees of its right edge, at most 53 hashes. Appending and the root need nothing else, so a
 * verifier can follow a log of any length.
 */
export class CompactTree {
  #size = 0;
  readonly #edge: Hash[] = [];

  /**
   * Continues an earlier tree.
   * @param edge the hashes of `subtreesOf(0, size)`
   */
  static at(size: number, edge: readonly Hash[]): CompactTree {
    checkSize(size, 'tree size');
    const expected = subtreesOf(0, size).length;
    if (edge.length !== expected) {
      throw new RangeError(`a tree of size ${size} has ${expected} complete subtrees at its edge, not ${edge.length}`);
    }
    const tree = new CompactTree();
    tree.#size = size;
    tree.#edge.push(...edge.map((hash) => checkHash(hash, 'edge of the tree')));
    return tree;
  }

  get size(): number {
    return this.#size;
  }

  /** The complete subtrees from left to right, which are also from largest to smallest. */
  get edge(): readonly Hash[] {
    return [...this.#edge];
  }

  /**
   * Appends one entry, or the 2^`level` entries of a complete subtree. Their number must divide the size.
   * @param hash the leaf hash of the entry, or the hash of the subtree
   * @returns the subtrees that are complete now and contain all that was appended, the smallest first
   */
  append(hash: Hash, level = 0): readonly TreeNode[] {
    const width = 2 ** level;
    checkSize(this.#size + width, 'tree size');
    if (this.#size % width !== 0) throw new RangeError(`no subtree of ${width} entries begins at entry ${this.#size}`);
    let node: TreeNode = { level, index: this.#size / width, hash: checkHash(hash, 'leaf hash') };
    const complete = [node];
    // As in a binary counter, each odd index completes the subtree one level above.
    while (node.index % 2 === 1) {
      const left = this.#edge.pop();
      if (left === undefined) break;
      node = { level: node.level + 1, index: (node.index - 1) / 2, hash: nodeHash(left, node.hash) };
      complete.push(node);
    }
    this.#edge.push(node.hash);
    this.#size += width;
    return complete;
  }

  root(): Hash {
    return joined(this.#edge);
  }
}
