import { sha256Hex } from '../../domain/canonical-hash.ts';
import { actionOf } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import { type ChangeResult, CloudError, type SendChange } from '../../ports/cloud.ts';
import { OutdatedPolicyError } from '../coordination/outdated-policy-error.ts';
import { countFailure } from '../ledger/run-stops.ts';
import { type CallScope, leftOut, localError, reachesAll, requestOf, requireAccepted } from './change-request.ts';
import { claim, close, type Part, type Remediated, soonestClaim, unclaimed, unsent } from './claims.ts';
import { ASSESSED_AGAIN, type Failure, outdatedPolicy, refusedChange, undone } from './error-policy.ts';
import { ChangeRefused, checkUntilFresh, type Permission } from './guard.ts';
import { attemptsOf, type Candidate, type Remediation } from './remediation-entries.ts';
import type { WorkContext } from './worker-context.ts';

/*
 * The one remediation protocol, for one account, a batch, or the whole organization. Only this file claims, guards and makes changes.
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
  readonly scope: CallScope;
  readonly optOut: boolean;
  /** A reason against the call that no check of the guard covers. */
  readonly refusal?: ChangeRefused | null;
  /**
   * When the reads that the call relies on began, epoch ms. If it has to wait for the rate limiter for longer than a claim lasts, it is not made, and its
   * account is assessed again. Absent: the call does not wait between reads and claim, or has been postponed often enough.
   */
  readonly readAt?: EpochMs;
  /** Prepares the call if its target is not an account, a batch or the organization. Default: `Cloud.prepareChange`. */
  readonly prepare?: (clientToken: string) => Promise<SendChange>;
  /** The meaning of an error of the call for each of its accounts. */
  explain(error: CloudError, remediations: readonly Remediation[]): Promise<readonly Failure[]>;
}

/**
 * Makes one call, with an intent before it and an outcome after it for every account. If the process dies in between, claim recovery writes the
 * outcome.
 * @returns a result for each account except those to be assessed again: their records or tags changed before the claim, an account was suspended, or
 *   the wait for the rate limiter outdated the reads.
 * @throws CloudError of kind Unauthenticated, after the outcomes are written: no account can be changed.
 */
export async function remediate<Member extends Candidate>(
  work: WorkContext,
  call: RemediationCall<Member>,
): Promise<readonly Remediated<Member>[]> {
  const parts = begin(work, call);
  // Without this check, a call that must not be made would leave intents behind, which count as changes for 24 hours.
  const permission = call.refusal ?? (await permissionToClaim(work, call));
  if (!(permission instanceof ChangeRefused)) return attempt(work, call, parts.map(approvedUnder(permission)));
  if (!ASSESSED_AGAIN.has(permission.reason))
    return close(work, parts.map(unclaimed), (remediation) => refusedChange(permission, attemptsOf(remediation)));
  await work.controls.now();
  return [];
}

/**
 * Makes a call that changes no account now, only those that join later. Its record is the entry that `prepare` writes.
 * @throws ChangeRefused or CloudError
 */
export async function makeForJoiners(
  work: WorkContext,
  key: RemediationCall<Candidate>['key'],
  prepare: () => Promise<SendChange>,
): Promise<void> {
  const about = { accountIds: [], optOut: false } as const;
  await work.guard.check(key, { ...about, stage: 'claim' });
  await work.retrying(async () => {
    const send = await prepare();
    await checkUntilFresh(work.deps.clock, () => work.guard.check(key, { ...about, stage: 'call' }));
    return send();
  });
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

async function permissionToClaim<Member extends Candidate>(
  work: WorkContext,
  call: RemediationCall<Member>,
): Promise<Permission | ChangeRefused> {
  try {
    return await guard(work, call, call.members, 'claim');
  } catch (error) {
    if (error instanceof ChangeRefused) return error;
    throw error;
  }
}

const approvedUnder =
  ({ approvedPlan }: Permission) =>
  <Member extends Candidate>(part: Part<Member>): Part<Member> => ({
    ...part,
    remediation: { ...part.remediation, approvedPlan },
  });

function guard<Member extends Candidate>(
  work: WorkContext,
  { key, optOut, scope }: RemediationCall<Member>,
  accounts: readonly (Candidate & Pick<Remediation, 'approvedPlan'>)[],
  stage: 'claim' | 'call',
): Promise<Permission> {
  const accountIds = accounts.map(({ assessment }) => assessment.accountId);
  const assessments = accounts.map(({ assessment }) => assessment);
  const claimedUnder = accounts[0]?.approvedPlan ?? null;
  const about = { accountIds, optOut, stage, wide: scope === 'organization', assessments, claimedUnder };
  if (scope !== 'configuration') return work.guard.check(key, about);
  // One call opts out some accounts and only enables Automation in others.
  const optOuts = accounts.filter(({ assessment }) => assessment.optOut);
  return work.guard.check(key, { ...about, optOutIds: new Set(optOuts.map(({ assessment }) => assessment.accountId)) });
}

async function attempt<Member extends Candidate>(
  work: WorkContext,
  call: RemediationCall<Member>,
  parts: readonly Part<Member>[],
): Promise<readonly Remediated<Member>[]> {
  let claims = call.scope === 'account' ? null : await claim(work, parts);
  if (claims?.length === 0) return [];
  if (reachesAll(call.scope) && claims !== null && claims.length < parts.length)
    return close(work, claims.map(unsent), notAllClaimed);
  const remediations = (claims ?? parts).map(({ remediation }) => remediation);
  let sent = false;
  const begun = (): Part<Member>[] => claims?.map(sent ? (part) => part : unsent) ?? parts.map(unclaimed);
  let answer: ChangeResult | null;
  try {
    answer = await work.retrying(async () => {
      // The wait for the rate limiter is in here, so the intent and the second guard come after it.
      const send = await prepared(work, call, remediations);
      if (claims === null && isOutdated(work, call)) return null;
      claims ??= await claim(work, parts);
      if (claims.length === 0) return null;
      await guardBeforeSending(work, call, claims);
      sent = true;
      const result = await send();
      for (const each of call.scope === 'account' ? remediations : []) requireAccepted(each, result);
      return result;
    });
  } catch (error) {
    return fail(work, call, begun(), error);
  }
  if (answer === null) return [];
  const accepted = answer;
  return close(work, begun(), (remediation) => leftOut(remediation, accepted), accepted);
}

function isOutdated({ deps, settings }: WorkContext, { readAt }: Pick<RemediationCall<Candidate>, 'readAt'>): boolean {
  return readAt !== undefined && deps.clock.now() - readAt > settings.claimMs;
}

function prepared<Member extends Candidate>(
  work: WorkContext,
  { prepare, scope }: RemediationCall<Member>,
  remediations: readonly Remediation[],
): Promise<SendChange> {
  const token = remediations[0]?.clientToken ?? null;
  if (prepare !== undefined && token !== null) return prepare(token);
  return work.deps.cloud.prepareChange(requestOf(scope, remediations));
}

/** The second guard, as long as the claims last. @throws ChangeRefused, or the CloudError of a claim that has run out. */
function guardBeforeSending<Member extends Candidate>(
  work: WorkContext,
  call: RemediationCall<Member>,
  claims: readonly Part<Member>[],
): Promise<void> {
  const claim = soonestClaim(claims);
  const claimed = claims.map(({ remediation }) => remediation);
  return checkUntilFresh(
    work.deps.clock,
    () => guard(work, call, claimed, 'call'),
    () => requireClaim(work, claim),
  );
}

/** The claim has nearly run out. Not Transient: the same call must not be repeated under this claim. */
export const CLAIM_EXPIRING = 'ClaimExpiring';

/**
 * Once a claim expires, another worker looks for the result of its call. A request sent shortly before could take effect after that check.
 */
function requireClaim(work: WorkContext, { assessment, expiresAt }: ReturnType<typeof soonestClaim>): void {
  if (work.deps.clock.now() <= expiresAt - work.settings.claimMs / 10) return;
  const message = 'waiting and retrying took longer than the claim on the account lasts';
  throw localError(assessment, { code: CLAIM_EXPIRING, kind: 'Invalid', message, ambiguous: false });
}

/** Some accounts could not be claimed, because another worker has written about them since they were assessed. */
export const NOT_ALL_CLAIMED = 'NotAllClaimed';

/** The failure if some accounts could not be claimed: the call would change those too, without an intent. */
function notAllClaimed(remediation: Remediation): Failure {
  const call = remediation.assessment.scope === 'configuration' ? 'call' : 'organization-wide call';
  const message = `the ${call} was not made: some accounts were being changed one by one`;
  const error = { kind: 'Organization', code: NOT_ALL_CLAIMED, message, requestId: null, operation: null };
  return { outcome: undone(attemptsOf(remediation)), error };
}

/** Records for each account that the call was refused or failed. */
async function fail<Member extends Candidate>(
  work: WorkContext,
  call: RemediationCall<Member>,
  begun: readonly Part<Member>[],
  error: unknown,
): Promise<readonly Remediated<Member>[]> {
  if (error instanceof ChangeRefused) {
    if (ASSESSED_AGAIN.has(error.reason)) await work.controls.now();
    return close(work, begun, (remediation) => refusedChange(error, attemptsOf(remediation)));
  }
  if (error instanceof OutdatedPolicyError) {
    // The claims are closed, so that processes with the policy in force need not wait until they expire.
    if (begun.some(({ remediation }) => remediation.intentId !== null))
      await close(work, begun, (remediation) => outdatedPolicy(error, attemptsOf(remediation)));
    throw error;
  }
  if (!(error instanceof CloudError)) throw error;
  const remediations = begun.map(({ remediation }) => remediation);
  const failures = new Map((await call.explain(error, remediations)).map((failure, n) => [remediations[n], failure]));
  const ended = await close(work, begun, (remediation) => failures.get(remediation) ?? null);
  if (error.kind === 'Unauthenticated') throw error;
  const claimed = remediations.some(({ intentId }) => intentId !== null);
  // One call has failed, however many accounts it was about.
  if (claimed && ended.some(({ failure }) => failure?.outcome.counts)) {
    await countFailure(work.deps, work.runs, { runId: call.key.runId, policy: work.policy, planHash: null });
  }
  return ended;
}
