import * as z from 'zod';

/** What a worker process is told; beside the environment, its one argument. */
export const awsWorkerParts = z.object({
  policyText: z.string(),
  /** How far its clock is ahead of the others', ms. */
  aheadMs: z.number().default(0),
});
export type AwsWorkerParts = z.input<typeof awsWorkerParts>;

/** Instead of minutes, so that a test need not wait; long enough that on a busy machine a claim does not end under who holds it. */
export const SHORT_TIMES = { visibilityMs: 8_000, claimMs: 6_000, leaseMs: 6_000, retryBudgetMs: 5_000 };
