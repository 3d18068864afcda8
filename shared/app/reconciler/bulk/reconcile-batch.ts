import { type AccountRecord, emptyRecord } from '../../../domain/account/record.ts';
import { toChange } from '../../../domain/decision/plan.ts';
import { ASSOCIABLE } from '../../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { Verdict } from '../../../domain/enrollment/verdict.ts';
import { CloudError } from '../../../ports/cloud.ts';
import { allows } from '../../plan/change-keys.ts';
import { fitPlan } from '../../work-queue/planned-drift.ts';
import type { Remediated } from '../claims.ts';
import { isUndone } from '../error-policy.ts';
import { ended, failRead, failureResult } from '../record-failure.ts';
import { remediate } from '../remediate.ts';
import { keepPolls, scheduleRecheck } from '../schedule-recheck.ts';
import {
  accountKey,
  type MessageContext,
  merged,
  NO_RESULT,
  outcomeOf,
  type WorkContext,
  type WorkResult,
} from '../worker-context.ts';
import { type BatchMessage, batchCall } from './batch-call.ts';
import { assessAndRecord, listingSince, type Member, readRecent } from './batch-observation.ts';

/**
 * Reconciles up to 50 accounts by one AssociateAccounts or DisassociateAccounts call, between two listings. Accounts that need something
 * else, or that another worker changes, are passed on as keys of their own.
 */
export async function reconcileBatch(work: MessageContext, message: BatchMessage): Promise<WorkResult> {
  try {
    return await reconcile(work, message);
  } finally {
    // The records are stored before the message is acknowledged: after a crash in between, it could take long until another message leads here.
    await stored(work, message.accountIds);
  }
}

async function reconcile(work: MessageContext, message: BatchMessage): Promise<WorkResult> {
  const records = await work.deps.records.getMany(message.accountIds);
  const own = await work.deps.records.get(work.caller.accountId);
  const listing = await readRecent(work, listingSince(work, [...records.values(), ...(own === null ? [] : [own])]));
  if (listing instanceof CloudError) return unreadable(work, message, records, listing);
  const members = await assessAndRecord(work, message.runId, message.accountIds, listing, records);
  const due: Member[] = [];
  for (const member of members) if (await isDue(work, message, member)) due.push(member);
  const ends = await change(work, message, due, own);
  const resting = members.filter((member) => rests(work, member));
  await Promise.all(resting.map(({ record, assessment }) => scheduleRecheck(work, record, assessment)));
  await Promise.all(ends.filter(({ failure }) => failure !== null).map(({ record }) => keepPolls(work, record)));
  const accepted = ends.filter(({ failure }) => failure === null).map(({ member }) => member.facts.id);
  const results = [
    ...resting.map(({ facts, assessment }) => ended(facts.id, outcomeOf(assessment.verdict))),
    ...ends.flatMap(failureOf),
    await observe(work, message, accepted),
  ];
  const done = new Set([...accepted, ...results.flatMap(({ outcomes }) => outcomes.map(({ accountId }) => accountId))]);
  const others = message.accountIds.filter((id) => !done.has(id));
  return merged([...results, { ...NO_RESULT, followUps: others.map((id) => accountKey(message, id, ASSOCIABLE)) }]);
}

/**
 * Makes the call. AWS rejects the whole call if a configuration governs one of its accounts; these are then blocked, and the call is repeated for
 * the others.
 */
async function change(
  work: WorkContext,
  message: BatchMessage,
  due: readonly Member[],
  own: AccountRecord | null,
): Promise<readonly Remediated<Member>[]> {
  const ends: Remediated<Member>[] = [];
  let members = due;
  while (members.length > 0) {
    const made = await remediate(work, batchCall(work, message, members, own));
    const governs = made.some(({ failure }) => failure?.error.kind === 'Governed');
    const repeats = ({ failure }: Remediated<Member>) => governs && failure !== null && isUndone(failure.outcome);
    ends.push(...made.filter((end) => !repeats(end)));
    members = made.filter(repeats).map(({ member, record }) => ({ ...member, record }));
  }
  return ends;
}

/** Whether this call is what the account needs now, and the run may make it. */
async function isDue(
  work: WorkContext,
  message: BatchMessage,
  { assessment, facts, record }: Member,
): Promise<boolean> {
  if (assessment.verdict !== 'Drifted' || assessment.action !== message.operation) return false;
  if (record.conditions[ASSOCIABLE]?.claim) return false;
  if (assessment.notBefore !== null && assessment.notBefore > work.deps.clock.now()) return false;
  if (message.planHash === null) return true;
  if (!(await fitPlan(work.runs, message, [{ record, assessment }]))) return false;
  const allowed = await work.runs.planKeys(message.planHash);
  return allowed !== null && allows(allowed, toChange(assessment, facts));
}

/** Whether the account needs no call now: it complies, is in progress or blocked, or waits after a failure. */
function rests({ deps }: WorkContext, { assessment: { verdict, notBefore } }: Member): boolean {
  const pauses = verdict === 'Drifted' && (notBefore ?? 0) > deps.clock.now();
  return pauses || (verdict !== 'Drifted' && verdict !== 'Unknown');
}

/** Empty if the account was changed, or will be assessed again by its own key. */
function failureOf({ record, failure }: Remediated<Member>): WorkResult[] {
  if (failure === null || isUndone(failure.outcome)) return [];
  return [failureResult(record.accountId, record, failure)];
}

/** Only what AWS shows now makes an account Compliant. An account that needs a further step gets a key of its own. */
async function observe(work: MessageContext, message: BatchMessage, accountIds: AccountId[]): Promise<WorkResult> {
  if (accountIds.length === 0) return NO_RESULT;
  await stored(work, accountIds);
  const listing = await readRecent(work, work.deps.clock.now());
  const records = await work.deps.records.getMany(accountIds);
  if (listing instanceof CloudError) return unreadable(work, { ...message, accountIds }, records, listing);
  const members = await assessAndRecord(work, message.runId, accountIds, listing, records);
  const withVerdict = (verdict: Verdict): Member[] =>
    members.filter(({ assessment }) => assessment.verdict === verdict);
  const compliant = withVerdict('Compliant');
  await Promise.all(compliant.map(({ record }) => keepPolls(work, record)));
  const resolved = new Set(compliant.map(({ facts }) => facts.id));
  // The tick polls these, again in batches.
  const converging = withVerdict('Converging');
  await Promise.all(converging.map(({ record, assessment }) => scheduleRecheck(work, record, assessment)));
  const observed = new Set([...resolved, ...converging.map(({ facts }) => facts.id)]);
  return {
    outcomes: accountIds.map((accountId) => ({
      accountId,
      outcome: resolved.has(accountId) ? 'resolved' : 'converging',
    })),
    followUps: accountIds.filter((id) => !observed.has(id)).map((id) => accountKey(message, id, ASSOCIABLE)),
    dead: null,
  };
}

/** The listing was refused or failed: a failed read of each account, with one pause for all. */
async function unreadable(
  work: WorkContext,
  message: BatchMessage,
  records: ReadonlyMap<AccountId, AccountRecord>,
  error: CloudError,
): Promise<WorkResult> {
  const draw = work.deps.random();
  const together = { ...work, deps: { ...work.deps, random: () => draw } };
  // A refused listing has a cause that concerns the whole organization: trusted access is off, or the caller lacks permission.
  const isPrerequisite = error.kind === 'Denied' && error.details.ambiguous;
  const cause = isPrerequisite ? new CloudError(error.message, { ...error.details, kind: 'Prerequisite' }) : error;
  const results: WorkResult[] = [];
  for (const accountId of message.accountIds) {
    const record = records.get(accountId) ?? emptyRecord(accountId);
    const key = accountKey(message, accountId, ASSOCIABLE);
    // An open claim belongs to its holder, and the result of its call is determined for each account individually.
    results.push(
      record.conditions[ASSOCIABLE]?.claim
        ? { ...NO_RESULT, followUps: [key] }
        : await failRead(together, key, record, cause),
    );
  }
  return merged(results);
}

/** Waits until the records of accounts that were written one at a time are stored. */
async function stored({ writer }: WorkContext, accountIds: readonly AccountId[]): Promise<void> {
  await Promise.all(accountIds.map((accountId) => writer.settled(accountId)));
}
