import * as z from 'zod';
import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import type { Stores } from '../../context.ts';
import { logReader } from '../../transparency/log-reader.ts';
import { checkpointSchema, type ShownCheckpoint, shownCheckpoint } from './checkpoint.ts';

/** The shape of `audit proof --json` and `/api/audit/proof/{id}`, beside the entry. */
export const proofSchema = z.object({
  /** The index of the entry in the transparency log, from 0. */
  index: z.int(),
  /** The proof as text (C2SP tlog-proof), with the signed checkpoint. */
  proof: z.string(),
  /** The checkpoint of the proof. */
  checkpoint: checkpointSchema,
});

/** Where the transparency log has an entry. */
export const logPlaceSchema = z.object({
  index: z.int().nullable().describe('Index of the entry in the transparency log, from 0; null: not in it yet'),
  covered: z.boolean().describe('Whether the newest signed checkpoint covers the entry, so that it can be proved'),
});

/** @returns the shape of {@link logPlaceSchema} */
export async function logPlace(
  stores: Pick<Stores, 'ledger' | 'registers'>,
  { chain, seq }: Pick<LedgerEntry, 'chain' | 'seq'>,
): Promise<z.infer<typeof logPlaceSchema>> {
  const reader = logReader(stores);
  const [index, newest] = await Promise.all([reader.indexOf(chain, seq), reader.newestCheckpoint()]);
  return { index, covered: index !== null && newest !== null && index < newest.size };
}

export interface EntryProof {
  readonly entry: LedgerEntry;
  readonly index: number;
  readonly proof: string;
  readonly checkpoint: ShownCheckpoint;
}

/**
 * The proof that the newest checkpoint of the present log covers the entry.
 * @throws NotYetProvableError if no checkpoint covers the entry
 * @throws UnprovenError if the log has another entry in its place
 */
export async function entryProof(
  stores: Pick<Stores, 'ledger' | 'registers'>,
  entry: LedgerEntry,
): Promise<EntryProof> {
  const { proof, index, checkpoint } = await logReader(stores).proofOf(entry);
  return { entry, index, proof, checkpoint: shownCheckpoint(checkpoint) };
}
