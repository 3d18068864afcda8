import { z } from 'zod';
import { entryType, ledgerEntry, list, textOrNull, time } from './common.ts';

export const auditAnswer = z.object({
  entries: list(ledgerEntry),
  next: textOrNull.describe('Cursor of the next page'),
});

const neighbour = z.object({ id: z.string(), seq: z.number(), type: entryType, at: time });

export const shownEntry = z.object({
  entry: ledgerEntry,
  verification: z.object({
    ok: z.boolean(),
    previous: neighbour.nullable(),
    next: neighbour.nullable(),
    faults: list(z.object({ kind: z.string(), seq: z.number(), message: z.string() })),
  }),
});
