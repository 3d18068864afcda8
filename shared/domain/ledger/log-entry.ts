import type { ChainHead } from './entry.ts';

/** The first line, so that a later format can be told from this one. */
const FORMAT = 'rollcall-entry/v1';

/**
 * What the transparency log contains of an entry: format, chain, number and hash, a line each, in UTF-8. The hash covers the entry, so an auditor computes
 * these bytes from the entry itself; `leafHash` of them is its leaf in the tree. Retention removes entries, and never these bytes.
 */
export function logEntry(chain: string, { seq, hash }: ChainHead): Uint8Array {
  return new TextEncoder().encode(`${FORMAT}\n${chain}\n${seq}\n${hash}\n`);
}
