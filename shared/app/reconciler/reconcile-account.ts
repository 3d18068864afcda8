import type { AccountRecord } from '../../domain/account/record.ts';
import { hasFailedVisibly, transition } from '../../domain/account/transition.ts';
import { assess } from '../../domain/decision/assess.ts';
import { toChange } from '../../domain/decision/plan.ts';
import type { Observations } from '../../domain/enrollment/mismatch.ts';
import type { Assessment } from '../../domain/enrollment/verdict.ts';
import type { Detail, EntryDraft } from '../../domain/ledger/entry.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import { CloudError } from '../../ports/cloud.ts';
import { whoChanged } from '../events/change-attribution.ts';
import { allows } from '../plan/plan.ts';
import { observeLive } from './observe-live.ts';
import { abandonClaim, settleClaim } from './remediation/claim-recovery.ts';
import { errorFacts } from './remediation/entries.ts';
import { ended, failRead, failureResult, failVisibly } from './remediation/record-failure.ts';
import { act } from './remediation/remediate.ts';
import { lookAgain, unlockDependents } from './schedule-recheck.ts';
import {
  assessContext,
  entryContext,
  freshFacts,
  outcomeOf,
  type WorkContext,
  type WorkResult,
} from './worker-context.ts';

/** A key is looked at this often in one go at most: disassociate, then disable, with a lost race or two in between. */
const MAX_ROUNDS = 6;

type AccountMessage = Extract<WorkMessage, { kind: 'account' }>;

/**
 * Reconciles one (account, enrollment): reads it live, judges anew, and acts only on what is still true, so that a message may be
 * late, doubled, reordered or stale and nothing wrong happens.
 */
export async function reconcileAccount(work: WorkContext, message: AccountMessage): Promise<WorkResult> {
  try {
    return await reconcile(work, message);
  } finally {
    // Before the message is acknowledged, or given back by a process that ends: from then on nobody may look at the account for a long time.
    await work.journal.settled(message.accountId);
  }
}

async function reconcile(work: WorkContext, message: AccountMessage): Promise<WorkResult> {
  const { accountId, enrollment } = message;
  const facts = await freshFacts(work, accountId);
  if (facts === null) return withoutFacts(work, message);
  let record = await work.journal.current(accountId);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const step = await lookAndAct(work, message, facts, record);
    if ('result' in step) return step.result;
    record = step.record;
  }
  // Someone else keeps changing the same account; the next scan looks again.
  work.deps.logger.warn('an account kept changing while it was worked on', { accountId, enrollment });
  return ended(accountId, 'retrying');
}

/** The account has left the organization, or the snapshot is too old to judge by: a scan will come. */
async function withoutFacts(work: WorkContext, { accountId, enrollment, runId }: AccountMessage): Promise<WorkResult> {
  const record = await work.journal.current(accountId);
  const claim = record.conditions[enrollment]?.claim ?? null;
  const expired = claim !== null && Date.parse(claim.expiresAt) <= work.deps.clock.now();
  if (expired && !record.present) await abandonClaim(work, runId, enrollment, record);
  return ended(accountId, 'superseded');
}

type Step = { readonly result: WorkResult } | { readonly record: AccountRecord };

async function lookAndAct(
  work: WorkContext,
  message: AccountMessage,
  facts: OrganizationAccount,
  known: AccountRecord,
): Promise<Step> {
  const { enrollment, runId } = message;
  const claim = known.conditions[enrollment]?.claim ?? null;
  if (claim !== null) {
    if (Date.parse(claim.expiresAt) > work.deps.clock.now()) {
      // Whoever holds it may have ended before the record knew of the claim: from here on its expiry is waited for.
      await work.deps.records.advance([known]);
      return { result: ended(facts.id, 'converging') };
    }
    const settled = await settleClaim(work, runId, facts, enrollment, known);
    return settled === null ? { result: ended(facts.id, 'converging') } : { record: settled };
  }
  const observations = await observeOrFail(work, message, facts, known);
  // What an operator sets from here on moves the record's head, and what was set before stands in the record, or will in a moment.
  await (known.conditions[message.enrollment]?.verdict === 'Suspended' ? work.controls.now() : work.controls.recent());
  if ('result' in observations) return observations;
  const failure = visibleFailure(work, message, facts, observations, known);
  if (failure !== null) return { result: await failVisibly(work, message, known, failure) };
  const { record, assessment } = await note(work, message, facts, observations, known);
  if (assessment === null) return { record };
  if (!(await mayAct(work, message, facts, assessment))) {
    return { result: await settle(work, message, facts, record, assessment) };
  }
  const acted = await act(work, message, record, assessment);
  if (acted.kind === 'acted' || acted.kind === 'redecide') return { record: acted.record };
  if (acted.kind === 'vetoed') return { result: ended(facts.id, 'blocked') };
  const { fate, error } = acted;
  return { result: failureResult(facts.id, acted.record, fate, errorFacts(error)) };
}

async function observeOrFail(
  work: WorkContext,
  message: AccountMessage,
  facts: OrganizationAccount,
  record: AccountRecord,
): Promise<Observations | { readonly result: WorkResult }> {
  try {
    return await observeLive(work, facts, message.enrollment);
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    return { result: await failRead(work, message, record, error) };
  }
}

/** A failed attempt that shows only in what AWS says now; `null` if there is none. */
function visibleFailure(
  work: WorkContext,
  { enrollment }: AccountMessage,
  facts: OrganizationAccount,
  observations: Observations,
  known: AccountRecord,
): Assessment | null {
  const assessment = assess(assessContext(work), facts, observations, known)[enrollment];
  return hasFailedVisibly(known.conditions[enrollment], assessment) ? assessment : null;
}

/**
 * Judges what was seen and records it if it is news. The assessment is `null` if someone wrote meanwhile: they may have seen something
 * newer than we did, so nothing is concluded from our observation, and the account is looked at again.
 */
async function note(
  work: WorkContext,
  message: AccountMessage,
  facts: OrganizationAccount,
  observations: Observations,
  known: AccountRecord,
): Promise<{ readonly record: AccountRecord; readonly assessment: Assessment | null }> {
  const { enrollment, runId } = message;
  const judge = (record: AccountRecord): Assessment =>
    assess(assessContext(work), facts, observations, record)[enrollment];
  let detail: Detail = {};
  const decide = (record: AccountRecord): EntryDraft[] => {
    const draft = transition(entryContext(work, runId), record, judge(record), detail);
    return draft === null ? [] : [draft];
  };
  const [news] = decide(known);
  if (news === undefined) return { record: known, assessment: judge(known) };
  detail = await whoChanged(work.deps, known, judge(known));
  const unmoved = (record: AccountRecord): EntryDraft[] => (record.head.hash === known.head.hash ? decide(record) : []);
  const { record, entries } = await work.journal.write(facts.id, unmoved, known);
  return { record, assessment: entries.length === 0 ? null : judge(record) };
}

/** Whether the assessment asks for a call, now, and the run is free to make it. */
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

/** No call is to be made: how the key ends for now, and what it makes possible. */
async function settle(
  work: WorkContext,
  message: AccountMessage,
  facts: OrganizationAccount,
  record: AccountRecord,
  assessment: Assessment,
): Promise<WorkResult> {
  const { verdict } = assessment;
  await lookAgain(work, record, assessment);
  const unlocked = await unlockDependents(work, record, assessment);
  const followUps = unlocked.map((enrollment): WorkMessage => ({ ...message, enrollment }));
  return { ...ended(facts.id, outcomeOf(verdict)), followUps };
}
