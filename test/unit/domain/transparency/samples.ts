import { type Hash, leafHash } from '../../../../shared/domain/transparency/hash.ts';
import type { NodeSource } from '../../../../shared/domain/transparency/tree.ts';
import { NaiveTree } from './naive-tree.ts';

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

export function toHex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex');
}

export const LARGEST = 130;

const ENTRIES = Array.from({ length: LARGEST }, (_, index) => bytes(`entry ${index}`));
export const LEAVES = ENTRIES.map(leafHash);
export const NAIVE = new NaiveTree(ENTRIES);

export function naiveHead(size: number) {
  return { size, root: NAIVE.mth(0, size) };
}

/** Stored hashes of complete subtrees, from the naive implementation. It refuses subtrees that end after the tree. */
export function naiveNodes(size: number): NodeSource {
  return async (nodes) =>
    nodes.map(({ level, index }): Hash => {
      const width = 2 ** level;
      if ((index + 1) * width > size) throw new Error(`subtree ${index} at level ${level} is not complete`);
      return NAIVE.mth(index * width, (index + 1) * width);
    });
}
