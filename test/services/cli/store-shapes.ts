import * as z from 'zod';

import { time } from './shape-parts.ts';

const deadLetter = z.strictObject({
  id: z.string(),
  message: z.looseObject({ kind: z.string() }).nullable(),
  body: z.string(),
  reason: z.strictObject({ code: z.string(), message: z.string(), entryId: z.string().nullable() }),
  at: time,
});

export const deadLetterShape = deadLetter;

export const deadLettersShape = z.strictObject({ deadLetters: z.array(deadLetter) });

export const redriveShape = z.strictObject({ redriven: z.array(z.string()), left: z.array(z.string()) });

export const backupShape = z.strictObject({ file: z.string(), dataDir: z.string() });

export const restoreShape = z.strictObject({
  restored: z.string(),
  from: z.string(),
  kept: z.string().nullable(),
  halted: z.literal(true),
  merged: z.boolean(),
  lost: z
    .strictObject({
      entries: z.int(),
      runs: z.int(),
      runIds: z.array(z.string()),
      from: z.string().nullable(),
      to: z.string().nullable(),
    })
    .nullable(),
  stillInForce: z.strictObject({
    suspensions: z.array(z.string()),
    contested: z.int(),
    changed: z.int(),
    optedOut: z.int(),
    underWay: z.int(),
  }),
  approvalsEnded: z.int(),
  unreadable: z.array(z.string()),
});
