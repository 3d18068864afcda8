import { UnprovenError } from '../../domain/transparency/errors.ts';
import { equalBytes, type Hash } from '../../domain/transparency/hash.ts';
import { consistencyProof } from '../../domain/transparency/tree.ts';
import { type TreeHead, verifyConsistency } from '../../domain/transparency/verify-proof.ts';
import type { Registers } from '../../ports/registers.ts';
import { storedNodes } from './stored-tree.ts';

interface Extension {
  readonly earlier: TreeHead;
  readonly head: TreeHead;
  /** Names the earlier checkpoint in messages. */
  readonly name: string;
}

/**
 * Proves that the log only adds entries to an earlier checkpoint.
 * @throws UnprovenError if it is shorter, or has other entries
 */
export async function extensionProof(
  registers: Pick<Registers, 'read'>,
  { earlier, head, name }: Extension,
): Promise<readonly Hash[]> {
  if (earlier.size > head.size) {
    const missing = earlier.size - head.size;
    throw new UnprovenError(
      `${name} covers ${earlier.size} entries, and the log has only ${head.size}: ${missing} ${missing === 1 ? 'entry is' : 'entries are'} missing`,
    );
  }
  const path = await consistencyProof(earlier.size, head.size, storedNodes(registers, head.size));
  try {
    verifyConsistency(earlier, head, path);
  } catch (error) {
    if (!(error instanceof UnprovenError)) throw error;
    throw new UnprovenError(
      `${name} covers ${earlier.size} entries, and the log has other entries there: it was rewritten`,
    );
  }
  return path;
}

/** Whether both are the same state of a log. */
export function sameHead(one: TreeHead, other: TreeHead): boolean {
  return one.size === other.size && equalBytes(one.root, other.root);
}
