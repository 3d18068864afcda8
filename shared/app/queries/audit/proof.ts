import * as z from 'zod';
import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import { parseProof } from '../../../domain/transparency/tlog-proof.ts';
import type { Stores } from '../../context.ts';
import { logReader } from '../../transparency/log-reader.ts';
import { checkpointReport, checkpointSchema, type ShownCheckpoint } from './checkpoint.ts';

/** The shape of `audit proof --json` and `/api/audit/proof/{id}`, beside the entry. */
export const proofSchema = z.object({
  /** The position of the entry in the transparency log, from 0. */
  index: z.int(),
  /** The proof as text (C2SP tlog-proof), with the signed checkpoint. */
  proof: z.string(),
  /** The checkpoint that the proof is under. */
  checkpoint: checkpointSchema,
});

export interface EntryProof {
  readonly entry: LedgerEntry;
  readonly index: number;
  readonly proof: string;
  readonly checkpoint: ShownCheckpoint;
}

/**
 * The proof that the transparency log has the entry, under the newest checkpoint.
 * @throws NotYetProvableError if no checkpoint covers the entry
 * @throws UnprovenError if the log has another entry in its place
 */
export async function entryProof(
  stores: Pick<Stores, 'ledger' | 'registers'>,
  entry: LedgerEntry,
): Promise<EntryProof> {
  const proof = await logReader(stores).proofOf(entry);
  const { index, checkpoint: note } = parseProof(proof);
  const { checkpoint } = await checkpointReport(stores);
  // A newer one may have been published in between.
  if (checkpoint === null || checkpoint.note !== note) return entryProof(stores, entry);
  return { entry, index, proof, checkpoint };
}
