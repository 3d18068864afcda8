import { sha256Hex } from '../canonical-hash.ts';
import type { ChainHead } from './entry.ts';

/** What a leaf is over: a chain's name and its end. A chain's name has no line break, so that no two ends give one text. */
export function leafHash(chain: string, { seq, hash }: ChainHead): string {
  return sha256Hex(`\u0000${chain}\n${seq}\n${hash}`);
}

/**
 * Root of the tree of RFC 6962 over leaves in their order: of each level two neighbours make one, an odd one at the end goes up as it is.
 * Leaves and inner nodes begin with different bytes, so that no list of leaves gives the root of another.
 * @returns the hash of nothing for no leaf.
 */
export function merkleRoot(leaves: readonly string[]): string {
  let level = leaves;
  while (level.length > 1) {
    const above: string[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const [left = '', right] = [level[at], level[at + 1]];
      above.push(right === undefined ? left : sha256Hex(`\u0001${left}${right}`));
    }
    level = above;
  }
  return level[0] ?? sha256Hex('');
}
