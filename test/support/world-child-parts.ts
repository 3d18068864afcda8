import * as z from 'zod';

/** What a child process is told; beside the environment, its one argument. */
export const childParts = z.object({
  dataDir: z.string(),
  text: z.string(),
  waitMs: z.number(),
  /** Goes on until it is killed, as `rollcall serve` does. */
  serves: z.boolean().default(false),
  time: z.object({ start: z.number(), speed: z.number(), origin: z.number() }),
});
export type ChildParts = z.infer<typeof childParts>;
