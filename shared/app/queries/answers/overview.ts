import * as z from 'zod';
import { byKind } from '../../../domain/enrollment/kinds/index.ts';
import { accountId, enrollment, ledgerEntry, list, textOrNull, time, timeOrNull } from './common.ts';

const actors = list(z.object({ actor: textOrNull.describe('null: no CloudTrail event names one'), count: z.number() }));

const attention = z.object({
  reason: z.string(),
  enrollments: list(enrollment).describe('The kinds that it is about'),
  count: z.number().describe('Enrollments'),
  accounts: z.number(),
  oldestSince: timeOrNull,
  actors: actors.describe(
    'Whose changes these are, most frequent first; empty: the reason has nothing to do with an actor',
  ),
  examples: list(accountId),
});

const waiting = z.object({
  reason: z.string(),
  enrollments: list(enrollment),
  count: z.number().describe('Enrollments'),
  nextAt: timeOrNull.describe('The earliest time at which one is remediated; null: when its prerequisite is met'),
});

const place = z.object({
  name: z.string(),
  managed: z.number().describe('Accounts with a managed enrollment'),
  compliant: z.number().describe('Accounts whose managed enrollments are all Compliant'),
  percent: z.number().nullable(),
  drifted: z.number().describe('Accounts with open drift'),
});
const places = z.object({
  worst: list(place).describe('With the most drifted accounts first; fully compliant ones are left out'),
  more: z.number().describe('How many others have drifted accounts'),
  compliant: z.number().describe('How many have no drifted account'),
});

const use = z.object({
  used: z.number().describe('Accounts changed in the last 24 hours that count against the limit'),
  cap: z.number().nullable().describe('null: no run has counted the accounts in scope yet'),
});
const approved = z.number().describe('Further accounts, changed only under an approval; the limit does not count them');

/** What charts mark on their time axis. */
export const MARKED = [
  'PolicyChanged',
  'EnforcementHalted',
  'EnforcementResumed',
  'GuardrailTripped',
  'PlanApproved',
] as const;

export const markersAnswer = z.object({
  events: list(z.object({ at: time, type: z.enum(MARKED), actor: z.string(), reason: textOrNull })).describe(
    'Newest first',
  ),
});

/** What the overview shows beside the status. */
export const overviewAnswer = z.object({
  at: time,
  dayAgo: z
    .object({ at: time, openDrift: z.number(), compliance: z.object(byKind(() => z.number().nullable())) })
    .nullable()
    .describe('The state 24 hours ago; null: nothing was recorded then'),
  attention: list(attention).describe('What needs attention, by reason; most accounts first'),
  waiting: list(waiting),
  ous: places,
  rules: places,
  tags: places.nullable().describe('null: tags were not read'),
  changedBy: z.object({
    drifts: z.number().describe('Drifts detected in the last 24 hours'),
    actors: list(
      z.object({
        actor: textOrNull,
        joined: z
          .boolean()
          .describe(
            'The enrollment was first seen after the first scan, already drifted: it is unknown who changed it',
          ),
        firstScan: z.boolean().describe('The first scan found the drift, so it is older than that scan'),
        drifts: z.number(),
        accounts: z.number().describe('The number of accounts with these drifts'),
      }),
    ).describe('Most frequent first'),
  }),
  recent: list(z.object({ entry: ledgerEntry, accountName: textOrNull })).describe('The newest entries'),
  guardrails: z
    .object({ changes: use.extend({ approved }), optOuts: use })
    .nullable()
    .describe('null: no policy'),
});
