import * as z from 'zod';

/** The only argument of a child process, as JSON. */
export const childParts = z.object({
  dataDir: z.string(),
  text: z.string(),
  waitMs: z.number(),
  /** Runs until it is killed, like `rollcall serve`. */
  serves: z.boolean().default(false),
  time: z.object({ start: z.number(), speed: z.number(), origin: z.number() }),
});
export type ChildParts = z.infer<typeof childParts>;
