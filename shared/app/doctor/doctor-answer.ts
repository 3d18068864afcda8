import * as z from 'zod';
import type { CheckReason } from '../../domain/check-result.ts';
import { CHECKS } from './check-ids.ts';

const REASONS = [
  'unreachable',
  'unavailable',
  'timeout',
  'denied',
  'unauthenticated',
  'missing',
  'wrong',
  'notReached',
  'notUsed',
] as const satisfies readonly CheckReason[];

const count = z.int().min(0);

/** `doctor --json`. */
export const doctorSchema = z.object({
  ok: z.boolean().describe('No check failed'),
  store: z.enum(['embedded', 'aws']),
  summary: z.object({ pass: count, warn: count, fail: count, skipped: count }).describe('Checks by status'),
  checks: z
    .array(
      z.object({
        check: z.enum(CHECKS),
        status: z
          .enum(['pass', 'warn', 'fail', 'skipped'])
          .describe('`warn`: Rollcall works, but worse or not for long; `skipped`: nothing to check, or no way to'),
        reason: z.enum(REASONS).nullable().describe('Why the check did not pass; null: it did'),
        message: z.string().min(1),
        mend: z.array(z.string()).describe('Shell commands that fix the problem, with the real ids'),
        durationMs: z.number().min(0),
      }),
    )
    .describe('In the order in which the checks depend on each other'),
});
