import { type AccountRecord, wakeAt } from '../../domain/account/record.ts';
import { nextPollMs, stalledPollMs } from '../../domain/enrollment/backoff.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Assessment } from '../../domain/enrollment/verdict.ts';
import type { WorkContext } from './worker-context.ts';

/**
 * Says when to look at the account next, where the record itself does not: while something converges, and where a time that it names
 * has passed and brought no news (an exemption was prolonged, a cool-down began anew, AWS still says Pending long after the deadline).
 * The other enrollment's time is kept.
 */
export async function lookAgain(work: WorkContext, record: AccountRecord, assessment: Assessment): Promise<void> {
  const { enrollment, verdict, accountId } = assessment;
  const now = work.deps.clock.now();
  const otherName = enrollment === 'automation' ? 'computeOptimizer' : 'automation';
  const other = record[otherName];
  // Each entry about the account has set its time anew, so that the poll of the other enrollment has to be asked for again, too.
  const polled = verdict === 'Converging' || other?.verdict === 'Converging';
  const named = wakeAt(record);
  if (!polled && !wokenInVain(record, assessment) && (named ?? Number.POSITIVE_INFINITY) > now) {
    // Looked at before its time: without this it would be looked at again and again until then.
    if (named !== null) await work.deps.records.snooze(accountId, record.head.seq, named);
    return;
  }
  const otherPoll = other?.verdict === 'Converging' ? now + nextPollMs(now - Date.parse(other.since)) : null;
  const unclaimed = other === null ? null : { ...other, claim: null };
  const others = [
    wakeAt({ ...record, [enrollment]: null, [otherName]: unclaimed }),
    timeOfClaim(other, now),
    otherPoll,
  ];
  const times = [ownTime(work, record, assessment), ...others].filter((time) => time !== null);
  await work.journal.settled(accountId);
  await work.deps.records.snooze(accountId, record.head.seq, times.length === 0 ? null : Math.min(...times));
}

/** It was woken because Compute Optimizer had become Active, and that is no longer so: its next waking comes from there again. */
function wokenInVain({ computeOptimizer }: AccountRecord, { verdict, reason, notBefore }: Assessment): boolean {
  // While Compute Optimizer is on its way, the record's time is that of looking for its result.
  if (computeOptimizer?.verdict === 'Converging') return false;
  return verdict === 'Blocked' && reason === 'prerequisite' && notBefore === null;
}

function ownTime(work: WorkContext, record: AccountRecord, assessment: Assessment): number | null {
  const { claim = null } = record[assessment.enrollment] ?? {};
  const seen = timeOfVerdict(work, record, assessment);
  // Whatever it looks like by now, an open claim is waited for: somebody has to find out what became of the call.
  return claim === null ? seen : Math.min(Date.parse(claim.expiresAt), seen ?? Number.POSITIVE_INFINITY);
}

/**
 * When to find out what became of the other enrollment's call: once its claim has ended. Where that is past, it was tried and could not be
 * told (`settleClaim` looks ever more seldom), or its key is on its way: the claim's end would bring the account back at every tick.
 */
function timeOfClaim(condition: Condition | null, now: EpochMs): EpochMs | null {
  const { claim = null } = condition ?? {};
  if (claim === null) return null;
  const ends = Date.parse(claim.expiresAt);
  return ends > now ? ends : now + nextPollMs(now - Date.parse(claim.startedAt));
}

function timeOfVerdict({ deps }: WorkContext, record: AccountRecord, seen: Assessment): number | null {
  const { enrollment, verdict, notBefore } = seen;
  const now = deps.clock.now();
  const condition = record[enrollment];
  const lasted = now - (condition === null ? now : Date.parse(condition.since));
  if (verdict === 'Converging') return now + nextPollMs(lasted);
  return verdict === 'Stalled' ? now + stalledPollMs(lasted, deps.random) : notBefore;
}

/**
 * Compute Optimizer is Active now: whatever waited for it in the same account goes on. What is associated is left to the tick, which gathers
 * all that come free meanwhile into batches; anything else is a key of its own, at once.
 * @returns whether there is a key to be queued.
 */
export async function unlockAutomation(work: WorkContext, record: AccountRecord, seen: Assessment): Promise<boolean> {
  if (seen.enrollment !== 'computeOptimizer' || seen.status !== 'Active') return false;
  const { automation, accountId, head } = record;
  if (automation?.verdict !== 'Blocked' || automation.reason !== 'prerequisite') return false;
  if (automation.desiredRuleMode !== 'AnyAllowed') return true;
  await work.journal.settled(accountId);
  await work.deps.records.snooze(accountId, head.seq, work.deps.clock.now());
  return false;
}
