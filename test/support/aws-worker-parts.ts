import * as z from 'zod';

/** The only argument of a worker process, as JSON. */
export const awsWorkerParts = z.object({
  policyText: z.string(),
  /** How far its clock is ahead of the others', ms. */
  aheadMs: z.number().default(0),
});
export type AwsWorkerParts = z.input<typeof awsWorkerParts>;

/** Seconds instead of minutes, so that a test need not wait. Long enough that a claim does not expire during its work on a busy machine. */
export const SHORT_TIMES = { visibilityMs: 8_000, claimMs: 6_000, leaseMs: 6_000, retryBudgetMs: 5_000 };
