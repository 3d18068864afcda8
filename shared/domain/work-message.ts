import * as z from 'zod';
import { BATCH_OPERATIONS, ENROLLMENT_IDS, ORGANIZATION_WIDE } from './enrollment/kinds/index.ts';

const accountId = z.string().regex(/^\d{12}$/);

const common = {
  /** Raised when the shape changes; a worker rejects an unknown version. */
  v: z.literal(1),
  policyHash: z.string(),
  runId: z.string(),
  /** The hash of the saved plan whose changes are the only ones that the run may make; `null`: no such restriction. */
  planHash: z.string().nullable(),
};

/**
 * What a worker should reconcile, not what it should do: the worker reads the live state and decides itself. `batch`: accounts
 * that one call of the operation may cover. `configurations`: the calls for organization enrollment
 * configurations. `organization`: one call for all members, for one kind.
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
  z.strictObject({ ...common, kind: z.literal('configurations') }),
  z.strictObject({
    ...common,
    kind: z.literal('organization'),
    /** Version 0.1.0 did not write it, because only the first of these kinds existed. */
    enrollment: z.enum(ORGANIZATION_WIDE).default(() => firstOf(ORGANIZATION_WIDE)),
  }),
]);

function firstOf<T>([first]: readonly T[]): T {
  if (first === undefined) throw new Error('unreachable: a kind of the first release has an organization-wide call');
  return first;
}

export type WorkMessage = z.infer<typeof workMessageSchema>;
