import * as z from 'zod';
import { beginsDrift } from '../domain/detection.ts';
import type { ChangedBy, Detail } from '../domain/ledger.ts';
import type { AccountRecord, Condition } from '../domain/record.ts';
import type { AccountId, Enrollment, EpochMs } from '../domain/types.ts';
import type { Assessment } from '../domain/verdict.ts';
import type { Deps } from './deps.ts';
import { inParallel } from './in-parallel.ts';
import { readTyped, update } from './registers.ts';

const changedBy = z.object({
  actor: z.string(),
  operation: z.string(),
  requestId: z.string().nullable(),
  at: z.string(),
});
/** The last call of somebody else's that was heard of, by enrollment. */
const notes = z.object({ computeOptimizer: changedBy.optional(), automation: changedBy.optional() });

/** Whom a note is about; `organization`: the one call for all of them. */
export type Noted = AccountId | 'organization';

const registerOf = (noted: Noted): string => `changed-by/${noted}`;
/** Recent entries of an account among which our own calls are looked for. */
const OWN_CALLS = 20;
/** CloudTrail tells the time of a call in whole seconds, by AWS's clock. */
const CLOCK_SLACK_MS = 2_000;

/**
 * The same with the time of its receipt where it is dated later: an event from the future would stand for every change until then.
 * @param receivedAt epoch ms
 */
export function boundedBy(by: ChangedBy, receivedAt: EpochMs): ChangedBy {
  return Date.parse(by.at) > receivedAt ? { ...by, at: new Date(receivedAt).toISOString() } : by;
}

/** Whether its time can be that of a change; earlier versions stored what an event said, however far in the future. */
function isPast({ at }: ChangedBy, now: EpochMs): boolean {
  return Date.parse(at) <= now;
}

/** Remembers who changed it, for the entry that will record the drift. One small register an account, overwritten each time. */
export async function noteChange(
  { registers, clock }: Pick<Deps, 'registers' | 'clock'>,
  noted: Noted,
  enrollment: Enrollment,
  by: ChangedBy,
): Promise<void> {
  if (by.at === '') return;
  await update(registers, registerOf(noted), notes, (current) => {
    const known = current?.[enrollment];
    // Events come in any order, and twice.
    const isNewer = known !== undefined && known.at >= by.at && isPast(known, clock.now());
    return isNewer ? { ...current } : { ...current, [enrollment]: by };
  });
}

/** Whether the call that was heard of is one of ours: its request id is in the ledger. */
export async function isOurs(
  { ledger }: Pick<Deps, 'ledger'>,
  accountIds: readonly AccountId[],
  requestId: string | null,
): Promise<boolean> {
  if (requestId === null) return false;
  for (const accountId of accountIds) {
    const { entries } = await ledger.query({ accountId }, { limit: OWN_CALLS });
    if (entries.some(({ api }) => api?.requestId === requestId)) return true;
  }
  return false;
}

/**
 * Who changed what is seen now, for the entry that is about to record it as a new drift or as contested. Only a call that was made since we
 * last wrote of the enrollment: an older one is not what we see now.
 */
export async function whoChanged(
  deps: Pick<Deps, 'registers' | 'ledger' | 'clock'>,
  record: AccountRecord,
  assessment: Assessment,
): Promise<Detail> {
  const { enrollment } = assessment;
  const condition = record[enrollment];
  if (condition === null || !namesActor(condition, assessment)) return {};
  const since = Date.parse(condition.changedAt) - CLOCK_SLACK_MS;
  for (const noted of [record.accountId, 'organization'] as const) {
    const known = (await readTyped(deps.registers, registerOf(noted), notes))?.value[enrollment];
    if (known === undefined || !isPast(known, deps.clock.now()) || Date.parse(known.at) < since) continue;
    if (await isOurs(deps, [record.accountId], known.requestId)) continue;
    return { changedBy: known };
  }
  return {};
}

function namesActor(known: Condition, assessment: Assessment): boolean {
  return beginsDrift(known, assessment) || (assessment.reason === 'contested' && known.contested === undefined);
}

/** Actors are looked up for this many accounts of one scan; for a first look at an organization none are known. */
const MAX_ASKED = 200;
const ASKED_AT_ONCE = 8;

/** What was found of an account; `record`: as it was known before. */
export interface Found {
  readonly record: AccountRecord | null;
  readonly assessments: readonly Assessment[];
}

/** As {@link whoChanged}, for the new drifts among what a scan or a batch has found. */
export async function changesBehind(
  deps: Pick<Deps, 'registers' | 'ledger' | 'clock'>,
  found: readonly Found[],
): Promise<ReadonlyMap<AccountId, Partial<Record<Enrollment, Detail>>>> {
  const details = new Map<AccountId, Partial<Record<Enrollment, Detail>>>();
  const drifts = found.flatMap(({ record, assessments }) =>
    record === null ? [] : assessments.filter((each) => isNewDrift(record, each)).map((each) => ({ record, each })),
  );
  await inParallel(drifts.slice(0, MAX_ASKED), ASKED_AT_ONCE, async ({ record, each }) => {
    const detail = await whoChanged(deps, record, each);
    details.set(record.accountId, { ...details.get(record.accountId), [each.enrollment]: detail });
  });
  return details;
}

function isNewDrift(record: AccountRecord, assessment: Assessment): boolean {
  const known = record[assessment.enrollment];
  return known !== null && namesActor(known, assessment);
}
