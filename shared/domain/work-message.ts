import * as z from 'zod';
import { BATCH_OPERATIONS, ENROLLMENT_IDS } from './enrollment/kinds/index.ts';

const accountId = z.string().regex(/^\d{12}$/);

const common = {
  /** Raised when the shape changes; a worker rejects an unknown version. */
  v: z.literal(1),
  policyHash: z.string(),
  runId: z.string(),
  /** The stored plan to which the run is bound: only its changes may be made. `null`: not bound. */
  planHash: z.string().nullable(),
};

/**
 * A key on the queue: what to reconcile, never what to do. The worker reads the live state and decides again. A `batch` names accounts that one call of
 * its operation may cover; `organization` is the one organization-wide call.
 */
export const workMessageSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('account'),
    accountId,
    enrollment: z.enum(ENROLLMENT_IDS),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('batch'),
    operation: z.enum(BATCH_OPERATIONS),
    accountIds: z.array(accountId).min(1).max(50),
  }),
  z.strictObject({ ...common, kind: z.literal('organization') }),
]);
export type WorkMessage = z.infer<typeof workMessageSchema>;
