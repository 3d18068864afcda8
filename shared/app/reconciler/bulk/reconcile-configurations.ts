import { configurationKey } from '../../../domain/decision/configuration-key.ts';
import type { CompiledControls } from '../../../domain/decision/operator-controls.ts';
import { type Change, toChange } from '../../../domain/decision/plan.ts';
import { ASSOCIABLE } from '../../../domain/enrollment/kinds/index.ts';
import type { AccountId, EpochMs, RuleMode } from '../../../domain/enrollment/model.ts';
import { ouCovers } from '../../../domain/policy/index.ts';
import { CloudError } from '../../../ports/cloud.ts';
import { changedSince } from '../../guardrails/changed-since.ts';
import { ownConfigurations, pruneConfigurations } from '../../guardrails/own-configurations.ts';
import { type ConfigurationLimits, changesIn, useConfigurations } from '../../plan/plan.ts';
import type { AssociableAccount } from '../../survey/assessment-table.ts';
import { readConfigurations } from '../../survey/stored-configurations.ts';
import type { Survey } from '../../survey/survey.ts';
import { messagesFor } from '../../work-queue/enqueue-plan.ts';
import { isUndone } from '../error-policy.ts';
import { ended, failureResult } from '../record-failure.ts';
import { scheduleRecheck } from '../schedule-recheck.ts';
import {
  accountKey,
  type MessageContext,
  merged,
  NO_RESULT,
  outcomeOf,
  runOf,
  type WorkContext,
  type WorkResult,
} from '../worker-context.ts';
import { AppliedChanges } from './applied-changes.ts';
import { assessAndRecord, readRecent } from './batch-observation.ts';
import { type CallEnd, type ConfigurationsMessage, makeCall, type PlannedCall } from './configuration-call.ts';
import { leftOver, noLongerDrifted } from './left-over.ts';
import { observeOrganization } from './observe-organization.ts';

/** The pause after AWS has refused a call because another change is in progress, ms. */
const BUSY_PAUSE_MS = 30_000;
/** How long one message waits for changes in progress, ms, in total. */
const WAIT_TOTAL_MS = 8 * 60_000;
/**
 * How long after its start a run repeats its calls while AWS is busy, ms. Each attempt adds entries about every account of a call, so attempts must end. The
 * next scan plans the calls again.
 */
const BUSY_TOTAL_MS = 60 * 60_000;
/** Maximum number of surveys. Another survey follows if an account has changed since the previous one, or if that one took too long. */
const MAX_SURVEYS = 3;
/**
 * A call is planned on a survey that ended at most this long ago, ms. Accounts may move at any time, but reading a large organization before each call
 * would take longer than the calls.
 */
const MAX_SURVEY_AGE_MS = 60_000;
/**
 * A call is planned on accounts that were listed at most this long ago, ms. A survey that takes longer is repeated, up to `MAX_SURVEYS` in total: in
 * a large organization with a low rate limit, every survey takes longer, and the last one is used.
 */
const MAX_LISTING_AGE_MS = 2 * 60_000;
/** Accounts assessed at a time. */
const CHUNK = 500;

/**
 * Makes the calls for organization enrollment configurations. Before each one, OUs and configurations are read again and the calls are planned
 * again, so nothing is changed that somebody else has set meanwhile. Accounts are read again after each wait. If AWS refuses one particular call, only the
 * calls that do not depend on it are made; any other failure ends the run's calls. One Automation listing verifies the result.
 */
export async function reconcileConfigurations(
  work: MessageContext,
  message: ConfigurationsMessage,
): Promise<WorkResult> {
  const made: AccountId[] = [];
  const accepted = new Set<string>();
  const refused = new Map<string, CallEnd>();
  let last: CallEnd | null = null;
  let seen = await observeOrganization(work);
  const applied = new AppliedChanges(work, work.deps.clock.now() + WAIT_TOTAL_MS);
  for (let surveys = 1; ; ) {
    ({ seen, surveys } = await recentSurvey(work, seen, surveys));
    const next = await nextCall(work, message, seen, new Set(refused.keys()));
    // If AWS's listing does not show an accepted call yet, the same call is planned again.
    if (next === null || accepted.has(configurationKey(next.change))) break;
    // AWS refuses a call that overlaps with a change in progress. The wait comes before the claims, because claims would expire during it.
    if (await applied.awaitOverlapping(next)) {
      seen = await observeOrganization(work);
      continue;
    }
    last = isClaimed(next, seen) ? BUSY : await makeCall(work, message, next, seen.associable);
    if (last.end === 'made') {
      accepted.add(configurationKey(next.change));
      made.push(...next.call.accounts.keys());
      seen = { ...seen, associable: afterCall(seen.associable, next) };
      applied.add(next);
    } else if (last.end === 'refused') {
      refused.set(next.change.targetId, last);
    } else if (last.end === 'busy' && !applied.timeIsUp) {
      const { clock } = work.deps;
      work.onProgress({ kind: 'waiting', until: clock.now() + BUSY_PAUSE_MS, cause: { kind: 'delay' } });
      await clock.sleep(BUSY_PAUSE_MS);
      seen = await observeOrganization(work);
    } else if (last.end === 'moved' && surveys < MAX_SURVEYS) {
      surveys += 1;
      seen = await observeOrganization(work);
    } else break;
  }
  await applied.awaitAll();
  return concluded(work, message, { made, last, refused: [...refused.values()], seen });
}

/** Surveys again if the last survey is too old for another call. @param surveys the number of surveys so far */
async function recentSurvey(work: MessageContext, last: Survey, surveys: number) {
  const { clock } = work.deps;
  let seen = clock.now() - last.at > MAX_SURVEY_AGE_MS ? await observeOrganization(work) : last;
  let count = surveys;
  for (; count < MAX_SURVEYS && clock.now() - seen.snapshot.takenAt > MAX_LISTING_AGE_MS; count += 1)
    seen = await observeOrganization(work);
  return { seen, surveys: count };
}

const BUSY: CallEnd = { end: 'busy', accounts: [] };

/**
 * Whether another worker is about to change an account that the call would reach. The plan counts such an account as in progress, so the call would
 * change it without an intent.
 */
function isClaimed({ path, isAccount, change: { targetId } }: PlannedCall, { associable }: Survey): boolean {
  return associable.some(
    ({ account, claimed }) => claimed && (isAccount ? account.id === targetId : ouCovers(path, account.ou)),
  );
}

/** The first call of the plan, on the configurations as they are now; `null`: none is due, or the run may not make it. */
async function nextCall(
  work: MessageContext,
  message: ConfigurationsMessage,
  seen: Survey,
  refused: ReadonlySet<string>,
): Promise<PlannedCall | null> {
  const { deps, policy } = work;
  const configurations = await readConfigurations(deps, work.retrying);
  const { readAt, stored, problem } = configurations;
  if (problem === null) await pruneConfigurations(deps.registers, stored, readAt);
  const now = deps.clock.now();
  const controls = await work.controls.now();
  const associable = suspendedNow(seen.associable, controls, now);
  const limits = await limitsOf(work, message, { stored, refused, now });
  const current: Survey = { ...seen, configurations, controls, associable, at: now };
  const { changes, decided } = useConfigurations(policy, current, limits, changesIn(seen), now);
  const [call] = decided?.calls ?? [];
  const [shown] = decided?.shown.calls ?? [];
  if (call === undefined || shown === undefined) return null;
  const isDue = changes.some(({ scope, action, accountId, enrollment }) => {
    return enrollment === ASSOCIABLE && scope === 'configuration' && action !== 'none' && call.accounts.has(accountId);
  });
  if (call.accounts.size > 0 && !isDue) return null;
  const present = stored.get(call.targetId) ?? null;
  const account = seen.snapshot.accounts.find(({ id }) => id === call.targetId);
  const ou = account?.ou ?? shown.target;
  const covering = configurations.units.filter(({ path }) => ouCovers(path, ou));
  const above = new Set(covering.map(({ id }) => id).filter((id) => id !== call.targetId));
  return { call, change: shown, path: shown.target, isAccount: account !== undefined, above, present, readAt };
}

/** An operator may have suspended accounts since the survey. */
function suspendedNow(accounts: readonly AssociableAccount[], controls: CompiledControls, now: EpochMs) {
  return accounts.map((each) => {
    const suspended = controls.suspensionOf(each.account, now) !== null;
    return suspended ? { ...each, assessment: { ...each.assessment, verdict: 'Suspended' as const } } : each;
  });
}

interface CallState {
  readonly stored: ReadonlyMap<string, RuleMode>;
  readonly refused: ReadonlySet<string>;
  readonly now: EpochMs;
}

async function limitsOf(
  { deps, runs }: WorkContext,
  { planHash, runId }: ConfigurationsMessage,
  { stored, refused, now }: CallState,
): Promise<ConfigurationLimits> {
  const onlyThese = planHash === null ? null : ((await runs.planKeys(planHash)) ?? new Set<string>());
  const run = await runs.get(runId);
  const approved = now < (run?.approvedUntil ?? 0);
  const own = await ownConfigurations(deps.registers, now);
  const changed = await changedSince(deps.registers, own, stored, run?.startedAt ?? now);
  return { onlyThese, approved, ownConfigurations: own, refused: new Set([...refused, ...changed]) };
}

interface Conclusion {
  readonly made: readonly AccountId[];
  readonly last: CallEnd | null;
  readonly refused: readonly CallEnd[];
  readonly seen: Survey;
}

async function concluded(
  work: MessageContext,
  message: ConfigurationsMessage,
  { made, last, refused, seen }: Conclusion,
): Promise<WorkResult> {
  const results = [await verify(work, message, made)];
  const follow = (changes: readonly Change[]): WorkResult =>
    merged([...results, { ...NO_RESULT, followUps: messagesFor(runOf(work, message), changes) }]);
  const ends = new Set(last === null ? refused : [...refused, last]);
  const unmade = [...ends].flatMap(({ accounts }) => accounts);
  const undone = new Set(
    unmade.flatMap(({ record, failure }) => (failure && isUndone(failure.outcome) ? [record.accountId] : [])),
  );
  if (last === null || last.end === 'made' || last.end === 'moved' || last.end === 'refused') {
    results.push({
      ...NO_RESULT,
      followUps: noLongerDrifted(made, seen).map((id) => accountKey(message, id, ASSOCIABLE)),
    });
    return follow(await leftOver(work, message, made, undone, seen));
  }
  // AWS is still busy after the longest wait, so the message is queued again for the remaining calls.
  if (last.end === 'busy' && (await mayRepeat(work, message))) {
    await work.deps.queue.send([message], { lane: 'bulk', delayMs: BUSY_PAUSE_MS });
  }
  for (const { record, failure } of unmade)
    if (failure !== null && !isUndone(failure.outcome)) results.push(failureResult(record.accountId, record, failure));
  // A call that AWS does not accept is replaced by other calls for its accounts.
  const instead = seen.assessed.flatMap(({ account, assessments: { [ASSOCIABLE]: assessment } }) => {
    return last.end === 'failed' && undone.has(account.id) ? [toChange(assessment, account)] : [];
  });
  return follow(instead);
}

async function mayRepeat({ deps, runs }: WorkContext, { runId }: ConfigurationsMessage): Promise<boolean> {
  const run = await runs.get(runId);
  return run !== null && deps.clock.now() < run.startedAt + BUSY_TOTAL_MS;
}

/** Only what AWS shows now makes an account Compliant. Accounts that AWS has not changed yet are polled by listings. */
async function verify(
  work: MessageContext,
  message: ConfigurationsMessage,
  accountIds: readonly AccountId[],
): Promise<WorkResult> {
  if (accountIds.length === 0) return NO_RESULT;
  const listing = await readRecent(work, work.deps.clock.now());
  const results: WorkResult[] = [];
  for (let at = 0; at < accountIds.length; at += CHUNK) {
    const ids = accountIds.slice(at, at + CHUNK);
    if (listing instanceof CloudError) {
      results.push({ ...NO_RESULT, followUps: ids.map((id) => accountKey(message, id, ASSOCIABLE)) });
      continue;
    }
    const records = await work.deps.records.getMany(ids);
    const members = await assessAndRecord(work, message.runId, ids, listing, records);
    for (const { facts, record, assessment } of members) {
      await scheduleRecheck(work, record, assessment);
      results.push(ended(facts.id, outcomeOf(assessment.verdict)));
    }
    // Without a configuration, an account can be disabled or associated.
    const next = members.filter(({ assessment: { verdict } }) => verdict === 'Drifted');
    const changes = next.map(({ facts, assessment }) => toChange(assessment, facts));
    results.push({ ...NO_RESULT, followUps: messagesFor(runOf(work, message), changes) });
  }
  return merged(results);
}

/** The accounts as the call leaves them, so that the next call is planned on that state. */
function afterCall(accounts: readonly AssociableAccount[], { call }: PlannedCall): AssociableAccount[] {
  const changed = new Set<AccountId>(call.accounts.keys());
  return accounts.map((each) => {
    if (!changed.has(each.account.id)) return each;
    const status = call.effect === 'put' ? 'Active' : each.assessment.status;
    const acted = { verdict: 'Converging', reason: 'acted', status, ruleMode: call.ruleMode } as const;
    return { ...each, assessment: { ...each.assessment, ...acted } };
  });
}
