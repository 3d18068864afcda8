import * as z from 'zod';
import { beginsDrift } from '../../domain/account/drift-detection.ts';
import type { AccountRecord } from '../../domain/account/record.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { byKind, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { Assessment } from '../../domain/enrollment/verdict.ts';
import type { ChangedBy, Detail } from '../../domain/ledger/entry.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import type { LedgerFilter } from '../../ports/ledger.ts';
import type { Deps } from '../context.ts';
import { documentFamily, REGISTERS } from '../coordination/documents.ts';
import { readTyped, update } from '../coordination/typed-register.ts';

const changedBy = z.object({
  actor: z.string(),
  operation: z.string(),
  requestId: z.string().nullable(),
  at: z.string(),
});
/** For each enrollment kind, the last call that was not made by Rollcall. */
const notes = z.object(byKind(() => changedBy.optional()));

/** What a call of another caller changed: an account, or `organization` for an organization-wide call. */
export type Noted = AccountId | 'organization';

export const CHANGED_BY = documentFamily(REGISTERS.changedBy, notes);
/** Recent entries of an account that are searched for Rollcall's own calls. */
const OWN_CALLS = 20;
/** Recent calls for configurations that are searched. A run may make a call for each OU, and the events can arrive after its last one. */
const OWN_CONFIGURATION_CALLS = 200;
/** CloudTrail times are whole seconds of AWS's clock. */
const CLOCK_SLACK_MS = 2_000;

/** Limits the time of a call to `receivedAt`. With a future time, every change until then would be attributed to this actor. */
export function boundedBy(by: ChangedBy, receivedAt: EpochMs): ChangedBy {
  return Date.parse(by.at) > receivedAt ? { ...by, at: new Date(receivedAt).toISOString() } : by;
}

/** Earlier versions could store the time of a call that was in the future. */
function isPast({ at }: ChangedBy, now: EpochMs): boolean {
  return Date.parse(at) <= now;
}

/** Stores who changed an enrollment, for the entry that will record the drift. */
export async function noteChange(
  { registers, clock }: Pick<Deps, 'registers' | 'clock'>,
  noted: Noted,
  enrollment: EnrollmentId,
  by: ChangedBy,
): Promise<void> {
  if (by.at === '') return;
  await update(registers, CHANGED_BY.named(noted), (current) => {
    const known = current?.[enrollment];
    // Events arrive in any order and may be repeated.
    const isNewer = known !== undefined && known.at >= by.at && isPast(known, clock.now());
    return isNewer ? { ...current } : { ...current, [enrollment]: by };
  });
}

/** Whether Rollcall made the call: the audit log of one of the accounts contains its request id. */
export async function isOurs(
  { ledger }: Pick<Deps, 'ledger'>,
  accountIds: readonly AccountId[],
  requestId: string | null,
): Promise<boolean> {
  for (const accountId of accountIds) if (await hasCall(ledger, { accountId }, OWN_CALLS, requestId)) return true;
  return false;
}

/**
 * Whether Rollcall made the call for a configuration. If its target is an OU or the root, the event names no account, but the organization's chain
 * has an entry with the request id.
 */
export function isOurConfiguration({ ledger }: Pick<Deps, 'ledger'>, requestId: string | null): Promise<boolean> {
  return hasCall(ledger, { type: 'ConfigurationEnded' }, OWN_CONFIGURATION_CALLS, requestId);
}

async function hasCall(
  ledger: Deps['ledger'],
  filter: LedgerFilter,
  limit: number,
  requestId: string | null,
): Promise<boolean> {
  if (requestId === null) return false;
  const { entries } = await ledger.query(filter, { limit });
  return entries.some(({ api }) => api?.requestId === requestId);
}

/**
 * Finds the actor behind a change that is about to be recorded as a new drift or as contested. Only a call made since the last
 * entry about this enrollment counts, because an older call did not cause the change.
 */
export async function whoChanged(
  deps: Pick<Deps, 'registers' | 'ledger' | 'clock'>,
  record: AccountRecord,
  assessment: Assessment,
): Promise<Detail> {
  const { enrollment } = assessment;
  const condition = record.conditions[enrollment];
  if (condition === null || !namesActor(condition, assessment)) return {};
  const since = Date.parse(condition.changedAt) - CLOCK_SLACK_MS;
  for (const noted of [record.accountId, 'organization'] as const) {
    const known = (await readTyped(deps.registers, CHANGED_BY.named(noted)))?.value[enrollment];
    if (known === undefined || !isPast(known, deps.clock.now()) || Date.parse(known.at) < since) continue;
    if (await isOurs(deps, [record.accountId], known.requestId)) continue;
    return { changedBy: known };
  }
  return {};
}

function namesActor(known: Condition, assessment: Assessment): boolean {
  return beginsDrift(known, assessment) || (assessment.reason === 'contested' && known.contested === undefined);
}

/** Maximum number of accounts per scan for which actors are looked up one by one. */
const MAX_LOOKUPS = 200;
const LOOKUP_CONCURRENCY = 8;

/** The assessments of an account; `record` is its state before them. */
export interface Found {
  readonly record: AccountRecord | null;
  readonly assessments: readonly Assessment[];
}

/** Like {@link whoChanged}, for all new drifts that a scan or a batch has found. */
export async function changesBehind(
  deps: Pick<Deps, 'registers' | 'ledger' | 'clock'>,
  found: readonly Found[],
): Promise<ReadonlyMap<AccountId, Partial<Record<EnrollmentId, Detail>>>> {
  const details = new Map<AccountId, Partial<Record<EnrollmentId, Detail>>>();
  const drifts = found.flatMap(({ record, assessments }) =>
    record === null ? [] : assessments.filter((each) => isNewDrift(record, each)).map((each) => ({ record, each })),
  );
  await mapParallel(drifts.slice(0, MAX_LOOKUPS), LOOKUP_CONCURRENCY, async ({ record, each }) => {
    const detail = await whoChanged(deps, record, each);
    details.set(record.accountId, { ...details.get(record.accountId), [each.enrollment]: detail });
  });
  if (drifts.length > MAX_LOOKUPS) await addOrganizationWide(deps, drifts.slice(MAX_LOOKUPS), details);
  return details;
}

interface Drift {
  readonly record: AccountRecord;
  readonly each: Assessment;
}

/** Accounts that drift together in such numbers were changed by one call for all of them, so only that call is looked up, once for each kind. */
async function addOrganizationWide(
  deps: Pick<Deps, 'registers' | 'ledger' | 'clock'>,
  drifts: readonly Drift[],
  details: Map<AccountId, Partial<Record<EnrollmentId, Detail>>>,
): Promise<void> {
  const noted = (await readTyped(deps.registers, CHANGED_BY.named('organization')))?.value ?? {};
  const ours = new Map<string | null, boolean>();
  for (const { record, each } of drifts) {
    const by = noted[each.enrollment];
    const changedAt = record.conditions[each.enrollment]?.changedAt;
    if (by === undefined || changedAt === undefined || !isPast(by, deps.clock.now())) continue;
    if (Date.parse(by.at) < Date.parse(changedAt) - CLOCK_SLACK_MS) continue;
    // Every account that a call of Rollcall changed has its request id, so one account is enough.
    const isOwn = ours.get(by.requestId) ?? (await isOurs(deps, [record.accountId], by.requestId));
    ours.set(by.requestId, isOwn);
    if (!isOwn)
      details.set(record.accountId, { ...details.get(record.accountId), [each.enrollment]: { changedBy: by } });
  }
}

function isNewDrift(record: AccountRecord, assessment: Assessment): boolean {
  const known = record.conditions[assessment.enrollment];
  return known !== null && namesActor(known, assessment);
}
