import { assess } from '../../domain/assess.ts';
import { nextPollMs } from '../../domain/backoff.ts';
import type { EntryDraft } from '../../domain/ledger.ts';
import { toChange } from '../../domain/plan.ts';
import type { AccountFacts } from '../../domain/policy/index.ts';
import type { AccountRecord } from '../../domain/record.ts';
import { transition } from '../../domain/transition.ts';
import type { Observations } from '../../domain/types.ts';
import type { Assessment } from '../../domain/verdict.ts';
import type { WorkMessage } from '../../domain/work.ts';
import { CloudError } from '../../ports/cloud.ts';
import { changeKey } from '../make-plan.ts';
import { act } from './act.ts';
import { assessContext, entryContext, freshFacts, outcomeOf, type WorkContext, type WorkResult } from './context.ts';
import { ended, failRead, failureResult, failVisibly } from './fail.ts';
import { errorFacts } from './intent.ts';
import { observeLive } from './read-live.ts';
import { settleClaim } from './recover.ts';

/** A key is looked at this often in one go at most: disassociate, then disable, with a lost race or two in between. */
const MAX_ROUNDS = 6;

type AccountMessage = Extract<WorkMessage, { kind: 'account' }>;

/**
 * Reconciles one (account, enrollment): reads it live, judges anew, and acts only on what is still true, so that a message may be
 * late, doubled, reordered or stale and nothing wrong happens.
 */
export async function reconcileAccount(work: WorkContext, message: AccountMessage): Promise<WorkResult> {
  const result = await reconcile(work, message);
  // Before the message is acknowledged: from then on nobody may look at the account for a long time.
  await work.journal.settled(message.accountId);
  return result;
}

async function reconcile(work: WorkContext, message: AccountMessage): Promise<WorkResult> {
  const { accountId, enrollment } = message;
  const facts = await freshFacts(work, accountId);
  if (facts === null) return ended(accountId, 'superseded');
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

type Step = { readonly result: WorkResult } | { readonly record: AccountRecord };

async function lookAndAct(
  work: WorkContext,
  message: AccountMessage,
  facts: AccountFacts,
  known: AccountRecord,
): Promise<Step> {
  const { enrollment, runId } = message;
  const claim = known[enrollment]?.claim ?? null;
  if (claim !== null) {
    if (Date.parse(claim.expiresAt) > work.deps.clock.now()) return { result: ended(facts.id, 'converging') };
    const settled = await settleClaim(work, runId, facts, enrollment, known);
    return settled === null ? { result: ended(facts.id, 'converging') } : { record: settled };
  }
  const observations = await observeOrFail(work, message, facts, known);
  if ('result' in observations) return observations;
  const { record, assessment } = await note(work, message, facts, observations, known);
  if (record.head.hash !== known.head.hash && record[enrollment]?.claim) return { record };
  if (assessment.status === 'Failed' && known[enrollment]?.reason === 'acted') {
    return { result: await failVisibly(work, message, record, assessment) };
  }
  if (!(await mayAct(work, message, facts, assessment))) {
    return { result: await settle(work, message, facts, record, assessment) };
  }
  const acted = await act(work, runId, record, assessment);
  if (acted.kind === 'acted' || acted.kind === 'redecide') return { record: acted.record };
  if (acted.kind === 'vetoed') return { result: ended(facts.id, 'blocked') };
  const { fate, error } = acted;
  return { result: failureResult(facts.id, acted.record, fate, errorFacts(error)) };
}

async function observeOrFail(
  work: WorkContext,
  message: AccountMessage,
  facts: AccountFacts,
  record: AccountRecord,
): Promise<Observations | { readonly result: WorkResult }> {
  try {
    return await observeLive(work, facts, message.enrollment);
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    return { result: await failRead(work, message, record, error) };
  }
}

/** Judges what was seen and records it if it is news. */
async function note(
  work: WorkContext,
  message: AccountMessage,
  facts: AccountFacts,
  observations: Observations,
  known: AccountRecord,
): Promise<{ readonly record: AccountRecord; readonly assessment: Assessment }> {
  const { enrollment, runId } = message;
  const judge = (record: AccountRecord): Assessment =>
    assess(assessContext(work), facts, observations, record)[enrollment];
  const decide = (record: AccountRecord): EntryDraft[] => {
    const draft = transition(entryContext(work, runId), record, judge(record));
    return draft === null ? [] : [draft];
  };
  if (decide(known).length === 0) return { record: known, assessment: judge(known) };
  const { record } = await work.journal.write(facts.id, decide, known);
  return { record, assessment: judge(record) };
}

/** Whether the assessment asks for a call, now, and the run is free to make it. */
async function mayAct(
  work: WorkContext,
  message: AccountMessage,
  facts: AccountFacts,
  assessment: Assessment,
): Promise<boolean> {
  if (assessment.verdict !== 'Drifted' || assessment.action === 'none') return false;
  if (assessment.notBefore !== null && assessment.notBefore > work.deps.clock.now()) return false;
  if (message.planHash === null) return true;
  const allowed = await work.runs.planKeys(message.planHash);
  return allowed?.has(changeKey(toChange(assessment, facts))) ?? false;
}

/** No call is to be made: how the key ends for now, and what it makes possible. */
async function settle(
  work: WorkContext,
  message: AccountMessage,
  facts: AccountFacts,
  record: AccountRecord,
  assessment: Assessment,
): Promise<WorkResult> {
  const { verdict, enrollment } = assessment;
  if (verdict === 'Converging') {
    const condition = record[enrollment];
    const now = work.deps.clock.now();
    const since = condition === null ? now : Date.parse(condition.since);
    await work.journal.settled(facts.id);
    await work.deps.records.snooze(facts.id, record.head.seq, now + nextPollMs(now - since));
  }
  const unlocks = enrollment === 'computeOptimizer' && assessment.status === 'Active';
  const waits = unlocks && record.automation?.verdict === 'Blocked' && record.automation.reason === 'prerequisite';
  const followUps: WorkMessage[] = waits ? [{ ...message, enrollment: 'automation' }] : [];
  return { ...ended(facts.id, outcomeOf(verdict)), followUps };
}
