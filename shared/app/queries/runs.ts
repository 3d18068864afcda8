import * as z from 'zod';
import { totalChanges } from '../../domain/decision/plan-totals.ts';
import { byKind, ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { DRIFT_VERDICTS, VERDICTS, type Verdict } from '../../domain/enrollment/verdict.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import { toIso } from '../../domain/time.ts';
import type { Clock } from '../../ports/system.ts';
import type { Stores } from '../context.ts';
import { policyInForce } from '../coordination/policy-in-force.ts';
import { RunStore } from '../coordination/run-store.ts';
import { approvalOf, isApprovableAgain } from '../guardrails/approvals.ts';
import { readControls } from '../guardrails/controls.ts';
import { contentOf } from '../guardrails/plan-content.ts';
import { scanUnderWay } from '../schedule/scan-under-way.ts';
import type { ChangeOutcome, run } from './answers/runs.ts';
import { fullSummary } from './plan-document.ts';
import { RunCache } from './run-cache.ts';
import { type PlannedDrift, type TracedRun, traceRun } from './run-changes.ts';
import { describedChanges } from './run-descriptions.ts';
import { lastPlannedEntry } from './run-end.ts';
import { countOutcomes, outcomesOf, type RunFacts, runOutcomeWord } from './run-outcomes.ts';
import { newestOf, scanEnd, scanStart } from './scan-entries.ts';

/** The summary of a `ScanCompleted` entry. */
const scanSummary = z.object({
  // Scans from before a kind was added have no counts of it.
  verdicts: z.object(byKind(() => z.partialRecord(z.enum(VERDICTS), z.number()).default({}))),
  coverage: z.object({ listed: z.number(), evaluated: z.number(), unknown: z.number(), notApplicable: z.number() }),
  due: z.number(),
  totals: z
    .object({ now: z.number(), followUps: z.number(), optOuts: z.number(), calls: z.number() })
    .nullable()
    .default(null),
});

export type RunView = z.infer<typeof run>;

export type RunStores = Pick<Stores, 'ledger' | 'registers' | 'records' | 'snapshots'>;

/** Runs, newest first. @throws BadCursorError */
export async function listRuns(
  stores: RunStores,
  clock: Pick<Clock, 'now'>,
  page: { readonly limit: number; readonly cursor: string | null },
  cache: RunCache<SeenRun> = new RunCache(clock),
): Promise<{ readonly runs: readonly RunView[]; readonly next: string | null }> {
  const { entries, next } = await stores.ledger.query({ type: 'ScanStarted' }, page);
  const around = await surroundings(stores, clock);
  const runs: RunView[] = [];
  // Sequential, because each run may have tens of thousands of changes.
  for (const started of entries) {
    const seen = await runOf(stores, started, { around, cache });
    if (seen !== null) runs.push(seen.view);
  }
  return { runs, next };
}

/** Facts about the store that are the same for every run of a list. */
interface Surroundings {
  /** The newest run; `null`: there is none. */
  readonly latest: string | null;
  readonly isScanning: boolean;
  readonly isHalted: boolean;
  readonly now: EpochMs;
}

async function surroundings({ ledger, registers }: RunStores, clock: Pick<Clock, 'now'>): Promise<Surroundings> {
  const [newest, scanning, { halt }] = await Promise.all([
    ledger.query({ type: 'ScanStarted' }, { limit: 1 }),
    scanUnderWay({ registers, clock }),
    readControls(registers),
  ]);
  const latest = newest.entries[0]?.runId ?? null;
  return { latest, isScanning: scanning !== null, isHalted: halt !== null, now: clock.now() };
}

/** If a run has written nothing for this long, nobody works on it any more, ms. */
const QUIET_MS = 30 * 60_000;

async function runOf(
  stores: RunStores,
  started: LedgerEntry,
  { around, cache }: { readonly around: Surroundings; readonly cache: RunCache<SeenRun> },
): Promise<SeenRun | null> {
  const { runId } = started;
  if (runId === null) return null;
  return cache.get(runId, runId === around.latest, () => readRun(stores, { ...started, runId }, around));
}

async function readRun(
  stores: RunStores,
  { runId, at, actor, policyHash, detail }: LedgerEntry & { readonly runId: string },
  around: Surroundings,
): Promise<SeenRun> {
  const outline = await stores.ledger.outline(runId);
  const [completed, trip, last, state] = await Promise.all([
    outline.entries.ScanCompleted === undefined ? null : scanEnd(stores.ledger, runId, at),
    outline.entries.GuardrailTripped === undefined ? null : tripOf(stores, runId),
    newestOf(stores.ledger, runId),
    new RunStore(stores.registers).get(runId),
  ]);
  const parsed = scanSummary.safeParse(completed?.detail?.summary);
  const summary = parsed.success ? parsed.data : null;
  const totals = summary?.totals ?? null;
  const stopped = state?.stopped ?? trip;
  const expected = totals === null ? (summary?.due ?? null) : totalChanges(totals);
  const drift = plannedDrift(state, completed, at);
  const traced = await traceRun(stores, { runId, outline, expected, drift });
  const facts = { stoppedBy: stopped?.reason ?? null, isLatest: runId === around.latest };
  const { results, counts, processing } = await judgeChanges(stores, traced, { ...facts, drift });
  const newestAt = last?.at ?? at;
  const outcome = runOutcomeWord({
    ...facts,
    isScanned: completed !== null,
    counts,
    total: traced.counts.total,
    processing,
    isScanning: around.isScanning,
    isHalted: around.isHalted,
    isQuiet: around.now - Date.parse(newestAt) > QUIET_MS,
  });
  const isDone = outcome !== 'In progress';
  const ending =
    last === null || completed === null || !isDone
      ? { at: newestAt }
      : await lastPlannedEntry(stores.ledger, { runId, newest: last, traced });
  const view = {
    runId,
    startedAt: at,
    completedAt: completed?.at ?? null,
    actor,
    policyHash,
    planHash: completed?.detail?.planHash ?? null,
    summary: summary === null ? null : fullSummary(summary.verdicts),
    coverage: summary?.coverage ?? null,
    due: summary?.due ?? null,
    totals,
    changes: traced.counts,
    outcome,
    outcomes: counts,
    trigger: detail?.trigger ?? null,
    drift: summary === null ? null : driftIn(summary.verdicts),
    endedAt: isDone ? ending.at : null,
    failed: state?.failed ?? null,
    stopped,
  };
  return { view, traced, results };
}

/** The outcome of each traced change, and the number of planned changes with each outcome. */
async function judgeChanges(
  { records }: RunStores,
  traced: TracedRun,
  facts: RunFacts & { readonly drift: PlannedDrift },
) {
  const judged = await outcomesOf(records, traced.changes, facts);
  const planned = judged.filter((_, index) => traced.isPlanned(traced.changes[index]));
  const counts = countOutcomes(planned.map(({ outcome }) => outcome));
  counts['Not started'] += traced.missing;
  const processing = planned.filter(({ isProcessing }) => isProcessing).length;
  return { results: judged.map(({ outcome }) => outcome), counts, processing };
}

/** @param state `null`: no longer stored, so the end of the scan is used, or its beginning */
function plannedDrift(state: PlannedDrift | null, completed: LedgerEntry | null, at: string): PlannedDrift {
  return state ?? { startedAt: Date.parse(completed?.at ?? at) };
}

async function tripOf({ ledger }: RunStores, runId: string): Promise<RunView['stopped']> {
  const tripped = await newestOf(ledger, runId, 'GuardrailTripped');
  return tripped === null ? null : { reason: tripped.reason ?? 'guardrail', message: tripped.detail?.message ?? '' };
}

function driftIn(verdicts: Readonly<Record<EnrollmentId, Readonly<Partial<Record<Verdict, number>>>>>): number {
  const counts = Object.values(verdicts);
  return DRIFT_VERDICTS.reduce((sum, verdict) => sum + counts.reduce((n, each) => n + (each[verdict] ?? 0), 0), 0);
}

export interface SeenRun {
  readonly view: RunView;
  readonly traced: TracedRun;
  /** The outcome of each of the traced changes. */
  readonly results: readonly ChangeOutcome[];
}

/** At most this many changes of a run are listed; all of them are counted. */
const SHOWN = 1_000;

/** @returns `null` if the ledger has no such run */
export async function seenRun(
  stores: RunStores,
  clock: Pick<Clock, 'now'>,
  runId: string,
  cache: RunCache<SeenRun> = new RunCache(clock),
): Promise<SeenRun | null> {
  const started = await scanStart(stores.ledger, runId);
  return started === null ? null : runOf(stores, started, { around: await surroundings(stores, clock), cache });
}

function kindsOf({ traced, results }: SeenRun) {
  const planned = traced.changes.flatMap((change, index) => {
    const result = results[index];
    return result === undefined || !traced.isPlanned(change) ? [] : [{ ...change, result }];
  });
  const kinds = ENROLLMENT_IDS.map((enrollment) => {
    const own = planned.filter((change) => change.enrollment === enrollment);
    return { enrollment, total: own.length, outcomes: countOutcomes(own.map(({ result }) => result)) };
  });
  const accounts = new Set(planned.map(({ accountId }) => accountId)).size;
  return { kinds: kinds.filter(({ total }) => total > 0), accounts };
}

/** One run with its plan. @returns `null` if the ledger has no such run */
export async function showRun(stores: RunStores, clock: Pick<Clock, 'now'>, runId: string, cache?: RunCache<SeenRun>) {
  const seen = await seenRun(stores, clock, runId, cache);
  if (seen === null) return null;
  const { view: run, traced } = seen;
  const stored = run.planHash === null ? null : await storedPlan(stores, run.planHash);
  const approval = run.planHash === null ? null : await approvalOf(stores.registers, run.planHash);
  const inForce = await policyInForce(stores.registers);
  const configurations = stored === null ? 0 : contentOf(stored).configurations;
  const heldUp =
    run.stopped === null ? configurations > 0 : run.stopped.reason === 'maxChanges' || run.stopped.reason === 'rollout';
  const isFree = approval === null || (stored !== null && isApprovableAgain(approval, stored, clock.now()));
  return {
    run,
    ...kindsOf(seen),
    plan: {
      source: traced.changes.some(({ planned }) => planned !== null) ? ('stored' as const) : ('ledger' as const),
      planHash: run.planHash,
      changes: await describedChanges(stores, traced.changes.slice(0, SHOWN)),
      total: run.changes.total + run.changes.unplanned,
      configurations,
      approvable: heldUp && stored !== null && isFree && run.policyHash === inForce,
      approval:
        approval === null
          ? null
          : {
              actor: approval.actor,
              reason: approval.reason,
              at: toIso(approval.at),
              usedBy: approval.usedBy,
              expiresAt: toIso(approval.expiresAt),
              usedAt: approval.usedAt === null ? null : toIso(approval.usedAt),
            },
    },
    entries: traced.outline.entries,
    entriesCut: false,
  };
}

async function storedPlan({ registers }: RunStores, planHash: string) {
  const plans = await new RunStore(registers).storedPlans(planHash);
  return plans.find(({ hash }) => hash === planHash) ?? null;
}
