import { type CheckpointTrust, checkpointInNote, type OpenedCheckpoint, openCheckpoint } from './checkpoint.ts';
import { fromBase64, fromDecimal, fromUtf8, quote, toBase64 } from './encoding.ts';
import { MalformedError } from './errors.ts';
import { checkHash, type Hash } from './hash.ts';
import { checkSize } from './tree.ts';
import { verifyInclusion } from './verify-proof.ts';

/*
 * C2SP tlog-proof, "Format":
 *
 *   c2sp.org/tlog-proof@v1
 *   extra Base64            (if there is extra data)
 *   index N
 *   Base64(hash)            (for each hash of the inclusion proof, from the leaf's sibling on)
 *   (empty line)
 *   signed checkpoint
 */

const FORMAT = 'proof';
const HEADER = 'c2sp.org/tlog-proof@v1';
const EXTRA = 'extra ';
const INDEX = 'index ';

/** A proof that a log has an entry, which can be verified offline. */
export interface TlogProof {
  readonly index: number;
  /** From the leaf's sibling on. */
  readonly path: readonly Hash[];
  /** The checkpoint's signed note, as the log published it. */
  readonly checkpoint: string;
  /** Not covered by any signature; `null`: the proof has none. */
  readonly extra: Uint8Array | null;
}

/** @throws MalformedError or RangeError if a part is not valid */
export function writeProof({ index, path, checkpoint, extra }: TlogProof): string {
  checkSize(index, 'entry index');
  checkpointInNote(checkpoint);
  const lines = [
    HEADER,
    ...(extra === null ? [] : [`${EXTRA}${toBase64(extra)}`]),
    `${INDEX}${index}`,
    ...path.map((hash) => toBase64(checkHash(hash, FORMAT))),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/**
 * Reads a proof without verifying it.
 * @throws MalformedError if it is not a proof, or its checkpoint is not a signed checkpoint
 */
export function parseProof(proof: string | Uint8Array): TlogProof {
  const text = typeof proof === 'string' ? proof : fromUtf8(proof, FORMAT);
  const end = text.indexOf('\n\n');
  if (end === -1) throw new MalformedError(FORMAT, 'there is no empty line before a checkpoint');
  const [header = '', ...lines] = text.slice(0, end).split('\n');
  if (header !== HEADER) throw new MalformedError(`${FORMAT}, line 1`, `it is not ${quote(HEADER)}: ${quote(header)}`);
  const extra =
    lines[0]?.startsWith(EXTRA) === true ? fromBase64(lines[0].slice(EXTRA.length), `${FORMAT}, line 2`) : null;
  const [index = '', ...hashes] = extra === null ? lines : lines.slice(1);
  const indexLine = extra === null ? 2 : 3;
  if (!index.startsWith(INDEX))
    throw new MalformedError(`${FORMAT}, line ${indexLine}`, `it is not "index" and a number: ${quote(index)}`);
  const checkpoint = text.slice(end + 2);
  checkpointInNote(checkpoint);
  return {
    index: fromDecimal(index.slice(INDEX.length), `${FORMAT}, line ${indexLine}`),
    path: hashes.map((hash, at) => {
      const where = `${FORMAT}, line ${indexLine + 1 + at}`;
      return checkHash(fromBase64(hash, where), where);
    }),
    checkpoint,
    extra,
  };
}

/**
 * Verifies that the log has the entry ("Verifying a tlog proof" of the specification).
 * @param leaf the hash of the entry, `leafHash(entry)`, which the caller computes from the entry itself
 * @returns the checkpoint that covers the entry
 * @throws UnprovenError if a signature or the inclusion proof fails
 */
export function verifyProof(
  { index, path, checkpoint }: TlogProof,
  leaf: Hash,
  trust: CheckpointTrust,
): OpenedCheckpoint {
  const opened = openCheckpoint(checkpoint, trust);
  verifyInclusion({ leaf, index, path }, opened);
  return opened;
}
