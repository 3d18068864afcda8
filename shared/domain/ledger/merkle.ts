import { sha256Hex } from '../canonical-hash.ts';
import type { ChainHead } from './entry.ts';

/** The leaf for the end of a chain. Chain names contain no line break, so different ends never give the same hashed text. */
export function leafHash(chain: string, { seq, hash }: ChainHead): string {
  return sha256Hex(`\u0000${chain}\n${seq}\n${hash}`);
}

/**
 * The root of an RFC 6962 tree over the leaves in their order; the hash of the empty text if there are none.
 * The texts of leaves and inner nodes begin with different bytes, so an inner node cannot pass for a leaf.
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
