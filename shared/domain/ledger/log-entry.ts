import { MalformedError } from '../transparency/errors.ts';
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

/** @throws MalformedError for bytes that {@link logEntry} does not give */
export function parseLogEntry(bytes: Uint8Array): ChainHead & { readonly chain: string } {
  const [format, chain, seq, hash, end, ...more] = new TextDecoder().decode(bytes).split('\n');
  const valid = format === FORMAT && /^[1-9]\d*$/.test(seq ?? '') && /^[0-9a-f]{64}$/.test(hash ?? '') && end === '';
  if (!valid || chain === undefined || hash === undefined || more.length > 0) {
    throw new MalformedError('log entry', `it is not the four lines of a ${FORMAT}`);
  }
  return { chain, seq: Number(seq), hash };
}
