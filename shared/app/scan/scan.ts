import type { AccountRecord } from '../../domain/account/record.ts';
import { emptyRecord, foldEntry } from '../../domain/account/record.ts';
import { type EntryContext, joined, transition } from '../../domain/account/transition.ts';
import { compileControls, haltedText } from '../../domain/decision/operator-controls.ts';
import { totalChanges } from '../../domain/decision/plan-totals.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { Detail, EntryDraft } from '../../domain/ledger/entry.ts';
import type { Deps, OnProgress, RunContext, Settings } from '../context.ts';
import { KEEP_MS, RunStore } from '../coordination/run-store.ts';
import { changesBehind, type Found } from '../events/change-attribution.ts';
import { pruneApprovals } from '../guardrails/approvals.ts';
import { isValidUnder, readControls } from '../guardrails/controls.ts';
import { NO_OWN_CONFIGURATIONS, ownConfigurations, pruneConfigurations } from '../guardrails/own-configurations.ts';
import { changedRecently, pruneCarried } from '../guardrails/rolling-changes.ts';
import { type Gate, holdsFor, readGate } from '../guardrails/rollout-gate.ts';
import { noteWaitingRun } from '../guardrails/window-run.ts';
import { entryContext, organizationEntry } from '../ledger/organization-entry.ts';
import { catchUpRecords } from '../ledger/record-catch-up.ts';
import { type EntryWrite, writeEntries, writeOrganizationEntry } from '../ledger/write-entries.ts';
import { appliedPlan, firstOpening, noteApplied } from '../plan/applied-plans.ts';
import {
  approvalFor,
  approvedRuns,
  asksForConfigurations,
  type BoundRun,
  bindApprovedPlan,
  totalsToApprove,
} from '../plan/approved-plan.ts';
import { keysOf } from '../plan/change-keys.ts';
import { keysOfPlan, makePlan, type Plan } from '../plan/plan.ts';
import { beginRollout, concludeRollout } from '../rollout/rollout-controller.ts';
import type { Retrying } from '../support/retry.ts';
import { type AssessedAccount, managesConfigurations } from '../survey/assessment-table.ts';
import { needsRecordingUnder } from '../survey/needs-recording.ts';
import { type Survey, survey } from '../survey/survey.ts';
import { enqueue, wideCallsOf } from '../work-queue/enqueue-plan.ts';
import { keysInProgress, keysLeft } from './later-drifts.ts';
import { notePolicy } from './note-policy.ts';
import { departures } from './record-departures.ts';
import { noteTrustedAccess } from './trusted-access.ts';

/** Accounts recorded in one write. */
const RECORD_CHUNK = 500;

/** Plans a run without writing anything (invariant 6). @param onlyThese the only changes that the run may make; `null`: any */
export async function plan(
  deps: Deps,
  settings: Settings,
  retrying: Retrying,
  run: RunContext,
  onProgress: OnProgress,
  onlyThese: ReadonlySet<string> | null = null,
): Promise<Plan> {
  const gate = await readGate(deps.registers, run.policy);
  const surveyed = await survey(deps, settings, retrying, {
    policy: run.policy,
    needsRecording: () => false,
    onProgress,
    saveSnapshot: false,
    holds: (snapshot) => holdsFor(gate, run.policy, snapshot, deps.clock.now()),
  });
  const planned = await planOf(deps, run, surveyed, onlyThese);
  const replan = (keys: ReadonlySet<string>): Promise<Plan> => planOf(deps, run, surveyed, keys, true);
  // A run of a saved plan uses no other plan's approval.
  const helping = onlyThese === null ? await approvalFor(deps, new RunStore(deps.registers), planned, replan) : null;
  if (helping === null) return { ...planned, gate };
  return { ...planned, gate, approval: helping.approval, underApproval: helping.approved.totals };
}

async function planOf(
  deps: Deps,
  run: RunContext,
  surveyed: Survey,
  onlyThese: ReadonlySet<string> | null,
  approved = false,
): Promise<Plan> {
  const now = deps.clock.now();
  const applied = run.savedPlan === undefined ? null : await appliedPlan(deps.registers, run.savedPlan);
  const left =
    applied === null || onlyThese === null ? onlyThese : keysLeft(onlyThese, surveyed, { startedAt: applied.at });
  const inProgress = keysInProgress(await approvedRuns(deps, new RunStore(deps.registers), run.policy.hash), surveyed);
  const recent = await changedRecently(deps, now);
  const manages = managesConfigurations(run.policy);
  const own = manages ? await ownConfigurations(deps.registers, now) : NO_OWN_CONFIGURATIONS;
  const limits = { onlyThese: left, approved, inProgress, ownConfigurations: own };
  const plan = makePlan(run.policy, surveyed, recent, limits, now);
  const { halt } = await readControls(deps.registers);
  if (halt === null || totalChanges(plan.totals) === 0) return plan;
  // The halt comes before every other guardrail, because it has to be ended first.
  return { ...plan, trip: { reason: 'halted', message: haltedText(halt) } };
}

/**
 * One scan: assesses the whole organization, records what has changed, and enqueues the due changes unless a guardrail trips.
 * @param lost aborts when the caller loses the scan lease
 */
export async function scan(
  deps: Deps,
  settings: Settings,
  retrying: Retrying,
  run: RunContext,
  onProgress: OnProgress,
  lost: AbortSignal,
): Promise<Plan> {
  const runs = new RunStore(deps.registers);
  let opened: string | null = null;
  let gate: Gate | null = null;
  const begin = async (): Promise<void> => {
    await runs.prune(deps.clock.now());
    await pruneApprovals(deps.registers, deps.clock.now() - KEEP_MS);
    await pruneCarried(deps.registers, deps.clock.now());
    await catchUpRecords(deps);
    await notePolicy(deps, run);
    if (run.observeOnly !== true) opened = await beginRollout(deps, run);
    gate = await readGate(deps.registers, run.policy);
    if (await isWritten(deps, run, 'ScanStarted')) return;
    const rest = run.trigger === undefined ? {} : { detail: { trigger: run.trigger } };
    await writeOrganizationEntry(deps, () => organizationEntry(entryContext(deps, run), 'ScanStarted', rest));
  };
  let entries = 0;
  const surveyed = await survey(deps, settings, retrying, {
    policy: run.policy,
    needsRecording: needsRecordingUnder(run.policy.hash),
    ...(run.begunAt !== undefined && { begunAt: run.begunAt }),
    onProgress,
    saveSnapshot: true,
    prepare: begin,
    holds: (snapshot) => (gate === null ? [] : holdsFor(gate, run.policy, snapshot, deps.clock.now())),
    record: async (assessed) => {
      lost.throwIfAborted();
      entries += await recordAssessed(deps, run, assessed);
    },
  });
  lost.throwIfAborted();
  await noteTrustedAccess(deps, run, surveyed.trustedAccess);
  const { gone, snapshot } = surveyed;
  entries += await recordAll(deps, await departures(deps, run, gone, snapshot.takenAt));
  const { configurations } = surveyed;
  if (configurations?.problem === null)
    await pruneConfigurations(deps.registers, configurations.stored, configurations.readAt);
  onProgress({ kind: 'recorded', entries });
  const onlyThese = run.planHash === null ? null : await allowedBy(runs, run.planHash);
  const approved = deps.clock.now() < (run.approvedUntil ?? 0);
  const planned = await planOf(deps, run, surveyed, onlyThese, approved);
  if (run.observeOnly === true) return concludeObservation(deps, runs, run, { ...planned, gate }, surveyed);
  const replan = (keys: ReadonlySet<string>) => planOf(deps, run, surveyed, keys, true);
  const bound = await bindApprovedPlan(deps, runs, run, planned, opened, replan);
  const { plan } = bound;
  await beginRun(deps, runs, bound, surveyed.accountsInScope);
  await closeScan(deps, bound.run, plan);
  await concludeRollout(deps, runs, bound.run, plan);
  lost.throwIfAborted();
  if (plan.trip === null) await enqueue(deps, bound.run, plan, onProgress);
  return { ...plan, gate };
}

/**
 * Ends a scan that only observes. Its run has a state nevertheless: the record of a delayed change names the run that found it, and when the delay is
 * over, a daemon makes the change in that run. Changes of an unknown run are refused.
 */
async function concludeObservation(
  deps: Deps,
  runs: RunStore,
  run: RunContext,
  plan: Plan,
  { accountsInScope }: Survey,
): Promise<Plan> {
  const uncovered = plan.trip?.reason === 'minCoverage';
  const planned = totalChanges(plan.totals);
  await runs.begin(run, { startedAt: deps.clock.now(), accountsInScope, planned, uncovered });
  await writeCompleted(deps, run, plan);
  return plan;
}

async function beginRun(deps: Deps, runs: RunStore, { run, plan }: BoundRun, accountsInScope: number): Promise<void> {
  // A stopped plan is stored, because only a stored plan can be approved, and so is one that asks for configurations of others.
  if (plan.trip?.reason !== 'halted' && (plan.trip !== null || asksForConfigurations(plan))) {
    const note = { heldUpBy: plan.trip?.reason ?? 'configurations', totals: totalsToApprove(plan) };
    await runs.storePlan(plan.planHash, run.policy.hash, keysOfPlan(plan), deps.clock.now(), note);
  }
  // Changes that wait for a window are requeued when it opens. That may be before the scan ends, and workers must already see that their run was
  // stopped.
  const defers = plan.trip?.reason !== 'halted' && plan.changes.some((change) => change.reason === 'window');
  const planned = totalChanges(plan.totals);
  const uncovered = plan.trip?.reason === 'minCoverage';
  const { savedPlan = null, runId } = run;
  const driftsUntil = savedPlan === null ? null : ((await appliedPlan(deps.registers, savedPlan))?.at ?? null);
  const startedAt = deps.clock.now();
  const of = { stopped: defers ? plan.trip : null, driftsUntil, calls: wideCallsOf(plan) };
  await runs.begin(run, { startedAt, accountsInScope, planned, uncovered, ...of });
  const opensAt = firstOpening(run.policy, plan, startedAt);
  const applied = { runId, at: startedAt, opensAt };
  if (savedPlan !== null && plan.trip === null) await noteApplied(deps.registers, savedPlan, applied);
  await runs.noteChanges(run.runId, keysOf([...plan.due, ...plan.followUps]), deps.clock.now());
  if (defers) await noteWaitingRun(deps.registers, run.policy.hash, run.runId);
}

/** @throws Error if the plan is not stored; otherwise the run would make any change instead of only those of its plan */
async function allowedBy(runs: RunStore, planHash: string): Promise<ReadonlySet<string>> {
  const keys = await runs.planKeys(planHash);
  if (keys === null) throw new Error(`plan ${planHash} is not in this store; create a new one with \`rollcall plan\``);
  return keys;
}

/** Whether an earlier part of a resumed run has already written this organization entry. */
async function isWritten(deps: Deps, { runId, resumed }: RunContext, type: EntryDraft['type']): Promise<boolean> {
  if (resumed !== true) return false;
  const { entries } = await deps.ledger.query({ runId, type }, { limit: 1 });
  return entries.length > 0;
}

/** Writes the entries that the accounts need. @returns the number of entries. */
async function recordAssessed(deps: Deps, run: RunContext, accounts: readonly AssessedAccount[]): Promise<number> {
  if (accounts.length === 0) return 0;
  const context = entryContext(deps, run);
  // Controls are read after the records, so a command that they do not contain has not yet changed the records either.
  const controls = compileControls(await readControls(deps.registers));
  const valid = accounts.filter(({ account, assessments }) =>
    isValidUnder(controls, context.now, account, assessments),
  );
  const details = await changesBehind(deps, valid.map(foundOf));
  const items = valid.map((assessed) => ({
    record: assessed.record ?? emptyRecord(assessed.account.id),
    // An entry written since the assessment may be based on a newer observation, so this older one is discarded.
    decide: (record: AccountRecord) =>
      record.head.seq === (assessed.record?.head.seq ?? 0)
        ? draftsFor(context, record, assessed, details.get(assessed.account.id))
        : [],
  }));
  return recordAll(deps, items);
}

/** The input of change attribution. */
export function foundOf({ record, assessments }: AssessedAccount): Found {
  return { record, assessments: ENROLLMENT_IDS.map((enrollment) => assessments[enrollment]) };
}

async function recordAll(deps: Deps, items: readonly EntryWrite[]): Promise<number> {
  let entries = 0;
  for (let at = 0; at < items.length; at += RECORD_CHUNK) {
    const written = await writeEntries(deps, items.slice(at, at + RECORD_CHUNK));
    entries += written.reduce((sum, result) => sum + result.entries.length, 0);
  }
  return entries;
}

function draftsFor(
  context: EntryContext,
  record: AccountRecord,
  { account, assessments }: AssessedAccount,
  details: Partial<Record<EnrollmentId, Detail>> = {},
): EntryDraft[] {
  const drafts: EntryDraft[] = [];
  let known = record;
  if (!record.present) {
    const draft = joined(context, account, assessments);
    drafts.push(draft);
    // The transitions start from the record after the join. The fold does not use `seq` and hashes.
    known = foldEntry(record, { ...draft, seq: 0, prevHash: '', hash: '' });
  }
  for (const enrollment of ENROLLMENT_IDS) {
    const draft = transition(context, known, assessments[enrollment], details[enrollment]);
    if (draft !== null) drafts.push(draft);
  }
  return drafts;
}

async function closeScan(deps: Deps, run: RunContext, plan: Plan): Promise<void> {
  await writeCompleted(deps, run, plan);
  const { trip, planHash } = plan;
  // The halt has its own entry.
  if (trip === null || trip.reason === 'halted' || (await isWritten(deps, run, 'GuardrailTripped'))) return;
  const tripDetail = { planHash, message: trip.message, summary: { wouldChange: totalChanges(plan.totals) } };
  const rest = { reason: trip.reason, detail: tripDetail };
  await writeOrganizationEntry(deps, () => organizationEntry(entryContext(deps, run), 'GuardrailTripped', rest));
}

const NO_CHANGES = { now: 0, followUps: 0, optOuts: 0, calls: 0 };

async function writeCompleted(deps: Deps, run: RunContext, plan: Plan): Promise<void> {
  if (await isWritten(deps, run, 'ScanCompleted')) return;
  const { summary, coverage, planHash, broken, due, totals } = plan;
  const verdicts = Object.fromEntries(run.policy.kinds.map((id) => [id, summary[id]]));
  const message = broken.length > 0 ? { message: broken.join('; ') } : {};
  const detail =
    run.observeOnly === true
      ? { summary: { verdicts, coverage, due: 0, totals: NO_CHANGES, observeOnly: true }, ...message }
      : { planHash, summary: { verdicts, coverage, due: due.length, totals }, ...message };
  await writeOrganizationEntry(deps, () => organizationEntry(entryContext(deps, run), 'ScanCompleted', { detail }));
}
