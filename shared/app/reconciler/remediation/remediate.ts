import type { AccountRecord } from '../../../domain/account/record.ts';
import { sha256Hex } from '../../../domain/canonical-hash.ts';
import { actionOf } from '../../../domain/enrollment/kinds/index.ts';
import { mismatchOf } from '../../../domain/enrollment/mismatch.ts';
import type { Assessment } from '../../../domain/enrollment/verdict.ts';
import type { EntryDraft } from '../../../domain/ledger/entry.ts';
import type { WorkMessage } from '../../../domain/work-message.ts';
import { CloudError, type CloudErrorKind } from '../../../ports/cloud.ts';
import { organizationEntry } from '../../ledger/organization-entry.ts';
import { ChangeRefused } from '../checks/guard.ts';
import { readLive } from '../observe-live.ts';
import type { WorkContext } from '../worker-context.ts';
import { errorFacts, failureEntry, holdsClaim, intentEntry, type Remediation, successEntry } from './entries.ts';
import { disambiguate, type FailureOutcome, fateOf } from './error-policy.ts';
import { lastLook } from './final-check.ts';
import { CLAIM_EXPIRING, ownError } from './local-error.ts';
import { letGo, vetoEntry } from './pre-claim-guard.ts';
import { type Answer, send } from './send-call.ts';

/** The chain moved under us before anything was done: look again. */
class StaleRecordError extends Error {
  override readonly name = 'StaleRecordError';
}

export type Acted =
  | { readonly kind: 'acted'; readonly record: AccountRecord }
  | { readonly kind: 'redecide'; readonly record: AccountRecord }
  | {
      readonly kind: 'failed';
      readonly record: AccountRecord;
      readonly fate: FailureOutcome;
      readonly error: CloudError;
    }
  | { readonly kind: 'vetoed'; readonly record: AccountRecord; readonly veto: ChangeRefused };

/** On whose account it acts. */
type Key = Pick<WorkMessage, 'runId' | 'planHash'>;

/** The claim of one undertaking: taken when its first request is about to leave, closed with its outcome. */
interface Claim {
  record: AccountRecord;
  expiresAt: number | null;
  /** A request was sent, or may have been: from then on something may have changed. */
  sent: boolean;
}

/**
 * Makes the one call that an assessment asks for: intent (durable), guard, call, outcome. Whatever happens after the intent, an
 * outcome is written, here or by whoever finds the claim expired.
 * @throws CloudError of kind Unauthenticated (after its outcome is written): nothing can be done for any account.
 */
export async function act(work: WorkContext, key: Key, record: AccountRecord, assessment: Assessment): Promise<Acted> {
  const { runId } = key;
  const intentId = work.deps.newId();
  const tokenless = actionOf(assessment.enrollment, assessment.action)?.idempotent !== true;
  // Reused only to repeat this very call; a new intent has a new token (design, "Errors").
  const clientToken = tokenless ? null : sha256Hex(intentId);
  const undertaking: Remediation = { runId, assessment, record, intentId, clientToken, batch: null };
  const claim: Claim = { record, expiresAt: null, sent: false };
  try {
    // Asked before anything is claimed as well: a run that was stopped should not write two entries for every key that is left.
    await work.guard.check(key, [assessment.accountId], assessment.optOut, 'claim');
    const answer = await work.retrying(() =>
      send(work.deps.cloud, undertaking, () => leave(work, key, undertaking, claim)),
    );
    if (answer.refused !== null) throw refusal(assessment, answer);
    return { kind: 'acted', record: await write(work, undertaking, claim, successEntry(work, undertaking, answer)) };
  } catch (error) {
    if (error instanceof StaleRecordError) return { kind: 'redecide', record: await work.journal.caughtUp(record) };
    if (error instanceof ChangeRefused) return vetoed(work, undertaking, claim, error);
    if (error instanceof CloudError) return failed(work, undertaking, claim, error);
    throw error;
  }
}

/** Right before the request leaves: the claim, once, then the guard, each time. */
async function leave(work: WorkContext, key: Key, undertaking: Remediation, claim: Claim): Promise<void> {
  const { assessment, record } = undertaking;
  const now = work.deps.clock.now();
  if (claim.expiresAt === null) {
    const intent = intentEntry(work, undertaking);
    const decide = (current: AccountRecord): EntryDraft[] => {
      if (current.head.hash !== record.head.hash) throw new StaleRecordError();
      return [intent];
    };
    claim.record = (await work.journal.write(assessment.accountId, decide, record)).record;
    claim.expiresAt = now + work.settings.claimMs;
  }
  const { expiresAt } = claim;
  await lastLook(work, { assessment, expiresAt }, () =>
    work.guard.check(key, [assessment.accountId], assessment.optOut),
  );
  claim.sent = true;
}

/**
 * Writes the outcome of an undertaking: behind its own claim if it has one that nobody closed meanwhile; otherwise only if the record
 * has not moved since it was judged.
 */
async function write(
  work: WorkContext,
  undertaking: Remediation,
  claim: Claim,
  outcome: EntryDraft,
): Promise<AccountRecord> {
  const { assessment, record } = undertaking;
  const decide = (current: AccountRecord): EntryDraft[] => {
    const ours = claim.expiresAt === null ? current.head.hash === record.head.hash : holdsClaim(current, undertaking);
    return ours ? [outcome] : [];
  };
  return (await work.journal.write(assessment.accountId, decide, claim.record)).record;
}

/** The undertaking for its outcome entry: without an intent if nothing was claimed, marked `unsent` if no request was sent. */
function begunBy(undertaking: Remediation, { expiresAt, sent }: Claim): Remediation {
  return expiresAt === null ? { ...undertaking, intentId: null, clientToken: null } : { ...undertaking, unsent: !sent };
}

async function vetoed(work: WorkContext, undertaking: Remediation, claim: Claim, veto: ChangeRefused): Promise<Acted> {
  if (veto.reason === 'suspendedByOperator') return suspended(work, undertaking, claim, veto);
  const begun = begunBy(undertaking, claim);
  return { kind: 'vetoed', record: await write(work, undertaking, claim, vetoEntry(work, begun, veto)), veto };
}

/** Suspended since it was judged: what was claimed is let go, and the account is judged anew, as Suspended. */
async function suspended(
  work: WorkContext,
  undertaking: Remediation,
  claim: Claim,
  veto: ChangeRefused,
): Promise<Acted> {
  await work.controls.now();
  if (claim.expiresAt === null) {
    return { kind: 'redecide', record: await work.journal.caughtUp(undertaking.record) };
  }
  return {
    kind: 'redecide',
    record: await write(work, undertaking, claim, letGo(work, begunBy(undertaking, claim), veto)),
  };
}

async function failed(work: WorkContext, undertaking: Remediation, claim: Claim, error: CloudError): Promise<Acted> {
  const { assessment, record } = undertaking;
  const { clock, random } = work.deps;
  const live = error.details.ambiguous ? await readAgain(work, assessment) : null;
  const done = live !== null && mismatchOf(assessment.desired, live) === null;
  const attempts = record.conditions[assessment.enrollment]?.attempts ?? 0;
  const fate: FailureOutcome = done
    ? { ...HEALED, attempts }
    : fateOf({
        kind: error.details.ambiguous
          ? disambiguate(error.kind, assessment.enrollment, assessment.target, live, clock.now())
          : kindOf(error),
        enrollment: assessment.enrollment,
        attempts,
        maxAttempts: work.settings.maxAttempts,
        now: clock.now(),
        random,
        lastUpdated: live?.lastUpdated ?? assessment.lastUpdated,
      });
  const begun = begunBy(undertaking, claim);
  const after = await write(work, undertaking, claim, failureEntry(work, begun, fate, errorFacts(error)));
  if (error.kind === 'Unauthenticated') throw error;
  if (fate.counts && claim.expiresAt !== null) await countFailure(work, undertaking.runId);
  return done ? { kind: 'acted', record: after } : { kind: 'failed', record: after, fate, error };
}

/** A claim that ran out while we waited says nothing against the call: it is tried again as after any trouble that passes. */
function kindOf(error: CloudError): CloudErrorKind {
  return error.details.code === CLAIM_EXPIRING ? 'Transient' : error.kind;
}

/** The call was refused because what it asks for is so already (someone was faster): looked at again at once, and no failure. */
const HEALED = { verdict: 'Drifted', reason: 'retrying', notBefore: null, dead: false, counts: false } as const;

/** A mutating call failed: enough of them stop the run, and everybody is told. */
export async function countFailure(work: WorkContext, runId: string): Promise<void> {
  const trip = await work.runs.countFailure(runId, work.policy);
  if (trip === null) return;
  const run = { runId, policy: work.policy, planHash: null };
  const rest = { reason: trip.reason, detail: { message: trip.message } };
  await work.journal.organization(() => organizationEntry(work.deps, run, 'GuardrailTripped', rest));
}

/** A code of several causes: the state decides. If it can't be read either, the code is taken at face value. */
async function readAgain(work: WorkContext, assessment: Assessment) {
  try {
    return await readLive(work, assessment.accountId, assessment.enrollment);
  } catch (error) {
    if (error instanceof CloudError && error.kind !== 'Unauthenticated') return null;
    throw error;
  }
}

/** A batch call of one that left its one account out. */
function refusal(assessment: Assessment, answer: Answer): CloudError {
  return ownError(assessment, 'NotAmongSucceeded', 'Prerequisite', answer.refused ?? 'AWS gives no reason', true);
}
