import * as z from 'zod';

/**
 * What started a run.
 * - `schedule` the schedule of the policy
 * - `policy` a changed policy
 * - `event` an event of AWS, or many changes that became possible together
 * - `approval` an approved plan
 * - `scan`, `resume` an operator asked for a scan, or ended a halt or a dispute
 * - `apply` the command `apply`
 */
const TRIGGER_KINDS = ['schedule', 'policy', 'event', 'approval', 'scan', 'resume', 'apply'] as const;

export const runTriggerSchema = z.object({
  kind: z.enum(TRIGGER_KINDS),
  /** The operator who asked for it; `null`: nobody, or it is the actor of the run's entries. */
  actor: z.string().nullable(),
  /** One sentence for people. */
  reason: z.string().nullable(),
});
export type RunTrigger = Readonly<z.infer<typeof runTriggerSchema>>;

export const APPLIED: RunTrigger = { kind: 'apply', actor: null, reason: null };
