import type { AccountRecord } from '../../domain/account/record.ts';
import { emptyRecord, foldEntry } from '../../domain/account/record.ts';
import { type EntryContext, joined, left, transition } from '../../domain/account/transition.ts';
import { compileControls, haltedText } from '../../domain/decision/operator-controls.ts';
import { totalChanges } from '../../domain/decision/plan-totals.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { Detail, EntryDraft } from '../../domain/ledger/entry.ts';
import type { Deps, OnProgress, RunContext, Settings } from '../context.ts';
import { POLICY } from '../coordination/policy-in-force.ts';
import { KEEP_MS, RunStore } from '../coordination/run-store.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';
import { changesBehind, type Found } from '../events/change-attribution.ts';
import { pruneApprovals } from '../guardrails/approvals.ts';
import { readControls, standsUnder } from '../guardrails/controls.ts';
import { changedRecently, pruneCarried } from '../guardrails/rolling-changes.ts';
import { type Gate, holdsFor, readGate } from '../guardrails/rollout-gate.ts';
import { noteWaitingRun } from '../guardrails/window-run.ts';
import { type Decide, LedgerWriter } from '../ledger/ledger-writer.ts';
import { entryContext, organizationEntry } from '../ledger/organization-entry.ts';
import { catchUpRecords } from '../ledger/record-catch-up.ts';
import { approvalFor, bindApprovedPlan, underWay } from '../plan/approved-plan.ts';
import { keysOf, makePlan, type Plan } from '../plan/plan.ts';
import { beginRollout, concludeRollout } from '../rollout/rollout-controller.ts';
import type { Retrying } from '../support/retry.ts';
import type { AssessedAccount } from '../survey/assessment-table.ts';
import { needsRecordingUnder } from '../survey/needs-recording.ts';
import { type Survey, survey } from '../survey/survey.ts';
import { enqueue } from '../work-queue/enqueue-changes.ts';
import { noteTrustedAccess } from './trusted-access.ts';

/** Accounts written at a time while a scan records its news. */
const RECORD_CHUNK = 500;

/**
 * A dry run: reads, diffs, and writes nothing (invariant 6).
 * @param onlyThese the keys of a saved plan; the result is the plan of a run that makes only those changes.
 */
export async function plan(
  deps: Deps,
  settings: Settings,
  retrying: Retrying,
  run: RunContext,
  onProgress: OnProgress,
  onlyThese: ReadonlySet<string> | null = null,
): Promise<Plan> {
  const gate = await readGate(deps.registers, run.policy);
  const seen = await survey(deps, settings, retrying, {
    policy: run.policy,
    needsRecording: () => false,
    onProgress,
    saveSnapshot: false,
    holds: (snapshot) => holdsFor(gate, run.policy, snapshot, deps.clock.now()),
  });
  const wanted = await planOf(deps, run, seen, onlyThese);
  const runs = new RunStore(deps.registers);
  const approval = await approvalFor(deps, runs, wanted);
  const approved = approval === null ? null : await runs.planKeys(approval.planHash);
  if (approved === null) return { ...wanted, gate, approval };
  return { ...wanted, gate, approval, underApproval: (await planOf(deps, run, seen, approved)).totals };
}

async function planOf(deps: Deps, run: RunContext, seen: Survey, onlyThese: ReadonlySet<string> | null): Promise<Plan> {
  const now = deps.clock.now();
  const approved = await underWay(deps, new RunStore(deps.registers), run.policy.hash);
  const recent = await changedRecently(deps, now);
  const plan = makePlan(run.policy, seen, recent, { onlyThese, underWay: approved }, now);
  const { halt } = await readControls(deps.registers);
  if (halt === null || totalChanges(plan.totals) === 0) return plan;
  // Whatever else would stop the run: this comes first, and is what has to be lifted first.
  return { ...plan, trip: { reason: 'halted', message: haltedText(halt) } };
}

/**
 * One scan of a run: looks, records what is new, and puts on the queue what is to be done, unless a guardrail trips.
 * The caller holds the scan lease; `lost` aborts if that is no longer so.
 */
export async function scan(
  deps: Deps,
  settings: Settings,
  retrying: Retrying,
  asked: RunContext,
  onProgress: OnProgress,
  lost: AbortSignal,
): Promise<Plan> {
  const journal = new LedgerWriter(deps);
  const runs = new RunStore(deps.registers);
  let opened: string | null = null;
  let gate: Gate | null = null;
  const begin = async (): Promise<void> => {
    await runs.prune(deps.clock.now());
    await pruneApprovals(deps.registers, deps.clock.now() - KEEP_MS);
    await pruneCarried(deps.registers, deps.clock.now());
    await catchUpRecords(deps);
    await notePolicy(deps, journal, asked);
    opened = await beginRollout(deps, asked);
    gate = await readGate(deps.registers, asked.policy);
    if (await hasSaid(deps, asked, 'ScanStarted')) return;
    await journal.organization(() => organizationEntry(deps, asked, 'ScanStarted', {}));
  };
  let entries = 0;
  const seen = await survey(deps, settings, retrying, {
    policy: asked.policy,
    needsRecording: needsRecordingUnder(asked.policy.hash),
    ...(asked.begunAt !== undefined && { begunAt: asked.begunAt }),
    onProgress,
    saveSnapshot: true,
    prepare: begin,
    holds: (snapshot) => (gate === null ? [] : holdsFor(gate, asked.policy, snapshot, deps.clock.now())),
    record: async (news) => {
      lost.throwIfAborted();
      entries += await recordNews(deps, journal, asked, news);
    },
  });
  lost.throwIfAborted();
  await noteTrustedAccess(deps, journal, asked, seen.trustedAccess);
  entries += await recordGone(deps, journal, asked, seen.gone);
  onProgress({ kind: 'recorded', entries });
  const onlyThese = asked.planHash === null ? null : await allowedBy(runs, asked.planHash);
  const wanted = await planOf(deps, asked, seen, onlyThese);
  const replan = (keys: ReadonlySet<string>) => planOf(deps, asked, seen, keys);
  const { run, plan } = await bindApprovedPlan(deps, runs, asked, wanted, opened, replan);
  // A stopped plan is kept: only what was stored can be approved later.
  if (plan.trip !== null && plan.trip.reason !== 'halted') {
    const note = { heldUpBy: plan.trip.reason, totals: plan.totals };
    await runs.storePlan(plan.planHash, run.policy.hash, keysOf(plan.changes), deps.clock.now(), note);
  }
  await runs.begin(run, deps.clock.now(), seen.accountsInScope, totalChanges(plan.totals));
  await runs.noteChanges(run.runId, keysOf([...plan.due, ...plan.followUps]), deps.clock.now());
  // What waits for a window comes back by itself, and must find that its run was stopped.
  const comesBack = plan.changes.some((change) => change.reason === 'window');
  if (plan.trip?.reason !== 'halted' && comesBack) {
    if (plan.trip !== null) await runs.stop(run.runId, plan.trip);
    await noteWaitingRun(deps.registers, run.policy.hash, run.runId);
  }
  await closeScan(deps, journal, run, plan);
  await concludeRollout(deps, runs, run, plan);
  lost.throwIfAborted();
  if (plan.trip === null) await enqueue(deps, run, plan, onProgress);
  return { ...plan, gate };
}

/** @throws Error if the plan is not stored (any more): a run that is bound to nothing known must not be taken for a free one. */
async function allowedBy(runs: RunStore, planHash: string): Promise<ReadonlySet<string>> {
  const keys = await runs.planKeys(planHash);
  if (keys === null)
    throw new Error(`plan ${planHash} is not stored here (any more); make a new one with \`rollcall plan\``);
  return keys;
}

/** Whether an earlier part of a resumed run has written such an entry about the organization. */
async function hasSaid(deps: Deps, { runId, resumed }: RunContext, type: EntryDraft['type']): Promise<boolean> {
  if (resumed !== true) return false;
  const { entries } = await deps.ledger.query({ runId, type }, { limit: 1 });
  return entries.length > 0;
}

async function notePolicy(deps: Deps, journal: LedgerWriter, run: RunContext): Promise<void> {
  const known = await readTyped(deps.registers, POLICY);
  const { hash } = run.policy;
  if (known?.value.hash === hash) return;
  const written = await writeTyped(deps.registers, POLICY, { hash }, known?.version ?? null);
  if (written === null) return;
  const message = known === null ? 'the first policy' : `replaces ${known.value.hash}`;
  await journal.organization(() => organizationEntry(deps, run, 'PolicyChanged', { detail: { message } }));
}

/** Writes what the ledger does not know yet. Returns how many entries that took. */
async function recordNews(
  deps: Deps,
  journal: LedgerWriter,
  run: RunContext,
  news: readonly AssessedAccount[],
): Promise<number> {
  if (news.length === 0) return 0;
  const context = entryContext(deps, run);
  // Read after the records were: what an operator sets later than this moves their heads.
  const controls = compileControls(await readControls(deps.registers));
  const standing = news.filter(({ account, assessments }) => standsUnder(controls, context.now, account, assessments));
  const details = await changesBehind(deps, standing.map(foundOf));
  const items = standing.map((judged) => ({
    record: judged.record ?? emptyRecord(judged.account.id),
    // Whoever wrote since the account was judged may have seen it later than we did: what they wrote stands, the next scan goes on from it.
    decide: (record: AccountRecord) =>
      record.head.seq === (judged.record?.head.seq ?? 0)
        ? newsOf(context, record, judged, details.get(judged.account.id))
        : [],
  }));
  return recordAll(journal, items);
}

export function foundOf({ record, assessments }: AssessedAccount): Found {
  return { record, assessments: ENROLLMENT_IDS.map((enrollment) => assessments[enrollment]) };
}

function recordGone(
  deps: Deps,
  journal: LedgerWriter,
  run: RunContext,
  gone: readonly AccountRecord[],
): Promise<number> {
  const context = entryContext(deps, run);
  const items = gone.map((record) => ({
    record,
    decide: (current: AccountRecord) => (current.present ? [left(context, current)] : []),
  }));
  return recordAll(journal, items);
}

async function recordAll(
  journal: LedgerWriter,
  items: readonly { readonly record: AccountRecord; readonly decide: Decide }[],
): Promise<number> {
  let entries = 0;
  for (let at = 0; at < items.length; at += RECORD_CHUNK) {
    const written = await journal.writeMany(items.slice(at, at + RECORD_CHUNK));
    entries += written.reduce((sum, result) => sum + result.entries.length, 0);
  }
  return entries;
}

function newsOf(
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
    // What joining says quietly is known from here on; its place in the chain does not matter for that.
    known = foldEntry(record, { ...draft, seq: 0, prevHash: '', hash: '' });
  }
  for (const enrollment of ENROLLMENT_IDS) {
    const draft = transition(context, known, assessments[enrollment], details[enrollment]);
    if (draft !== null) drafts.push(draft);
  }
  return drafts;
}

async function closeScan(deps: Deps, journal: LedgerWriter, run: RunContext, plan: Plan): Promise<void> {
  const { summary, coverage, planHash, broken } = plan;
  const message = broken.length > 0 ? broken.join('; ') : undefined;
  const detail = {
    planHash,
    summary: { verdicts: summary, coverage, due: plan.due.length, totals: plan.totals },
    ...(message && { message }),
  };
  if (!(await hasSaid(deps, run, 'ScanCompleted'))) {
    await journal.organization(() => organizationEntry(deps, run, 'ScanCompleted', { detail }));
  }
  const { trip } = plan;
  // The ledger says when enforcement was halted; a run that finds it so is no news.
  if (trip === null || trip.reason === 'halted' || (await hasSaid(deps, run, 'GuardrailTripped'))) return;
  const tripDetail = { planHash, message: trip.message, summary: { wouldChange: totalChanges(plan.totals) } };
  const rest = { reason: trip.reason, detail: tripDetail };
  await journal.organization(() => organizationEntry(deps, run, 'GuardrailTripped', rest));
}
