import type { AccountRecord } from '../../../domain/account/record.ts';
import { sha256Hex } from '../../../domain/canonical-hash.ts';
import { actionOf } from '../../../domain/enrollment/kinds/index.ts';
import type { EntryDraft } from '../../../domain/ledger/entry.ts';
import type { WorkMessage } from '../../../domain/work-message.ts';
import { type ChangeResult, CloudError } from '../../../ports/cloud.ts';
import { entryContext, organizationEntry } from '../../ledger/organization-entry.ts';
import { ChangeRefused } from '../checks/check.ts';
import type { WorkContext } from '../worker-context.ts';
import { finalCheck } from './claim-still-held.ts';
import { attemptsOf, type Candidate, failureEntry, intentEntry, type Remediation, successEntry } from './entries.ts';
import { type Failure, refusedChange, undone } from './error-policy.ts';
import { type CallScope, leftOut, sendCall } from './send-call.ts';

/*
 * The one remediation protocol, for one account, a batch, or the whole organization. Claims are written, guarded and closed only here.
 *
 *   guard ──▶ claim ──▶ rate limit ──▶ guard ──▶ call ──▶ outcome ──▶ the caller observes
 *     │         │                        │         └ error: the call explains it for each account
 *     │         │                        └ refused: the claims are closed as Blocked
 *     │         └ the record changed since the assessment: no claim, and the caller assesses the account again
 *     └ refused: Blocked, without a claim
 *
 * A call for one account claims after the rate limit, so that a role that cannot be assumed leaves no intent behind. Other calls claim
 * before it, because a request has to name exactly the accounts that are claimed.
 */

/** One mutating call: its accounts, and how it differs from other calls. */
export interface RemediationCall<Member extends Candidate> {
  readonly key: Pick<WorkMessage, 'runId' | 'planHash'>;
  readonly members: readonly Member[];
  /** A `batch` changes the members that could be claimed. The call for the `organization` changes every account, so it needs all claims. */
  readonly scope: CallScope;
  readonly optOut: boolean;
  /** A reason why the call must not be made that no check of the guard covers. */
  readonly refusal?: ChangeRefused | null;
  /** The meaning of an error of the call for each of its accounts. */
  explain(error: CloudError, remediations: readonly Remediation[]): Promise<readonly Failure[]>;
}

/** The result of the protocol for one account. */
export interface Remediated<Member extends Candidate> {
  readonly member: Member;
  /** The record after the outcome. */
  readonly record: AccountRecord;
  /** `null`: AWS accepted the change. */
  readonly failure: Failure | null;
}

/** One account of a call, with the record as last written. */
interface Part<Member extends Candidate> {
  readonly member: Member;
  readonly remediation: Remediation;
  readonly record: AccountRecord;
}

/** No account could be claimed once the request was about to leave. */
class NothingClaimedError extends Error {
  override readonly name = 'NothingClaimedError';
}

/**
 * Makes one call, with an intent before it and an outcome after it for every account. An intent whose worker dies is closed by claim recovery.
 * @returns a result for each account except those to be assessed again: their records changed before the claim, or an account was suspended.
 * @throws CloudError of kind Unauthenticated, after the outcomes are written: no account can be changed.
 */
export async function remediate<Member extends Candidate>(
  work: WorkContext,
  call: RemediationCall<Member>,
): Promise<readonly Remediated<Member>[]> {
  const parts = begin(work, call);
  // Without this check, a call that must not be made would leave intents behind, which count as changes for 24 hours.
  const refusal = call.refusal ?? (await refusalBeforeClaim(work, call));
  if (refusal === null) return attempt(work, call, parts);
  if (refusal.reason !== 'suspendedByOperator')
    return close(work, parts.map(unclaimed), (remediation) => refusedChange(refusal, attemptsOf(remediation)));
  await work.controls.now();
  return [];
}

/** Intent ids and the client token, which is reused only to repeat this very call. */
function begin<Member extends Candidate>(work: WorkContext, call: RemediationCall<Member>): Part<Member>[] {
  const intentIds = call.members.map(() => work.deps.newId());
  const clientToken = sha256Hex(intentIds.join(' '));
  const batch = call.scope === 'batch' ? call.members.map(({ assessment }) => assessment.accountId) : null;
  return call.members.map((member, index) => {
    const { record, assessment, detail = {} } = member;
    const takesToken = actionOf(assessment.enrollment, assessment.action)?.idempotent === true;
    const intentId = intentIds[index] ?? null;
    const remediation = {
      record,
      assessment,
      detail,
      runId: call.key.runId,
      intentId,
      clientToken: takesToken ? clientToken : null,
      batch,
    };
    return { member, record, remediation };
  });
}

async function refusalBeforeClaim<Member extends Candidate>(
  work: WorkContext,
  call: RemediationCall<Member>,
): Promise<ChangeRefused | null> {
  try {
    await guard(work, call, call.members, 'claim');
    return null;
  } catch (error) {
    if (error instanceof ChangeRefused) return error;
    throw error;
  }
}

function guard<Member extends Candidate>(
  work: WorkContext,
  { key, optOut, scope }: RemediationCall<Member>,
  accounts: readonly Candidate[],
  stage: 'claim' | 'call',
): Promise<() => Promise<void>> {
  const accountIds = accounts.map(({ assessment }) => assessment.accountId);
  return work.guard.check(key, { accountIds, optOut, stage, wide: scope === 'organization' });
}

async function attempt<Member extends Candidate>(
  work: WorkContext,
  call: RemediationCall<Member>,
  parts: readonly Part<Member>[],
): Promise<readonly Remediated<Member>[]> {
  let claims = call.scope === 'account' ? null : await claim(work, parts);
  if (claims?.length === 0) return [];
  if (call.scope === 'organization' && claims !== null && claims.length < parts.length)
    return close(work, claims.map(unsent), notAllClaimed);
  let sent = false;
  const beforeSend = async (): Promise<void> => {
    const claimed = claims ?? (await claim(work, parts));
    if (claimed.length === 0) throw new NothingClaimedError();
    claims = claimed;
    await finalCheck(work, soonestClaim(claimed), () =>
      guard(
        work,
        call,
        claimed.map(({ remediation }) => remediation),
        'call',
      ),
    );
    sent = true;
  };
  const begun = (): Part<Member>[] => claims?.map(sent ? (part) => part : unsent) ?? parts.map(unclaimed);
  const sending = (claims ?? parts).map(({ remediation }) => remediation);
  let answer: ChangeResult;
  try {
    answer = await work.retrying(() => sendCall(work.deps.cloud, call.scope, sending, beforeSend));
  } catch (error) {
    if (error instanceof NothingClaimedError) return [];
    return fail(work, call, begun(), error);
  }
  return close(work, begun(), (remediation) => leftOut(remediation, answer), answer);
}

const unclaimed = <Member extends Candidate>(part: Part<Member>): Part<Member> => {
  return { ...part, remediation: { ...part.remediation, intentId: null, clientToken: null } };
};

const unsent = <Member extends Candidate>(part: Part<Member>): Part<Member> => {
  return { ...part, remediation: { ...part.remediation, unsent: true } };
};

/** The organization-wide call would change the other accounts too, without intents for them. */
function notAllClaimed(remediation: Remediation): Failure {
  const message = 'the organization-wide call was not made: some accounts were being changed one by one';
  const error = { kind: 'Organization', code: 'NotAllClaimed', message, requestId: null, operation: null };
  return { outcome: undone(attemptsOf(remediation)), error };
}

/**
 * Writes an intent for each account. An account is claimed only on top of the record that it was assessed by: a later writer
 * may have seen something newer. @returns the accounts that are claimed.
 */
async function claim<Member extends Candidate>(
  work: WorkContext,
  parts: readonly Part<Member>[],
): Promise<readonly Part<Member>[]> {
  const records = await writeEach(work, parts, (current, { remediation }) =>
    isUnmoved(current, remediation) ? intentEntry(work, remediation) : null,
  );
  const claimed = parts.map((part, index) => ({ ...part, record: records[index] ?? part.record }));
  return claimed.filter(({ record, remediation }) => holdsClaim(record, remediation));
}

function soonestClaim<Member extends Candidate>(claims: readonly Part<Member>[]) {
  const [first, ...others] = claims.map(({ record, remediation: { assessment } }) => {
    return { assessment, expiresAt: Date.parse(record.conditions[assessment.enrollment]?.claim?.expiresAt ?? '') };
  });
  if (first === undefined) throw new Error('a call needs an account');
  return others.reduce((soonest, other) => (other.expiresAt < soonest.expiresAt ? other : soonest), first);
}

/** Records for each account that the call was refused or failed. */
async function fail<Member extends Candidate>(
  work: WorkContext,
  call: RemediationCall<Member>,
  begun: readonly Part<Member>[],
  error: unknown,
): Promise<readonly Remediated<Member>[]> {
  if (error instanceof ChangeRefused) {
    if (error.reason === 'suspendedByOperator') await work.controls.now();
    return close(work, begun, (remediation) => refusedChange(error, attemptsOf(remediation)));
  }
  if (!(error instanceof CloudError)) throw error;
  const remediations = begun.map(({ remediation }) => remediation);
  const failures = new Map((await call.explain(error, remediations)).map((failure, n) => [remediations[n], failure]));
  const ended = await close(work, begun, (remediation) => failures.get(remediation) ?? null);
  if (error.kind === 'Unauthenticated') throw error;
  const claimed = remediations.some(({ intentId }) => intentId !== null);
  // One call has failed, however many accounts it was about.
  if (claimed && ended.some(({ failure }) => failure?.outcome.counts)) await countFailure(work, call.key.runId);
  return ended;
}

/** Enough failed calls stop the run, which is recorded once. */
async function countFailure(work: WorkContext, runId: string): Promise<void> {
  const trip = await work.runs.countFailure(runId, work.policy);
  if (trip === null) return;
  const run = { runId, policy: work.policy, planHash: null };
  const rest = { reason: trip.reason, detail: { message: trip.message } };
  await work.journal.organization(() => organizationEntry(entryContext(work.deps, run), 'GuardrailTripped', rest));
}

/** Records a failure that happened before any call: in a read, or in the result of an earlier call. @returns the record after it. */
export async function recordFailure(
  work: WorkContext,
  runId: string,
  candidate: Candidate,
  failure: Failure,
): Promise<AccountRecord> {
  const { record } = candidate;
  const remediation = { ...candidate, runId, intentId: null, clientToken: null, batch: null };
  const [ended] = await close(work, [{ member: candidate, record, remediation }], () => failure);
  return ended?.record ?? record;
}

/** Writes the outcome of each account: behind its own claim, or, without one, only if the record has not changed since the assessment. */
async function close<Member extends Candidate>(
  work: WorkContext,
  parts: readonly Part<Member>[],
  failureOf: (remediation: Remediation) => Failure | null,
  answer: Pick<ChangeResult, 'requestId' | 'message'> = { requestId: null, message: null },
): Promise<readonly Remediated<Member>[]> {
  const ends = parts.map((part) => ({ ...part, failure: failureOf(part.remediation) }));
  const records = await writeEach(work, ends, (current, { remediation, failure }) => {
    const isOurs = remediation.intentId === null ? isUnmoved : holdsClaim;
    if (!isOurs(current, remediation)) return null;
    return failure === null ? successEntry(work, remediation, answer) : failureEntry(work, remediation, failure);
  });
  return ends.map(({ member, record, failure }, index) => ({ member, failure, record: records[index] ?? record }));
}

const isUnmoved = (current: AccountRecord, { record }: Remediation): boolean => current.head.hash === record.head.hash;

/** Otherwise claim recovery has closed it. */
const holdsClaim = (current: AccountRecord, { assessment, intentId }: Remediation): boolean =>
  current.conditions[assessment.enrollment]?.claim?.entryId === intentId;

/** Accounts written at a time. */
const CHUNK = 500;

/**
 * Writes at most one entry for each account. The record of an account that is changed alone is stored in the background.
 * @returns the records after it.
 */
async function writeEach<Item extends { readonly record: AccountRecord; readonly remediation: Remediation }>(
  { journal }: WorkContext,
  items: readonly Item[],
  entryFor: (current: AccountRecord, item: Item) => EntryDraft | null,
): Promise<readonly AccountRecord[]> {
  const writes = items.map((item) => ({
    record: item.record,
    decide: (current: AccountRecord): EntryDraft[] => [entryFor(current, item) ?? []].flat(),
  }));
  const [only, ...others] = writes;
  if (only !== undefined && others.length === 0 && items.every(isAlone))
    return [(await journal.write(only.record.accountId, only.decide, only.record)).record];
  const records: AccountRecord[] = [];
  for (let at = 0; at < writes.length; at += CHUNK)
    for (const { record } of await journal.writeMany(writes.slice(at, at + CHUNK))) records.push(record);
  return records;
}

const isAlone = ({ remediation: { batch, assessment } }: { readonly remediation: Remediation }): boolean =>
  batch === null && assessment.scope !== 'organization';
