import { z } from 'zod';

/** What a worker process is told; beside the environment, its one argument. */
export const awsWorkerParts = z.object({
  policyText: z.string(),
  /** How far its clock is ahead of the others', ms. */
  aheadMs: z.number().default(0),
});
export type AwsWorkerParts = z.input<typeof awsWorkerParts>;
