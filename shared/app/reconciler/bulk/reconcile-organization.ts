import { isUnmoved } from '../../../domain/account/is-unmoved.ts';
import { type AccountRecord, emptyRecord } from '../../../domain/account/record.ts';
import { transition } from '../../../domain/account/transition.ts';
import { isChange, toChange } from '../../../domain/decision/plan.ts';
import { dependentsOf, ENROLLMENT_IDS, type EnrollmentId } from '../../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { WorkMessage } from '../../../domain/work-message.ts';
import { changesBehind } from '../../events/change-attribution.ts';
import { isValidUnder } from '../../guardrails/controls.ts';
import { writeEntries } from '../../ledger/write-entries.ts';
import { allows } from '../../plan/change-keys.ts';
import { organizationWide } from '../../plan/organization-call.ts';
import { foundOf } from '../../scan/scan.ts';
import { noteTrustedAccess } from '../../scan/trusted-access.ts';
import type { AssessedAccount } from '../../survey/assessment-table.ts';
import { messagesFor } from '../../work-queue/enqueue-plan.ts';
import { fitPlan } from '../../work-queue/planned-drift.ts';
import { errorFacts, isUndone, undone } from '../error-policy.ts';
import { type RemediationCall, remediate } from '../remediate.ts';
import { attemptsOf, type Candidate } from '../remediation-entries.ts';
import {
  accountKey,
  entryContext,
  type MessageContext,
  NO_RESULT,
  runOf,
  type WorkContext,
  type WorkResult,
} from '../worker-context.ts';
import { observeOrganization } from './observe-organization.ts';

type OrganizationMessage = Extract<WorkMessage, { kind: 'organization' }>;

/** Accounts written at a time. */
const CHUNK = 500;

/**
 * The one organization-wide call of a kind, between two surveys of the whole organization. If an objection to the call has arisen by now, single keys are
 * enqueued instead. Every account that the call changes has its own intent and outcome.
 */
export async function reconcileOrganization(work: MessageContext, message: OrganizationMessage): Promise<WorkResult> {
  const seen = await observeOrganization(work);
  const drifted = seen.assessed.filter(({ assessments: { [message.enrollment]: assessment } }) => {
    return assessment.verdict === 'Drifted' && assessment.action !== 'none';
  });
  if (drifted.length === 0) return NO_RESULT;
  // The worker that holds the claim has died. The account's own key records the outcome of its intent.
  const isClaimed = drifted.some(({ record }) => (record?.conditions[message.enrollment]?.claim ?? null) !== null);
  const isUsed = !isClaimed && organizationWide(work.policy, seen, message.enrollment).used;
  if (!isUsed || !(await areInPlan(work, message, drifted))) return oneByOne(work, message, drifted);
  const ends = await remediate(work, await organizationCall(work, message, drifted));
  const blocked = ends.some(({ failure }) => failure !== null && !isUndone(failure.outcome));
  if (blocked)
    return { ...NO_RESULT, outcomes: ends.map(({ record: { accountId } }) => ({ accountId, outcome: 'blocked' })) };
  if (ends.length === 0 || ends.some(({ failure }) => failure !== null)) return oneByOne(work, message, drifted);
  return verify(
    work,
    message,
    ends.map(({ record }) => record.accountId),
  );
}

/** Whether the plan of the message contains all of these changes. Otherwise the call would also make changes that nobody has approved. */
async function areInPlan(
  { runs }: WorkContext,
  message: OrganizationMessage,
  drifted: readonly AssessedAccount[],
): Promise<boolean> {
  if (message.planHash === null) return true;
  const keys = (await runs.planKeys(message.planHash)) ?? new Set<string>();
  const found = drifted.map(({ account, record, assessments: { [message.enrollment]: assessment } }) => {
    return { record: record ?? emptyRecord(account.id), assessment, change: toChange(assessment, account) };
  });
  return found.every(({ change }) => allows(keys, change)) && fitPlan(runs, message, found);
}

async function organizationCall(
  work: WorkContext,
  key: OrganizationMessage,
  drifted: readonly AssessedAccount[],
): Promise<RemediationCall<Candidate>> {
  // Accounts that drifted since the scan get their `DriftDetected` with the entry that claims them.
  const details = await changesBehind(work.deps, drifted.map(foundOf));
  const members = drifted.map(({ account: { id }, assessments, record }): Candidate => {
    const assessment = { ...assessments[key.enrollment], scope: 'organization' as const };
    return { record: record ?? emptyRecord(id), assessment, detail: details.get(id)?.[key.enrollment] ?? {} };
  });
  return {
    key,
    members,
    scope: 'organization',
    optOut: false,
    // The call is not repeated: the accounts are changed one by one, which also shows what is wrong with each.
    explain: async (error, remediations) =>
      remediations.map((each) => ({ outcome: undone(attemptsOf(each)), error: errorFacts(error) })),
  };
}

function oneByOne(work: WorkContext, message: OrganizationMessage, drifted: readonly AssessedAccount[]): WorkResult {
  work.deps.logger.info('the organization-wide call was not made or failed; accounts are changed one by one');
  const changes = drifted.map(({ account, assessments }) => toChange(assessments[message.enrollment], account));
  return { ...NO_RESULT, followUps: messagesFor(runOf(work, message), changes) };
}

/** Only what AWS shows now makes an account Compliant. */
async function verify(
  work: MessageContext,
  message: OrganizationMessage,
  accountIds: readonly AccountId[],
): Promise<WorkResult> {
  const seen = await observeOrganization(work);
  await noteTrustedAccess(work.deps, runOf(work, message), seen.trustedAccess);
  const assessed = new Map(seen.assessed.map((one) => [one.account.id, one]));
  const controls = await work.controls.now();
  const found = accountIds
    .flatMap((id) => assessed.get(id) ?? [])
    .filter(({ account, assessments }) => isValidUnder(controls, work.deps.clock.now(), account, assessments));
  const moved = await record(work, message, found);
  // Enrollments that do not comply yet get messages of their own, which lead to reads until the result of the call is seen. The kinds that waited for this one, such as
  // Automation, are changed in batches where possible. Enrollments that another worker has written about since the survey are read again.
  const { enrollment } = message;
  const keys = found.flatMap(({ account, assessments }) =>
    [enrollment, ...dependentsOf(enrollment)].map((id) => {
      const isOutdated = moved.get(account.id)?.includes(id) ?? false;
      return { account, id, isOutdated, assessment: assessments[id] };
    }),
  );
  const outdated = keys.filter(({ isOutdated }) => isOutdated);
  const open = keys.filter(({ isOutdated, assessment }) => !isOutdated && isChange(assessment));
  const next = open.filter(({ assessment: { verdict } }) => verdict === 'Drifted' || verdict === 'Converging');
  const changes = next.map(({ account, assessment }) => toChange(assessment, account));
  const openIds = new Set([...open, ...outdated].flatMap(({ account, id }) => (id === enrollment ? [account.id] : [])));
  return {
    outcomes: accountIds.map((id) => ({ accountId: id, outcome: openIds.has(id) ? 'converging' : 'resolved' })),
    followUps: [
      ...messagesFor(runOf(work, message), changes),
      ...outdated.map(({ account, id }) => accountKey(message, account.id, id)),
    ],
    dead: null,
  };
}

/**
 * Records what the survey found.
 * @returns the enrollments not recorded, because another worker has written about them since the survey
 */
async function record(
  work: WorkContext,
  { runId }: OrganizationMessage,
  found: readonly AssessedAccount[],
): Promise<ReadonlyMap<AccountId, readonly EnrollmentId[]>> {
  const context = entryContext(work, runId);
  const details = await changesBehind(work.deps, found.map(foundOf));
  const moved = new Map<AccountId, readonly EnrollmentId[]>();
  const writes = found.map(({ account, record, assessments }) => {
    const known = record ?? emptyRecord(account.id);
    return {
      record: known,
      decide: (current: AccountRecord) => {
        const outdated = ENROLLMENT_IDS.filter((id) => !isUnmoved(current, known, id));
        moved.set(account.id, outdated);
        return ENROLLMENT_IDS.flatMap((id) => {
          if (outdated.includes(id)) return [];
          return transition(context, current, assessments[id], details.get(account.id)?.[id]) ?? [];
        });
      },
    };
  });
  for (let at = 0; at < writes.length; at += CHUNK) await writeEntries(work.deps, writes.slice(at, at + CHUNK));
  return moved;
}
