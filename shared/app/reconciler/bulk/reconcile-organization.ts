import { type AccountRecord, emptyRecord } from '../../../domain/account/record.ts';
import { transition } from '../../../domain/account/transition.ts';
import { isChange, toChange } from '../../../domain/decision/plan.ts';
import { ENROLLMENT_IDS } from '../../../domain/enrollment/kinds/index.ts';
import type { EntryDraft } from '../../../domain/ledger/entry.ts';
import type { WorkMessage } from '../../../domain/work-message.ts';
import { CloudError } from '../../../ports/cloud.ts';
import type { RunContext } from '../../context.ts';
import { changesBehind } from '../../events/change-attribution.ts';
import { standsUnder } from '../../guardrails/controls.ts';
import { organizationWide } from '../../plan/organization-call.ts';
import { foundOf } from '../../scan/scan.ts';
import { noteTrustedAccess } from '../../scan/trusted-access.ts';
import type { AssessedAccount } from '../../survey/assessment-table.ts';
import { needsRecordingUnder } from '../../survey/needs-recording.ts';
import { type Survey, survey } from '../../survey/survey.ts';
import { messagesFor } from '../../work-queue/enqueue-changes.ts';
import { ChangeRefused } from '../checks/guard.ts';
import {
  type ErrorFacts,
  errorFacts,
  failureEntry,
  holdsClaim,
  intentEntry,
  type Remediation,
  successEntry,
} from '../remediation/entries.ts';
import { lastLook } from '../remediation/final-check.ts';
import { letGo, mayClaim, vetoEntry } from '../remediation/pre-claim-guard.ts';
import { entryContext, type WorkContext, type WorkResult } from '../worker-context.ts';

type OrganizationMessage = Extract<WorkMessage, { kind: 'organization' }>;
type Claimed = { readonly undertaking: Remediation; readonly record: AccountRecord };

/** Accounts written at a time. */
const CHUNK = 500;

/**
 * The one organization-wide call. Looks at the whole organization again just before, and falls back to single keys if anything in it
 * speaks against the call by now. Every account that it changes has its own intent and outcome, and is verified by listing afterwards.
 */
export async function reconcileOrganization(work: WorkContext, message: OrganizationMessage): Promise<WorkResult> {
  const seen = await look(work);
  const drifted = seen.assessed.filter(({ assessments: { computeOptimizer } }) => {
    return computeOptimizer.verdict === 'Drifted' && computeOptimizer.action === 'UpdateEnrollmentStatus';
  });
  if (drifted.length === 0) return { outcomes: [], followUps: [], dead: null };
  if (!organizationWide(work.policy, seen).used) return oneByOne(work, message, drifted);
  const wanted = drifted.map(({ account, assessments, record }) => {
    return { record: record ?? emptyRecord(account.id), assessment: assessments.computeOptimizer };
  });
  const leave = await leaveToClaim(work, message, wanted);
  if (leave === 'oneByOne') return oneByOne(work, message, drifted);
  if (!leave) return blocked(drifted);
  const claimed = await claimAll(work, message, drifted);
  const [first] = claimed;
  if (first === undefined || claimed.length < drifted.length) return outrun(work, message, drifted, claimed);
  const accountIds = claimed.map(({ record }) => record.accountId);
  const expiresAt = Math.min(
    ...claimed.map(({ record }) => Date.parse(record.conditions.computeOptimizer?.claim?.expiresAt ?? '')),
  );
  let sent = false;
  const beforeSend = async (): Promise<void> => {
    const { assessment } = first.undertaking;
    const ask = () => work.guard.check(message, accountIds, false, 'call', true);
    await lastLook(work, { assessment, expiresAt }, ask);
    sent = true;
  };
  const request = {
    kind: 'computeOptimizer',
    action: 'UpdateEnrollmentStatus',
    target: { scope: 'organization' },
    status: 'Active',
    clientToken: null,
  } as const;
  try {
    const answer = await work.retrying(() => work.deps.cloud.change(request, beforeSend));
    const { requestId, message: reason } = answer;
    await closeAll(work, claimed, ({ undertaking }) => successEntry(work, undertaking, { requestId, message: reason }));
  } catch (error) {
    return ended(work, message, drifted, sent ? claimed : claimed.map(neverSent), error);
  }
  return verify(work, message, accountIds);
}

/** `oneByOne`: something was suspended since, and this call would touch it. */
async function leaveToClaim(
  work: WorkContext,
  message: OrganizationMessage,
  wanted: readonly Pick<Remediation, 'record' | 'assessment'>[],
): Promise<boolean | 'oneByOne'> {
  try {
    return await mayClaim(work, message, wanted, false, true);
  } catch (error) {
    if (error instanceof ChangeRefused) return 'oneByOne';
    throw error;
  }
}

function blocked(drifted: readonly AssessedAccount[]): WorkResult {
  const outcomes = drifted.map(({ account }) => ({ accountId: account.id, outcome: 'blocked' as const }));
  return { outcomes, followUps: [], dead: null };
}

function look(work: WorkContext): Promise<Survey> {
  // A complete snapshot, not a cached one: an account that joined since must be judged as well.
  const settings = { ...work.settings, snapshotMaxAgeMs: 0 };
  return survey(work.deps, settings, work.retrying, {
    policy: work.policy,
    needsRecording: needsRecordingUnder(work.policy.hash),
    onProgress: () => undefined,
    saveSnapshot: true,
  });
}

function runOf(work: WorkContext, { runId, planHash }: OrganizationMessage): RunContext {
  return { runId, policy: work.policy, planHash };
}

function keysOf(work: WorkContext, message: OrganizationMessage, assessed: readonly AssessedAccount[]): WorkMessage[] {
  const changes = assessed.map(({ account, assessments }) => toChange(assessments.computeOptimizer, account));
  return messagesFor(runOf(work, message), changes);
}

function oneByOne(work: WorkContext, message: OrganizationMessage, drifted: readonly AssessedAccount[]): WorkResult {
  work.deps.logger.info('the organization-wide call is no longer allowed; accounts are changed one by one');
  return { outcomes: [], followUps: keysOf(work, message, drifted), dead: null };
}

/**
 * Someone else claimed some of the accounts meanwhile. The call would touch those as well, without an intent of its own for them, so it is
 * not made: what was claimed is let go, and all go on one by one.
 */
async function outrun(
  work: WorkContext,
  message: OrganizationMessage,
  drifted: readonly AssessedAccount[],
  claimed: readonly Claimed[],
): Promise<WorkResult> {
  const facts: ErrorFacts = {
    kind: 'Organization',
    code: 'NotAllClaimed',
    message: 'the organization-wide call was not made: some accounts were being changed one by one',
    requestId: null,
    operation: null,
  };
  await closeAll(work, claimed.map(neverSent), ({ undertaking }) => failureEntry(work, undertaking, UNDONE, facts));
  return oneByOne(work, message, drifted);
}

/** No request was sent for it. */
const neverSent = ({ undertaking, record }: Claimed): Claimed => ({
  undertaking: { ...undertaking, unsent: true },
  record,
});

/** Still drifted, free to be tried again at once. */
const UNDONE = { verdict: 'Drifted', reason: 'retrying', notBefore: null, attempts: 0 } as const;

async function claimAll(
  work: WorkContext,
  message: OrganizationMessage,
  drifted: readonly AssessedAccount[],
): Promise<Claimed[]> {
  const claimed: Claimed[] = [];
  // Accounts that drifted since the scan get their `DriftDetected` with the entry that claims them.
  const details = await changesBehind(work.deps, drifted.map(foundOf));
  for (let at = 0; at < drifted.length; at += CHUNK) {
    const undertakings = drifted.slice(at, at + CHUNK).map(({ account, assessments, record }): Remediation => {
      const assessment = { ...assessments.computeOptimizer, scope: 'organization' as const };
      const intentId = work.deps.newId();
      const known = record ?? emptyRecord(account.id);
      return { runId: message.runId, assessment, record: known, intentId, clientToken: null, batch: null };
    });
    const written = await work.journal.writeMany(
      undertakings.map((undertaking) => ({
        record: undertaking.record,
        decide: (current: AccountRecord) => {
          if (current.conditions.computeOptimizer?.claim) return [];
          const intent = intentEntry(work, { ...undertaking, record: current });
          const changedBy = details.get(current.accountId)?.computeOptimizer;
          return [{ ...intent, detail: { ...intent.detail, ...changedBy } }];
        },
      })),
    );
    undertakings.forEach((undertaking, index) => {
      const record = written[index]?.record;
      if (record !== undefined && holdsClaim(record, undertaking)) claimed.push({ undertaking, record });
    });
  }
  return claimed;
}

async function closeAll(
  work: WorkContext,
  claimed: readonly Claimed[],
  outcome: (claim: Claimed) => EntryDraft,
): Promise<void> {
  for (let at = 0; at < claimed.length; at += CHUNK) {
    await work.journal.writeMany(
      claimed.slice(at, at + CHUNK).map((claim) => ({
        record: claim.record,
        decide: (current: AccountRecord) => (holdsClaim(current, claim.undertaking) ? [outcome(claim)] : []),
      })),
    );
  }
}

/** The call was vetoed or failed. A failed one is not repeated as it is: the accounts go on one by one. */
async function ended(
  work: WorkContext,
  message: OrganizationMessage,
  drifted: readonly AssessedAccount[],
  claimed: readonly Claimed[],
  error: unknown,
): Promise<WorkResult> {
  const outcomes = (outcome: 'blocked' | 'retrying') =>
    claimed.map(({ record }) => ({ accountId: record.accountId, outcome }));
  if (error instanceof ChangeRefused && error.reason === 'suspendedByOperator') {
    await closeAll(work, claimed, ({ undertaking }) => letGo(work, undertaking, error));
    return oneByOne(work, message, drifted);
  }
  if (error instanceof ChangeRefused) {
    await closeAll(work, claimed, ({ undertaking }) => vetoEntry(work, undertaking, error));
    return { outcomes: outcomes('blocked'), followUps: [], dead: null };
  }
  if (!(error instanceof CloudError)) throw error;
  await closeAll(work, claimed, ({ undertaking }) => failureEntry(work, undertaking, UNDONE, errorFacts(error)));
  if (error.kind === 'Unauthenticated') throw error;
  return { outcomes: outcomes('retrying'), followUps: keysOf(work, message, drifted), dead: null };
}

async function verify(
  work: WorkContext,
  message: OrganizationMessage,
  accountIds: readonly string[],
): Promise<WorkResult> {
  const seen = await look(work);
  const run = runOf(work, message);
  await noteTrustedAccess(work.deps, work.journal, run, seen.trustedAccess);
  const context = entryContext(work, message.runId);
  const assessed = new Map(seen.assessed.map((one) => [one.account.id, one]));
  const controls = await work.controls.now();
  const news = accountIds
    .flatMap((id) => assessed.get(id) ?? [])
    .filter(({ account, assessments }) => standsUnder(controls, context.now, account, assessments));
  const details = await changesBehind(work.deps, news.map(foundOf));
  for (let at = 0; at < news.length; at += CHUNK) {
    await work.journal.writeMany(
      news.slice(at, at + CHUNK).map(({ account, record, assessments }) => ({
        record: record ?? emptyRecord(account.id),
        decide: (current: AccountRecord) =>
          ENROLLMENT_IDS.flatMap((enrollment) => {
            const detail = details.get(account.id)?.[enrollment];
            return transition(context, current, assessments[enrollment], detail) ?? [];
          }),
      })),
    );
  }
  // Keys of their own for what is still open: they poll, and find whatever came of the call. Automation, which had to wait for
  // Compute Optimizer, is open now as well, in batches where it can be.
  const open = news.flatMap(({ account, assessments }) =>
    ENROLLMENT_IDS.flatMap((name) => (isChange(assessments[name]) ? [toChange(assessments[name], account)] : [])),
  );
  const following = open.filter(({ verdict }) => verdict === 'Drifted' || verdict === 'Converging');
  const openIds = new Set(
    open.flatMap((change) => (change.enrollment === 'computeOptimizer' ? [change.accountId] : [])),
  );
  return {
    outcomes: accountIds.map((accountId) => ({
      accountId,
      outcome: openIds.has(accountId) ? ('converging' as const) : ('resolved' as const),
    })),
    followUps: messagesFor(run, following),
    dead: null,
  };
}
