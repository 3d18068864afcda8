import { waitsForPrerequisite } from '../../domain/account/prerequisites.ts';
import { type AccountRecord, wakeAt } from '../../domain/account/record.ts';
import { nextPollMs, stalledPollMs } from '../../domain/enrollment/backoff.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import {
  byKind,
  dependentsOf,
  ENROLLMENT_IDS,
  type EnrollmentId,
  kindOf,
} from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Assessment } from '../../domain/enrollment/verdict.ts';
import { toIso } from '../../domain/time.ts';
import type { WorkContext } from './worker-context.ts';

/**
 * Sets the time at which the tick enqueues the account again. Usually that is the wake time of the record. It must be computed if an enrollment
 * converges, and if the wake time has passed without a new entry: an exemption was extended, or AWS still says Pending after the deadline.
 */
export async function scheduleRecheck(work: WorkContext, record: AccountRecord, assessment: Assessment): Promise<void> {
  const { enrollment, verdict, accountId } = assessment;
  const now = work.deps.clock.now();
  const others = ENROLLMENT_IDS.flatMap((id) => (id === enrollment ? [] : (record.conditions[id] ?? [])));
  // Each entry about the account replaces its wake time, so the polls of the other enrollments have to be scheduled again, too.
  const polled = verdict === 'Converging' || others.some((other) => other.verdict === 'Converging');
  const named = wakeAt(record);
  if (!polled && !prerequisiteWasLost(record, assessment) && (named ?? Number.POSITIVE_INFINITY) > now) {
    // This check came before the record's wake time. Without the snooze, the account would stay due, and the tick would repeat the check until then.
    if (named !== null) await work.deps.records.snooze(accountId, record.head.seq, named);
    return;
  }
  const unclaimed = byKind((id) => (id === enrollment ? null : aheadOf(record.conditions[id], now)));
  const times = [
    nextCheckOf(work, record, assessment),
    wakeAt({ ...record, conditions: unclaimed }),
    ...others.flatMap((other) => [claimCheck(other, now), pollTime(other, now)]),
  ].filter((time) => time !== null);
  await work.writer.settled(accountId);
  await work.deps.records.snooze(accountId, record.head.seq, times.length === 0 ? null : Math.min(...times));
}

/**
 * Each entry replaces the wake time of its account. After an entry about one enrollment that is not checked again itself, this schedules the polls of the
 * enrollments that converge, for example of a change that waits to be confirmed by a listing.
 */
export async function keepPolls(work: WorkContext, record: AccountRecord): Promise<void> {
  const now = work.deps.clock.now();
  const polls = ENROLLMENT_IDS.flatMap((id) => record.conditions[id] ?? []).flatMap(
    (each) => pollTime(each, now) ?? [],
  );
  if (polls.length === 0) return;
  await work.writer.settled(record.accountId);
  const named = wakeAt(record) ?? Number.POSITIVE_INFINITY;
  await work.deps.records.snooze(record.accountId, record.head.seq, Math.min(named, ...polls));
}

/** The condition of another enrollment without its claim, and without a time that would make the account due at every tick. */
function aheadOf(condition: Condition | null, now: EpochMs): Condition | null {
  return condition === null ? null : { ...condition, claim: null, notBefore: nextLook(condition, now) };
}

/**
 * A time that has passed stays in the record if reading the enrollment again found nothing to record. Where no change waits for it, the key is on the
 * queue or has just been read: `resume` had made a Compliant enrollment due once, and an exemption or a suspension was extended.
 */
function nextLook({ verdict, notBefore }: Condition, now: EpochMs): string | null {
  if (notBefore === null || Date.parse(notBefore) > now) return notBefore;
  if (verdict === 'Compliant') return null;
  if (verdict !== 'Exempt' && verdict !== 'Suspended') return notBefore;
  return toIso(now + nextPollMs(now - Date.parse(notBefore)));
}

function pollTime({ verdict, since }: Condition, now: EpochMs): EpochMs | null {
  return verdict === 'Converging' ? now + nextPollMs(now - Date.parse(since)) : null;
}

/** The enrollment waits for its prerequisite again. It is enqueued when the prerequisite is observed as Active, so it needs no time. */
function prerequisiteWasLost({ conditions }: AccountRecord, assessment: Assessment): boolean {
  const { enrollment, verdict, reason, notBefore } = assessment;
  // While a prerequisite converges, the account must stay due, so that the result of its call is read.
  if (kindOf(enrollment).prerequisites.some((id) => conditions[id]?.verdict === 'Converging')) return false;
  return verdict === 'Blocked' && reason === 'prerequisite' && notBefore === null;
}

function nextCheckOf(work: WorkContext, record: AccountRecord, assessment: Assessment): number | null {
  const { claim = null } = record.conditions[assessment.enrollment] ?? {};
  const seen = nextCheckFor(work, record, assessment);
  // Whatever the verdict, the result of an open claim has to be found.
  return claim === null ? seen : Math.min(Date.parse(claim.expiresAt), seen ?? Number.POSITIVE_INFINITY);
}

/**
 * When to look for the result of another enrollment's call: once its claim expires. A claim that has expired already is polled more and more
 * rarely, because its result could not be read or its key is on the queue; its expiry would make the account due at every tick.
 */
function claimCheck({ claim }: Condition, now: EpochMs): EpochMs | null {
  if (claim === null) return null;
  const ends = Date.parse(claim.expiresAt);
  return ends > now ? ends : now + nextPollMs(now - Date.parse(claim.startedAt));
}

function nextCheckFor({ deps }: WorkContext, record: AccountRecord, seen: Assessment): number | null {
  const { enrollment, verdict, notBefore } = seen;
  const now = deps.clock.now();
  const condition = record.conditions[enrollment];
  const lasted = now - (condition === null ? now : Date.parse(condition.since));
  if (verdict === 'Converging') return now + nextPollMs(lasted);
  return verdict === 'Stalled' ? now + stalledPollMs(lasted, deps.random) : notBefore;
}

/**
 * An enrollment is Active now, so the enrollments that waited for it in the same account can go on. Those that will be associated are left to the
 * next tick, which gathers them into batches; each other one is enqueued on its own.
 * @returns the enrollments to enqueue.
 */
export async function unlockDependents(
  work: WorkContext,
  record: AccountRecord,
  seen: Assessment,
): Promise<readonly EnrollmentId[]> {
  if (seen.status !== 'Active') return [];
  const { accountId, head, conditions } = record;
  const waiting = dependentsOf(seen.enrollment).filter((id) => waitsForPrerequisite(conditions[id]));
  const batched = waiting.filter((id) => conditions[id]?.desiredRuleMode === 'AnyAllowed');
  if (batched.length > 0) {
    await work.writer.settled(accountId);
    await work.deps.records.snooze(accountId, head.seq, work.deps.clock.now());
  }
  return waiting.filter((id) => !batched.includes(id));
}
