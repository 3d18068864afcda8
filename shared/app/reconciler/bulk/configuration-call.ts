import { type AccountRecord, emptyRecord } from '../../../domain/account/record.ts';
import type { ConfigurationCall } from '../../../domain/decision/configuration-calls.ts';
import type { ConfigurationChange } from '../../../domain/decision/plan.ts';
import { ASSOCIABLE } from '../../../domain/enrollment/kinds/index.ts';
import type { ConfigurationTarget, EpochMs, RuleMode } from '../../../domain/enrollment/model.ts';
import type { EntryDraft } from '../../../domain/ledger/entry.ts';
import type { WorkMessage } from '../../../domain/work-message.ts';
import { CloudError, type SendChange } from '../../../ports/cloud.ts';
import { OutdatedPolicyError } from '../../coordination/outdated-policy-error.ts';
import {
  confirmConfiguration,
  endConfiguration,
  forgetConfiguration,
  noteConfiguration,
  noteDeletion,
  withdrawConfiguration,
} from '../../guardrails/own-configurations.ts';
import { organizationEntry } from '../../ledger/organization-entry.ts';
import { writeOrganizationEntry } from '../../ledger/write-entries.ts';
import type { AssociableAccount } from '../../survey/assessment-table.ts';
import { fitPlan } from '../../work-queue/planned-drift.ts';
import { localError } from '../change-request.ts';
import type { Remediated } from '../claims.ts';
import { ASSESSED_AGAIN, errorFacts, type Failure, failureOutcome, undone } from '../error-policy.ts';
import { ChangeRefused } from '../guard.ts';
import { CLAIM_EXPIRING, makeForJoiners, NOT_ALL_CLAIMED, remediate } from '../remediate.ts';
import { attemptsOf, type Candidate, type Remediation } from '../remediation-entries.ts';
import { entryContext, type WorkContext } from '../worker-context.ts';

export type ConfigurationsMessage = Extract<WorkMessage, { kind: 'configurations' }>;

/** One call of the plan, ready to be made. */
export interface PlannedCall {
  readonly call: ConfigurationCall;
  readonly change: ConfigurationChange;
  /** The path of the root or OU, or the account's id. */
  readonly path: string;
  readonly isAccount: boolean;
  /** The ids of the OUs and the root above the target. */
  readonly above: ReadonlySet<string>;
  /** The rule mode that AWS stores for the target now; `null`: none. */
  readonly present: RuleMode | null;
  /** When the tree that it is planned on began to be read, epoch ms. */
  readonly readAt: EpochMs;
}

export interface CallEnd {
  /**
   * `busy`: AWS is still applying another change, or the call was planned too long ago; it may be made later. `moved`: accounts have changed since they
   * were assessed, so no request was sent; the call must be planned again. `refused`: AWS rejects this call, whatever it would answer to others, or a drift
   * is newer than the plan; only the calls that do not depend on it may be made. `failed`: no call of the run may be made before the next scan.
   */
  readonly end: 'made' | 'busy' | 'moved' | 'refused' | 'failed';
  readonly accounts: readonly Remediated<Candidate>[];
}

/** Codes of failures before the request was sent that mean outdated assessments, not a fault of the call. */
const OUTDATED: ReadonlySet<string> = new Set([NOT_ALL_CLAIMED, CLAIM_EXPIRING, ...ASSESSED_AGAIN]);

/** How a call ends that AWS answers with an error of this kind. */
function endOf(kind: string): 'refused' | 'failed' {
  return kind === 'Invalid' || kind === 'Conflict' ? 'refused' : 'failed';
}

/** Whether the call ends with this error, which its entry then names. Any other error is a defect or a store that does not answer. */
const endsCall = (error: unknown): error is CloudError | OutdatedPolicyError =>
  error instanceof CloudError || error instanceof OutdatedPolicyError;

/** Makes one Put or Delete call, with an entry in the organization's chain and an intent for each account that it changes. */
export async function makeCall(
  work: WorkContext,
  message: ConfigurationsMessage,
  planned: PlannedCall,
  accounts: readonly AssociableAccount[],
): Promise<CallEnd> {
  const members = await candidates(work, planned, accounts);
  if (members === null) return { end: 'moved', accounts: [] };
  if (!(await fitPlan(work.runs, message, members))) return { end: 'refused', accounts: [] };
  const call = new Call(work, message, planned);
  if (members.length === 0) return { end: await call.forJoiners(), accounts: [] };
  try {
    const ends = await remediate(work, {
      key: message,
      members,
      scope: 'configuration',
      optOut: members.some(({ assessment }) => assessment.optOut),
      prepare: (token) => call.prepare(token),
      explain: async (error, remediations) => explain(work, call, error, remediations),
    });
    return { end: await call.conclude(ends), accounts: ends };
  } catch (error) {
    if (endsCall(error)) await call.end(error.message);
    throw error;
  }
}

/** The accounts that the call changes, each with its record. `null`: an account that the call reaches was changed since it was assessed. */
async function candidates(
  { deps }: WorkContext,
  { call, change }: PlannedCall,
  accounts: readonly AssociableAccount[],
): Promise<Candidate[] | null> {
  const reached = new Set([...call.reached, ...call.accounts.keys()]);
  const records = await deps.records.getMany([...reached]);
  const found: Candidate[] = [];
  for (const known of accounts) {
    const { account, assessment, headHash } = known;
    if (!reached.has(account.id)) continue;
    const record = records.get(account.id) ?? null;
    const isMoved = (record?.head.hash ?? null) !== headHash;
    const optOut = call.accounts.get(account.id);
    if (isMoved && (optOut !== undefined || hasChanged(known, record))) return null;
    if (optOut === undefined) continue;
    found.push({
      record: record ?? emptyRecord(account.id),
      assessment: {
        ...assessment,
        ...(assessment.verdict === 'Blocked' && ({ verdict: 'Drifted', reason: 'ruleModeDiffers' } as const)),
        action: change.operation,
        heldAction: 'none',
        scope: 'configuration',
        target: null,
        optOut,
      },
    });
  }
  return found;
}

/**
 * Whether an account that the call would reach without changing it is now in another state, or about to be. Entries about its prerequisites do not
 * count, because AWS applies the configuration to the account as soon as they are met.
 */
function hasChanged({ assessment: { status, ruleMode } }: AssociableAccount, record: AccountRecord | null): boolean {
  const condition = record?.conditions[ASSOCIABLE] ?? null;
  if (condition === null) return false;
  return condition.claim !== null || condition.status !== status || condition.ruleMode !== ruleMode;
}

/**
 * Explains a failed call for each of its accounts. A failure that concerns all of them, such as throttling, delays them together. If AWS rejects the
 * call itself, other calls change the accounts.
 */
function explain(
  work: WorkContext,
  call: Call,
  error: CloudError,
  remediations: readonly Remediation[],
): readonly Failure[] {
  const { clock, random } = work.deps;
  const isCommon = ['Throttled', 'Transient', 'Denied', 'Prerequisite', 'Unauthenticated'].includes(error.kind);
  if (call.isBusy || !isCommon)
    return remediations.map((each) => ({ outcome: undone(attemptsOf(each)), error: errorFacts(error) }));
  // One random number for all accounts: they are retried together.
  const draw = random();
  const common = { kind: error.kind, maxAttempts: work.settings.maxAttempts, now: clock.now(), random: () => draw };
  return remediations.map((remediation) => {
    const { enrollment, lastUpdated } = remediation.assessment;
    const outcome = failureOutcome({ ...common, enrollment, attempts: attemptsOf(remediation), lastUpdated });
    return { outcome, error: errorFacts(error) };
  });
}

/** Sends one call, and records it in the organization's chain and among the configurations of Rollcall. */
class Call {
  readonly #work: WorkContext;
  readonly #message: ConfigurationsMessage;
  readonly #planned: PlannedCall;
  /** The id of the call in its note (`callId`); `null`: the call has not begun. */
  #begun: string | null = null;
  /** The last request, for the entries; an event of the call is recognized as Rollcall's own by its request id. */
  #sent: EntryDraft['api'] = null;
  /** An answer was lost, so AWS may have accepted the request. */
  #mayBeAccepted = false;
  isBusy = false;

  constructor(work: WorkContext, message: ConfigurationsMessage, planned: PlannedCall) {
    this.#work = work;
    this.#message = message;
    this.#planned = planned;
  }

  /** Waits for the rate limiter and records the call. */
  async prepare(token: string): Promise<SendChange> {
    const { change, isAccount } = this.#planned;
    const { configurations } = this.#work.deps.cloud;
    const target: ConfigurationTarget = { type: isAccount ? 'account' : 'organizationalUnit', id: change.targetId };
    const send =
      change.ruleMode === null
        ? await configurations.prepareDelete(target, token)
        : await configurations.preparePut(target, change.ruleMode, token);
    this.#requireRecent();
    this.#sent = { operation: change.operation, requestId: null, clientToken: token };
    await this.#begin();
    return async () => {
      // Recording the call and the last checks take time, too.
      this.#requireRecent();
      try {
        const { requestId } = await send();
        this.#sent = { operation: change.operation, requestId, clientToken: token };
        return { requestId, message: null, refused: new Map() };
      } catch (error) {
        this.#mayBeAccepted ||= !(error instanceof CloudError) || error.kind === 'Transient';
        throw this.#explained(error);
      }
    };
  }

  /**
   * While the rate limiter or a slow store delays the call, accounts may move and somebody else may change the configurations. So the call must be sent
   * soon after they were read.
   */
  #requireRecent(): void {
    const { deps, settings } = this.#work;
    const { change, readAt } = this.#planned;
    if (deps.clock.now() - readAt <= settings.claimMs) return;
    this.isBusy = true;
    throw localError(
      { accountId: null, action: change.operation, enrollment: ASSOCIABLE },
      { code: 'OutdatedPlan', kind: 'Invalid', message: 'the configurations were read too long ago', ambiguous: false },
    );
  }

  /** Makes a call that changes no account now, only accounts that join later. */
  async forJoiners(): Promise<CallEnd['end']> {
    const token = this.#work.deps.newId();
    try {
      await makeForJoiners(this.#work, this.#message, () => this.prepare(token));
      await this.end(null);
      return 'made';
    } catch (error) {
      if (!endsCall(error) && !(error instanceof ChangeRefused)) throw error;
      await this.end(error.message);
      if (error instanceof OutdatedPolicyError) throw error;
      if (error instanceof CloudError && error.kind === 'Unauthenticated') throw error;
      return this.isBusy ? 'busy' : error instanceof CloudError ? endOf(error.kind) : 'failed';
    }
  }

  /** Records in the organization's chain how the call ended, as the results of its accounts show. */
  async conclude(ends: readonly Remediated<Candidate>[]): Promise<CallEnd['end']> {
    const failure = ends.find((end) => end.failure !== null)?.failure ?? null;
    const isMade = ends.length > 0 && failure === null;
    await this.end(isMade ? null : (failure?.error.message ?? 'an account has changed since it was assessed'));
    if (isMade) return 'made';
    if (this.isBusy) return 'busy';
    return failure === null || OUTDATED.has(failure.error.code) ? 'moved' : endOf(failure.error.kind);
  }

  async #begin(): Promise<void> {
    if (this.#begun !== null) return;
    const { deps } = this.#work;
    const { change, path, present, readAt } = this.#planned;
    const { targetId, ruleMode } = change;
    await this.#write('ConfigurationStarted', null);
    const now = deps.clock.now();
    const callId = deps.newId();
    if (ruleMode === null) await noteDeletion(deps.registers, { targetId, callId, now });
    else {
      const noted = { targetId, target: path, ruleMode, present, readAt, runId: this.#message.runId, callId, now };
      await noteConfiguration(deps.registers, noted);
    }
    this.#begun = callId;
  }

  /** @param message why the call was not made; `null`: AWS has accepted it */
  async end(message: string | null): Promise<void> {
    const callId = this.#begun;
    if (callId === null) return;
    const { targetId, ruleMode } = this.#planned.change;
    const { registers } = this.#work.deps;
    await this.#write('ConfigurationEnded', message);
    if (message !== null) {
      if (this.#mayBeAccepted)
        await endConfiguration(registers, { targetId, callId, now: this.#work.deps.clock.now() });
      else await withdrawConfiguration(registers, targetId, callId);
      return;
    }
    if (ruleMode === null) await forgetConfiguration(registers, targetId, callId);
    else await confirmConfiguration(registers, targetId, callId);
  }

  async #write(type: 'ConfigurationStarted' | 'ConfigurationEnded', message: string | null): Promise<void> {
    const { change, path, call } = this.#planned;
    const configuration = { targetId: change.targetId, target: path, ruleMode: change.ruleMode };
    const summary = { operation: change.operation, accounts: call.accounts.size };
    const detail = { configuration, summary, ...(message !== null && { message }) };
    await writeOrganizationEntry(this.#work.deps, () =>
      organizationEntry(entryContext(this.#work, this.#message.runId), type, { api: this.#sent, detail }),
    );
  }

  /** Waiting for another change takes longer than a claim lasts, so such a call is not repeated under the same claims. */
  #explained(error: unknown): unknown {
    if (!(error instanceof CloudError) || error.details.concurrent !== true) return error;
    this.isBusy = true;
    const { concurrent: _, ...details } = error.details;
    return new CloudError(error.message, details, { cause: error });
  }
}
