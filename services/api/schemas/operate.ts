import * as z from 'zod';
import { accountId, list, textOrNull, time, timeOrNull } from '../../../shared/app/queries/answers/common.ts';

/** An operator's reason, which the ledger records: one line. */
const reason = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^\P{Cc}*$/u, 'expected one line without control characters')
  .nullable()
  .optional();

/* Bodies of requests. */

export const reasonBody = z.strictObject({ reason });
export const suspendBody = z.strictObject({
  selector: z.string().min(1).max(20_000).describe('Account ids, ou:/Path, tag:key=value, name:glob, or all'),
  reason,
  until: z
    .string()
    .max(40)
    .nullable()
    .optional()
    .describe('A day (its end, UTC), a time, or a duration from now such as 2h'),
});
export const resumeBody = z.strictObject({ selector: z.string().min(1).max(20_000), reason });
export const checkBody = z.strictObject({ accounts: z.array(accountId).min(1).max(100), reason });
export const approveBody = z.strictObject({
  planHash: z.string().regex(/^[0-9a-f]{12,64}$/, 'expected the hash of a plan, 12 to 64 hexadecimal digits'),
  reason,
});
export const redriveBody = z.strictObject({
  ids: z.array(z.string().min(1).max(200)).min(1).max(1_000),
  reason,
});

/* Answers. */

export const scanAsked = z.object({ asked: z.literal(true), actor: z.string() });
export const haltAnswer = z.object({
  halted: z.boolean(),
  changed: z.boolean(),
  at: timeOrNull,
  by: textOrNull,
  reason: textOrNull,
});
export const suspendAnswer = z.object({
  selector: z.string(),
  reason: textOrNull,
  until: timeOrNull,
  by: z.string(),
  accounts: z.number().nullable().describe('Number of accounts that it selects now; null: no scan has counted them'),
  unseen: list(accountId).describe('Suspended although the last scan did not find them'),
  replaced: z
    .object({ reason: textOrNull, until: timeOrNull, at: time, by: z.string() })
    .nullable()
    .describe('The suspension of the same selector that was in force before'),
});
export const resumeAnswer = z.object({ resumed: list(z.string()), left: list(z.string()), by: z.string() });
export const checkAnswer = z.object({
  queued: list(accountId).describe('Read within seconds'),
  unknown: list(accountId).describe('Not recorded; the next scan finds them'),
  by: z.string(),
});
export const approveAnswer = z.object({
  planHash: z.string(),
  policyHash: z.string(),
  changes: z.number().describe('Changes to accounts, follow-ups included'),
  accounts: z.number().describe('Accounts with such a change'),
  configurations: z
    .number()
    .describe('Organization enrollment configurations set by somebody else that the plan changes'),
  actor: z.string(),
  reason: textOrNull,
  at: time,
  expiresAt: time,
  entryId: z.string(),
});
export const reaction = z.object({
  queued: list(accountId).describe('Queued now'),
  later: list(accountId).describe('Read a moment ago: queued in a few seconds'),
  unknown: list(accountId).describe('Not in the organization'),
  refreshed: list(accountId).describe('Read again from AWS Organizations'),
  scan: z.boolean().describe('Whether a scan was requested'),
  ours: z.boolean().describe('Whether Rollcall made the call itself'),
  ignored: textOrNull,
  rejected: textOrNull.describe('Why the event was rejected'),
});
export const redriveAnswer = z.object({ redriven: list(z.string()), left: list(z.string()), by: z.string() });
