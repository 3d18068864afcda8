import * as z from 'zod';
import {
  accountId,
  enrollment,
  entryType,
  ledgerEntry,
  list,
  statuses,
  summary,
  textOrNull,
  time,
  timeOrNull,
} from '../../../shared/app/queries/answers/common.ts';
import { standingAtSchema } from '../../../shared/app/queries/audit/as-of.ts';
import { checkpointSchema, newestCheckpointSchema } from '../../../shared/app/queries/audit/checkpoint.ts';
import { logPlaceSchema, proofSchema } from '../../../shared/app/queries/audit/proof.ts';
import { reportSchema } from '../../../shared/app/queries/audit/report.ts';

/** The whole export as one document. */
export const auditExport = z.object({ entries: list(ledgerEntry) });

export const auditAnswer = z.object({
  entries: list(ledgerEntry),
  next: textOrNull.describe('Cursor of the next page'),
});

/** A page of the API. */
export const auditPage = auditAnswer.extend({
  names: z.record(accountId, z.string()).describe('The names of the accounts of these entries, if known'),
});

export const auditSummary = z.object({
  total: z.number().describe('Entries that match the filters'),
  complete: z
    .boolean()
    .describe(
      'false: only the newest 50,000 entries of the period were counted; with `changedBy`, the newest 20,000 drifts',
    ),
  intervalMs: z.number().describe('Time between two bars'),
  bars: list(z.object({ at: time, entries: z.number() })).describe('Matching entries over time, oldest first'),
  actors: list(z.object({ actor: z.string(), entries: z.number() })).describe(
    'Entries of each actor that match the other filters, most first; likewise types, enrollments and runs',
  ),
  types: list(z.object({ type: entryType, entries: z.number() })),
  enrollments: list(z.object({ enrollment, entries: z.number() })),
  runs: list(z.object({ runId: z.string(), at: time, entries: z.number() })).describe('Newest first'),
  callers: list(z.object({ caller: z.string(), entries: z.number() })).describe(
    'Drift that each caller caused and that matches the other filters, most first, among the newest 20,000 drifts; `unknown`: the caller is unknown',
  ),
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

/** What the API adds to an entry. */
export const entryAnswer = shownEntry.extend({ log: logPlaceSchema });

export const asOfAnswer = z.object({
  at: time,
  future: z.boolean().describe('That time is in the future: the latest recorded state is shown'),
  summary: summary.describe('Verdicts of the whole organization at that time'),
  statuses: statuses.describe('Accounts by status at that time'),
  accounts: list(standingAtSchema),
  total: z.number().describe('Enrollments that match the filters'),
  next: textOrNull,
  pruned: list(accountId).describe('Left out: their entries have been pruned'),
});

export const report = reportSchema;

export const checkpoint = newestCheckpointSchema;

export const entryProof = proofSchema.extend({ entry: ledgerEntry });

export const verification = z.object({
  state: z
    .enum(['intact', 'damaged', 'notVerified'])
    .describe('notVerified: nobody has verified the audit log of this store yet'),
  verifiedAt: timeOrNull.describe('When the last verification began: later entries are not covered'),
  durationMs: z.number().nullable(),
  running: z.boolean().describe('A verification is under way'),
  chains: z.number().nullable(),
  entries: z.number().nullable().describe('Entries that were verified'),
  pruned: z.number().nullable().describe('Older entries that retention has removed'),
  faults: list(z.object({ chain: z.string(), kind: z.string(), seq: z.number(), message: z.string() })).describe(
    'The first fault of each kind',
  ),
  logProblems: list(z.string()).describe('What is wrong with the transparency log itself'),
  digest: z
    .object({
      day: z.string(),
      at: time,
      root: z.string(),
      list: z.string(),
      chains: z.number(),
      entries: z.number(),
      outcome: z
        .enum(['matches', 'differs', 'pruned', 'unknown'])
        .nullable()
        .describe('Whether the audit log still matches it; null: published after the last verification'),
    })
    .nullable()
    .describe('The last daily digest; null: none was published yet'),
  checkpoint: checkpointSchema
    .omit({ note: true, root: true })
    .nullable()
    .describe('The newest signed checkpoint; its signatures were not verified; null: none was published yet'),
});
