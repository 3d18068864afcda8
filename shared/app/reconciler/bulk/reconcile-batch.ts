import type { AccountRecord } from '../../../domain/account/record.ts';
import { sha256Hex } from '../../../domain/canonical-hash.ts';
import { toChange } from '../../../domain/decision/plan.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { Assessment } from '../../../domain/enrollment/verdict.ts';
import type { EntryDraft } from '../../../domain/ledger/entry.ts';
import { type ChangeResult, CloudError } from '../../../ports/cloud.ts';
import { allows } from '../../plan/plan.ts';
import { ChangeRefused } from '../checks/guard.ts';
import {
  errorFacts,
  failureEntry,
  holdsClaim,
  intentEntry,
  type Remediation,
  successEntry,
} from '../remediation/entries.ts';
import { lastLook } from '../remediation/final-check.ts';
import { blockAll, letGo, mayClaim, vetoEntry } from '../remediation/pre-claim-guard.ts';
import { lookAgain } from '../schedule-recheck.ts';
import { NOTHING, outcomeOf, type WorkContext, type WorkResult } from '../worker-context.ts';
import { judgeMembers, type Member, oldest, readRecent } from './batch-observation.ts';
import { alone, type BatchMessage, type Claimed, closeAll, failTogether, unreadable } from './batch-outcome.ts';
import { ownAutomationOff } from './management-prerequisite.ts';

/**
 * Reconciles up to 50 accounts by one AssociateAccounts or DisassociateAccounts call. Re-reads them through one listing, claims
 * each, calls once, and writes an outcome for each: an id that the answer does not name did not succeed [API_automation_AssociateAccounts].
 * Accounts that no longer want this call, or that someone else holds, go on alone as keys of their own.
 */
export async function reconcileBatch(work: WorkContext, message: BatchMessage): Promise<WorkResult> {
  const records = await work.deps.records.getMany(message.accountIds);
  const own = await work.deps.records.get(work.caller.accountId);
  const listing = await readRecent(work, oldest(work, [...records.values(), ...(own === null ? [] : [own])]));
  if (listing instanceof CloudError) return unreadable(work, message, records, listing);
  const members = await judgeMembers(work, message, message.accountIds, listing, records);
  const willing: Member[] = [];
  for (const member of members) if (await wants(work, message, member)) willing.push(member);
  const optOut = message.operation === 'DisassociateAccounts';
  const held = optOut || willing.length === 0 ? null : ownAutomationOff(work, own);
  if (held !== null) {
    await blockAll(work, message.runId, willing, held);
    return afterVeto(message, members, willing);
  }
  const leave = willing.length === 0 || (await leaveToClaim(work, message, willing, optOut));
  if (leave === 'each') return eachAlone(message, members, willing);
  if (!leave) return afterVeto(message, members, willing);
  const claimed = await claimAll(work, message, willing);
  const settled = members.filter((member) => rests(work, member));
  await Promise.all(settled.map(({ record, assessment }) => lookAgain(work, record, assessment)));
  const taken = new Set([...claimed, ...settled].map(({ facts }) => facts.id));
  const followUps = message.accountIds.filter((id) => !taken.has(id)).map((id) => alone(message, id));
  const outcomes = settled.map(({ facts, assessment }) => ({
    accountId: facts.id,
    outcome: outcomeOf(assessment.verdict),
  }));
  if (claimed.length === 0) return { outcomes, followUps, dead: null };
  const acted = await callOnce(work, message, claimed);
  return {
    outcomes: [...outcomes, ...acted.outcomes],
    followUps: [...followUps, ...acted.followUps],
    dead: acted.dead,
  };
}

/** `each`: one of them is suspended since it was judged. The batch is given up for single keys, which find out whom it is about. */
async function leaveToClaim(
  work: WorkContext,
  message: BatchMessage,
  willing: readonly Member[],
  optOut: boolean,
): Promise<boolean | 'each'> {
  try {
    return await mayClaim(work, message, willing, optOut);
  } catch (error) {
    if (error instanceof ChangeRefused) return 'each';
    throw error;
  }
}

function eachAlone(message: BatchMessage, members: readonly Member[], willing: readonly Member[]): WorkResult {
  const settled = members.filter((member) => !isOpen(member.assessment) && !willing.includes(member));
  const open = message.accountIds.filter((id) => !settled.some(({ facts }) => facts.id === id));
  return { outcomes: [], followUps: open.map((id) => alone(message, id)), dead: null };
}

/** The call must not be made: those that it would have been about are recorded as Blocked, the others go on alone. */
function afterVeto(message: BatchMessage, members: readonly Member[], willing: readonly Member[]): WorkResult {
  const blocked = willing.map(({ facts }) => ({ accountId: facts.id, outcome: 'blocked' as const }));
  const closed = members.filter((member) => !isOpen(member.assessment) || willing.includes(member));
  const followUps = message.accountIds
    .filter((id) => !closed.some(({ facts }) => facts.id === id))
    .map((id) => alone(message, id));
  return { outcomes: blocked, followUps, dead: null };
}

/** Nothing is to be done about it now: it is as wanted, under way, blocked, or pauses after a failure. */
function rests({ deps }: WorkContext, { assessment }: Member): boolean {
  const pauses = assessment.verdict === 'Drifted' && (assessment.notBefore ?? 0) > deps.clock.now();
  return pauses || !isOpen(assessment);
}

const isOpen = ({ verdict }: Assessment): boolean => verdict === 'Drifted' || verdict === 'Unknown';

async function wants(
  work: WorkContext,
  message: BatchMessage,
  { assessment, facts, record }: Member,
): Promise<boolean> {
  if (assessment.verdict !== 'Drifted' || assessment.action !== message.operation) return false;
  if (record.conditions.automation?.claim) return false;
  if (assessment.notBefore !== null && assessment.notBefore > work.deps.clock.now()) return false;
  if (message.planHash === null) return true;
  const allowed = await work.runs.planKeys(message.planHash);
  return allowed !== null && allows(allowed, toChange(assessment, facts));
}

/** Writes an intent for each account; those whose chain moved meanwhile are not claimed. */
async function claimAll(work: WorkContext, message: BatchMessage, members: readonly Member[]): Promise<Claimed[]> {
  if (members.length === 0) return [];
  const batch = members.map(({ facts }) => facts.id);
  const intentIds = members.map(() => work.deps.newId());
  const clientToken = sha256Hex(intentIds.join(' '));
  const undertakings = members.map(({ assessment, record }, index): Remediation => {
    return { runId: message.runId, assessment, record, intentId: intentIds[index] ?? null, clientToken, batch };
  });
  const written = await work.journal.writeMany(
    undertakings.map((undertaking) => ({
      record: undertaking.record,
      decide: (current: AccountRecord) =>
        current.head.hash === undertaking.record.head.hash ? [intentEntry(work, undertaking)] : [],
    })),
  );
  return members.flatMap((member, index) => {
    const record = written[index]?.record;
    const undertaking = undertakings[index];
    if (record === undefined || undertaking === undefined || !holdsClaim(record, undertaking)) return [];
    return [{ ...member, record, undertaking }];
  });
}

const claimEnd = ({ conditions }: AccountRecord): number => Date.parse(conditions.automation?.claim?.expiresAt ?? '');

async function callOnce(work: WorkContext, message: BatchMessage, claimed: readonly Claimed[]): Promise<WorkResult> {
  const { cloud } = work.deps;
  const accountIds = claimed.map(({ facts }) => facts.id);
  const optOut = message.operation === 'DisassociateAccounts';
  const request = {
    kind: 'automation',
    action: message.operation,
    target: { scope: 'batch', accountIds },
    status: optOut ? 'Inactive' : 'Active',
    clientToken: claimed[0]?.undertaking.clientToken ?? null,
  } as const;
  const expiresAt = Math.min(...claimed.map(({ record }) => claimEnd(record)));
  let sent = false;
  const beforeSend = async (): Promise<void> => {
    const [first] = claimed;
    if (first === undefined) throw new Error('a call for nobody');
    const { assessment } = first;
    await lastLook(work, { assessment, expiresAt }, () => work.guard.check(message, accountIds, optOut));
    sent = true;
  };
  try {
    const result = await work.retrying(() => cloud.change(request, beforeSend));
    return await writeOutcomes(work, message, claimed, result);
  } catch (error) {
    const told = claimed.map((one) => ({ ...one, undertaking: { ...one.undertaking, unsent: !sent } }));
    if (error instanceof ChangeRefused) return vetoedAll(work, message, told, error);
    if (error instanceof CloudError) return failedAll(work, message, told, error);
    throw error;
  }
}

async function writeOutcomes(
  work: WorkContext,
  message: BatchMessage,
  claimed: readonly Claimed[],
  { requestId, refused }: ChangeResult,
): Promise<WorkResult> {
  await closeAll(work, claimed, ({ undertaking, facts }) => {
    if (!refused.has(facts.id)) return successEntry(work, undertaking, { requestId, message: null });
    const message = refused.get(facts.id) ?? 'AWS left the account out of the batch and gave no reason';
    return undoEntry(work, undertaking, { code: 'NotAmongSucceeded', message, requestId });
  });
  const done = claimed.filter(({ facts }) => !refused.has(facts.id)).map(({ facts }) => facts.id);
  const rest = claimed.filter(({ facts }) => refused.has(facts.id)).map(({ facts }) => alone(message, facts.id));
  const verified = await verify(work, message, done);
  return { outcomes: verified.outcomes, followUps: [...rest, ...verified.followUps], dead: null };
}

/** Looks at what AWS shows now: only that makes an account Compliant. What needs a further step goes on as a key of its own. */
async function verify(work: WorkContext, message: BatchMessage, accountIds: readonly AccountId[]): Promise<WorkResult> {
  if (accountIds.length === 0) return NOTHING;
  const now = work.deps.clock.now();
  const listing = await work.automationListing.begunAfter(now);
  const records = await work.deps.records.getMany(accountIds);
  const members = await judgeMembers(work, message, accountIds, listing, records);
  const resolved = members.filter(({ assessment }) => assessment.verdict === 'Compliant').map(({ facts }) => facts.id);
  const open = accountIds.filter((id) => !resolved.includes(id));
  // What is under way is polled by the tick, again in batches.
  const underWay = members.filter(({ assessment }) => assessment.verdict === 'Converging');
  await Promise.all(underWay.map(({ record, assessment }) => lookAgain(work, record, assessment)));
  const polled = new Set(underWay.map(({ facts }) => facts.id));
  return {
    outcomes: [
      ...resolved.map((accountId) => ({ accountId, outcome: 'resolved' as const })),
      ...open.map((accountId) => ({ accountId, outcome: 'converging' as const })),
    ],
    followUps: open.filter((id) => !polled.has(id)).map((id) => alone(message, id)),
    dead: null,
  };
}

/** The call was not made, or failed as a whole: where that has a cause in common, they wait together; else each goes on alone. */
async function failedAll(
  work: WorkContext,
  message: BatchMessage,
  claimed: readonly Claimed[],
  error: CloudError,
): Promise<WorkResult> {
  const facts = errorFacts(error);
  const undo = () => closeAll(work, claimed, ({ undertaking }) => undoEntry(work, undertaking, facts));
  if (error.kind === 'Unauthenticated') {
    await undo();
    throw error;
  }
  const together = await failTogether(work, message.runId, claimed, error);
  if (together !== null) return { ...together, followUps: [] };
  await undo();
  const followUps = claimed.map((member) => alone(message, member.facts.id));
  const outcomes = claimed.map((member) => ({ accountId: member.facts.id, outcome: 'retrying' as const }));
  return { outcomes, followUps, dead: null };
}

async function vetoedAll(
  work: WorkContext,
  message: BatchMessage,
  claimed: readonly Claimed[],
  veto: ChangeRefused,
): Promise<WorkResult> {
  if (veto.reason === 'suspendedByOperator') {
    await closeAll(work, claimed, ({ undertaking }) => letGo(work, undertaking, veto));
    return { outcomes: [], followUps: claimed.map(({ facts }) => alone(message, facts.id)), dead: null };
  }
  await closeAll(work, claimed, ({ undertaking }) => vetoEntry(work, undertaking, veto));
  return {
    outcomes: claimed.map(({ facts }) => ({ accountId: facts.id, outcome: 'blocked' })),
    followUps: [],
    dead: null,
  };
}

/** The outcome of an account for which the batch came to nothing: still drifted, free to be tried alone at once. */
function undoEntry(
  work: WorkContext,
  undertaking: Remediation,
  error: { readonly code: string; readonly message: string; readonly requestId: string | null },
): EntryDraft {
  const attempts = undertaking.record.conditions.automation?.attempts ?? 0;
  const fate = { verdict: 'Drifted' as const, reason: 'retrying' as const, notBefore: null, attempts };
  return failureEntry(work, undertaking, fate, { kind: 'Batch', operation: null, ...error });
}
