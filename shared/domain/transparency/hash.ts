import { sha256, writeSha256 } from '../crypto.ts';
import { MalformedError } from './errors.ts';

/** A SHA-256 hash: 32 bytes. */
export type Hash = Uint8Array;

export const HASH_BYTES = 32;

const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

/** Reused for every inner node: verification hashes millions of them. */
const nodeInput = new Uint8Array(1 + 2 * HASH_BYTES);
nodeInput[0] = NODE_PREFIX;

/** The hash of an entry (RFC 6962 and RFC 9162, section 2.1.1). */
export function leafHash(entry: Uint8Array): Hash {
  const input = new Uint8Array(1 + entry.length);
  input[0] = LEAF_PREFIX;
  input.set(entry, 1);
  return sha256(input);
}

/** The hash of an inner node (RFC 6962 and RFC 9162, section 2.1.1). Its first byte differs from a leaf's, so neither can pass for the other. */
export function nodeHash(left: Hash, right: Hash): Hash {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES)
    throw notAHash(left.length === HASH_BYTES ? right : left);
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return sha256(nodeInput);
}

/**
 * The hash of a complete subtree from all its hashes of one level, stored one after another. Overwrites `hashes`: level by level, the hash of each inner
 * node replaces the pair of hashes below it, so no level allocates memory.
 * @throws RangeError unless the number of hashes is a power of two
 */
export function foldSubtree(hashes: Uint8Array): Hash {
  const count = hashes.length / HASH_BYTES;
  if (count < 1 || !Number.isInteger(Math.log2(count))) throw new RangeError(`${count} is not a power of two`);
  for (let nodes = count / 2; nodes >= 1; nodes /= 2) {
    for (let node = 0; node < nodes; node += 1) {
      const pair = node * 2 * HASH_BYTES;
      for (let at = 0; at < 2 * HASH_BYTES; at += 1) nodeInput[1 + at] = hashes[pair + at] ?? 0;
      writeSha256(nodeInput, hashes, node * HASH_BYTES);
    }
  }
  return hashes.slice(0, HASH_BYTES);
}

/** The root of a tree without entries: the hash of the empty string (RFC 6962 and RFC 9162, section 2.1.1). */
export const EMPTY_ROOT: Hash = sha256(new Uint8Array());

export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** @throws MalformedError unless `value` has the length of a hash */
export function checkHash(value: Uint8Array, where: string): Hash {
  if (value.length !== HASH_BYTES) throw notAHash(value, where);
  return value;
}

function notAHash({ length }: Uint8Array, where = 'Merkle tree'): MalformedError {
  return new MalformedError(where, `a hash has ${HASH_BYTES} bytes, not ${length}`);
}
