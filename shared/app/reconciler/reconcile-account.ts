import type { AccountRecord } from '../../domain/account/record.ts';
import { hasFailed, transition } from '../../domain/account/transition.ts';
import { assess } from '../../domain/decision/assess.ts';
import { toChange } from '../../domain/decision/plan.ts';
import type { Claim } from '../../domain/enrollment/condition.ts';
import type { Observations } from '../../domain/enrollment/mismatch.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Assessment } from '../../domain/enrollment/verdict.ts';
import type { Detail, EntryDraft } from '../../domain/ledger/entry.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import { CloudError } from '../../ports/cloud.ts';
import { whoChanged } from '../events/change-attribution.ts';
import { caughtUp } from '../ledger/write-entries.ts';
import { allows } from '../plan/change-keys.ts';
import { fitPlan } from '../work-queue/planned-drift.ts';
import { accountCall } from './account-call.ts';
import { abandonClaim, recoverClaim } from './claim-recovery.ts';
import type { Remediated } from './claims.ts';
import { isUndone } from './error-policy.ts';
import { type LiveObservations, observeLive } from './observe-live.ts';
import { ended, failRead, failureResult, failVisibly } from './record-failure.ts';
import { remediate } from './remediate.ts';
import type { Candidate } from './remediation-entries.ts';
import { keepPolls, scheduleRecheck, unlockDependents } from './schedule-recheck.ts';
import {
  type AccountMessage,
  accountInSnapshot,
  assessContext,
  entryContext,
  type MessageContext,
  outcomeOf,
  type WorkContext,
  type WorkResult,
} from './worker-context.ts';

/** Maximum number of rounds for one key: disassociate, then disable, with one or two lost races in between. */
const MAX_ROUNDS = 6;
/**
 * In this many rounds, a call that has waited too long for the rate limiter is dropped and its reads are repeated. After that, the call is made even if its reads are
 * old: where every wait is that long, it would otherwise never be made.
 */
const POSTPONED_ROUNDS = 2;

/**
 * Reconciles one (account, enrollment): reads it live, assesses it again, and acts only on what is still true. A late, duplicate, reordered or
 * stale message therefore does no harm.
 */
export async function reconcileAccount(work: MessageContext, message: AccountMessage): Promise<WorkResult> {
  try {
    return await reconcile(work, message);
  } finally {
    // The record is stored before the message is acknowledged or released: after a crash in between, it could take long until another message leads here.
    await work.writer.settled(message.accountId);
  }
}

async function reconcile(work: MessageContext, message: AccountMessage): Promise<WorkResult> {
  const { accountId, enrollment } = message;
  let facts = await accountInSnapshot(work, accountId);
  if (facts === null) return withoutSnapshot(work, message);
  let record = await work.writer.current(accountId);
  if (record.conditions[enrollment] === null && !work.policy.kinds.includes(enrollment))
    return ended(accountId, 'nothingToDo');
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    // A further round follows from an observation that was not enough, so it reads.
    const reading = round === 0 ? work : { ...work, listingsSince: null };
    const readAt = round < POSTPONED_ROUNDS ? work.deps.clock.now() : undefined;
    const step = await reconcileOnce(reading, message, facts, record, readAt);
    if ('result' in step) return step.result;
    record = step.record;
    // The last check before the call may have found the account's tags changed.
    if (step.isOutdated === true) facts = await accountInSnapshot(work, accountId);
    if (facts === null) return withoutSnapshot(work, message);
  }
  // Another worker keeps writing about the same account; the next scan finds what is left.
  work.deps.logger.warn('an account kept changing while it was reconciled', { accountId, enrollment });
  return ended(accountId, 'retrying');
}

/** The account has left the organization, or the snapshot is too old, and the next scan decides. */
async function withoutSnapshot(
  work: WorkContext,
  { accountId, enrollment, runId }: AccountMessage,
): Promise<WorkResult> {
  const record = await work.writer.current(accountId);
  const claim = record.conditions[enrollment]?.claim ?? null;
  const expired = claim !== null && Date.parse(claim.expiresAt) <= work.deps.clock.now();
  if (expired && !record.present) await abandonClaim(work, runId, enrollment, record);
  return ended(accountId, 'superseded');
}

/** `isOutdated`: the call was not made because something about the account has changed. */
type Step = { readonly result: WorkResult } | { readonly record: AccountRecord; readonly isOutdated?: boolean };

async function reconcileOnce(
  work: MessageContext,
  message: AccountMessage,
  facts: OrganizationAccount,
  known: AccountRecord,
  readAt: EpochMs | undefined,
): Promise<Step> {
  const { claim = null, verdict = null } = known.conditions[message.enrollment] ?? {};
  if (claim !== null) {
    return afterClaim(work, message, facts, known, claim);
  }
  const observed = await observeOrFail(work, message, facts, known);
  await refreshControls(work, facts, verdict === 'Suspended');
  if ('result' in observed) return observed;
  const { observations, listed } = observed;
  const failure = visibleFailure(work, message, facts, observations, known);
  if (failure !== null) return { result: await failVisibly(work, message, known, failure) };
  const { record, assessment } = await recordNews(work, message, facts, observations, known);
  if (assessment === null) return { record };
  if (!(await mayAct(work, message, facts, assessment))) {
    return { result: await withoutCall(work, message, facts, record, assessment) };
  }
  if (!(await fitPlan(work.runs, message, [{ record, assessment }]))) {
    // A process that is bound to the plan must not make the change, so it is left to the queue.
    return { result: { ...ended(facts.id, 'retrying'), followUps: [{ ...message, planHash: null }] } };
  }
  const call = accountCall(work, message, { record, assessment }, facts);
  const [end] = await remediate(work, { ...call, ...(readAt !== undefined && { readAt }) });
  if (end === undefined) return { record: await caughtUp(work.deps, record), isOutdated: true };
  if (end.failure === null) return listed ? { result: await confirmLater(work, end) } : { record: end.record };
  if (isUndone(end.failure.outcome)) return { record: end.record, isOutdated: true };
  await keepPolls(work, end.record);
  return { result: failureResult(facts.id, end.record, end.failure) };
}

/** Waits for the worker that holds the claim. Once the claim has expired, the outcome of its call is determined first. */
async function afterClaim(
  work: WorkContext,
  { enrollment, runId }: AccountMessage,
  facts: OrganizationAccount,
  known: AccountRecord,
  { expiresAt }: Claim,
): Promise<Step> {
  if (Date.parse(expiresAt) > work.deps.clock.now()) {
    // The process that wrote the claim may have died before it stored the record. With the record, a tick reconciles the account when the claim expires.
    await work.deps.records.advance([known]);
    return { result: ended(facts.id, 'converging') };
  }
  const recovered = await recoverClaim(work, runId, facts, enrollment, known);
  return recovered === null ? { result: ended(facts.id, 'converging') } : { record: recovered };
}

/**
 * Reads the controls for the assessment. Controls up to a second old are enough: suspending an account adds an entry to its chain, and then the assessment
 * is discarded. Where they or the record say that the account is suspended, the current controls are read, because the suspension may have just been ended.
 */
async function refreshControls(
  { controls, deps }: WorkContext,
  facts: OrganizationAccount,
  recordedAsSuspended: boolean,
): Promise<void> {
  if (recordedAsSuspended) {
    await controls.now();
    return;
  }
  await controls.recent();
  if (controls.last.suspensionOf(facts, deps.clock.now()) !== null) await controls.now();
}

async function observeOrFail(
  work: MessageContext,
  message: AccountMessage,
  facts: OrganizationAccount,
  record: AccountRecord,
): Promise<LiveObservations | { readonly result: WorkResult }> {
  try {
    return await observeLive(work, facts, message.enrollment, record);
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    return { result: await failRead(work, message, record, error) };
  }
}

/**
 * Many changes are under way. Their accounts are due immediately, so that the next pass over the due accounts enqueues them together, and one
 * listing confirms them.
 */
async function confirmLater({ writer, deps }: WorkContext, { record }: Remediated<Candidate>): Promise<WorkResult> {
  const { accountId, head } = record;
  await writer.settled(accountId);
  await deps.records.snooze(accountId, head.seq, deps.clock.now());
  return ended(accountId, 'converging');
}

/** The assessment, if AWS accepted the last call but now reports the enrollment as Failed; otherwise `null`. */
function visibleFailure(
  work: MessageContext,
  { enrollment }: AccountMessage,
  facts: OrganizationAccount,
  observations: Observations,
  known: AccountRecord,
): Assessment | null {
  const assessment = assess(assessContext(work), facts, observations, known)[enrollment];
  return hasFailed(known.conditions[enrollment], assessment) ? assessment : null;
}

/**
 * Assesses the observation and records it if anything has changed. The assessment is `null` if another worker has just changed the record: that
 * worker may have seen something newer, so this observation is discarded and the account is observed again.
 */
async function recordNews(
  work: MessageContext,
  message: AccountMessage,
  facts: OrganizationAccount,
  observations: Observations,
  known: AccountRecord,
): Promise<{ readonly record: AccountRecord; readonly assessment: Assessment | null }> {
  const { enrollment, runId } = message;
  const assessed = (record: AccountRecord): Assessment =>
    assess(assessContext(work), facts, observations, record)[enrollment];
  let detail: Detail = {};
  const decide = (record: AccountRecord): EntryDraft[] => {
    const draft = transition(entryContext(work, runId), record, assessed(record), detail);
    return draft === null ? [] : [draft];
  };
  const [news] = decide(known);
  if (news === undefined) return { record: known, assessment: assessed(known) };
  detail = await whoChanged(work.deps, known, assessed(known));
  const unmoved = (record: AccountRecord): EntryDraft[] => (record.head.hash === known.head.hash ? decide(record) : []);
  const { record, entries } = await work.writer.write(facts.id, unmoved, known);
  return { record, assessment: entries.length === 0 ? null : assessed(record) };
}

/** Whether the assessment asks for a call now, and the run may make it. */
async function mayAct(
  work: WorkContext,
  message: AccountMessage,
  facts: OrganizationAccount,
  assessment: Assessment,
): Promise<boolean> {
  if (assessment.verdict !== 'Drifted' || assessment.action === 'none') return false;
  if (assessment.notBefore !== null && assessment.notBefore > work.deps.clock.now()) return false;
  if (message.planHash === null) return true;
  const allowed = await work.runs.planKeys(message.planHash);
  return allowed !== null && allows(allowed, toChange(assessment, facts));
}

/** No call is due: schedules the next check, and enqueues what the observed state makes possible. */
async function withoutCall(
  work: WorkContext,
  message: AccountMessage,
  facts: OrganizationAccount,
  record: AccountRecord,
  assessment: Assessment,
): Promise<WorkResult> {
  const { verdict } = assessment;
  await scheduleRecheck(work, record, assessment);
  const unlocked = await unlockDependents(work, record, assessment);
  const followUps = unlocked.map((enrollment): WorkMessage => ({ ...message, enrollment }));
  return { ...ended(facts.id, outcomeOf(verdict)), followUps };
}
