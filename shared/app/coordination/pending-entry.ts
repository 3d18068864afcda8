import * as z from 'zod';
import { ENTRY_TYPES } from '../../domain/ledger/entry-types.ts';

/**
 * An entry of the organization's chain that may not be in the audit log yet. It records the change of a register and is stored in the same write as that
 * change, so no entry is lost if the process ends before it appends the entry (`ledger/pending-entries`).
 */
const pendingEntrySchema = z.object({
  id: z.string(),
  /** ISO 8601. */
  at: z.string(),
  type: z.enum(ENTRY_TYPES),
  runId: z.string().nullable(),
  actor: z.string(),
  reason: z.string().nullable(),
  policyHash: z.string().nullable(),
  detail: z.object({
    message: z.string(),
    planHash: z.string().exactOptional(),
    summary: z.record(z.string(), z.unknown()).exactOptional(),
    policy: z.object({ file: z.string(), text: z.string() }).exactOptional(),
  }),
  /** The end of the chain that the entry is to follow. */
  after: z.object({ seq: z.number(), hash: z.string() }),
});
export type PendingEntry = z.infer<typeof pendingEntrySchema>;

/** For the schema of a register. Older versions did not store the entry. */
export const unrecordedSchema = pendingEntrySchema.nullable().default(null);
