import * as z from 'zod';
import { totalChanges } from '../../domain/decision/plan-totals.ts';
import { byKind } from '../../domain/enrollment/kinds/index.ts';
import { reasonText } from '../../domain/enrollment/reason-codes.ts';
import { VERDICTS } from '../../domain/enrollment/verdict.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import type { EntryType, StepType } from '../../domain/ledger/entry-types.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import type { OrganizationAccount } from '../../domain/policy/types.ts';
import { toIso } from '../../domain/time.ts';
import type { Stores } from '../context.ts';
import { policyInForce } from '../coordination/policy-in-force.ts';
import { RunStore } from '../coordination/run-store.ts';
import { approvalOf } from '../guardrails/approvals.ts';
import type { plannedChange, run } from './answers/runs.ts';
import { fullSummary } from './plan-document.ts';
import { type TracedChange, type TracedRun, traceRun } from './run-changes.ts';

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

type RunStores = Pick<Stores, 'ledger' | 'registers' | 'records' | 'snapshots'>;

/** Runs, newest first. @throws BadCursorError */
export async function listRuns(
  stores: RunStores,
  page: { readonly limit: number; readonly cursor: string | null },
): Promise<{ readonly runs: readonly RunView[]; readonly next: string | null }> {
  const { entries, next } = await stores.ledger.query({ type: 'ScanStarted' }, page);
  const runs: RunView[] = [];
  // Sequential, because each run may have tens of thousands of changes.
  for (const started of entries) {
    const seen = await runOf(stores, started);
    if (seen !== null) runs.push(seen.view);
  }
  return { runs, next };
}

async function runOf(stores: RunStores, started: LedgerEntry): Promise<SeenRun | null> {
  const { runId, at, actor, policyHash } = started;
  if (runId === null) return null;
  const [completed, tripped, state] = await Promise.all([
    firstOf(stores, runId, 'ScanCompleted'),
    firstOf(stores, runId, 'GuardrailTripped'),
    new RunStore(stores.registers).get(runId),
  ]);
  const parsed = scanSummary.safeParse(completed?.detail?.summary);
  const summary = parsed.success ? parsed.data : null;
  const trip =
    tripped === null ? null : { reason: tripped.reason ?? 'guardrail', message: tripped.detail?.message ?? '' };
  const totals = summary?.totals ?? null;
  const traced = await traceRun(stores, runId, totals === null ? (summary?.due ?? 0) : totalChanges(totals));
  const view = {
    ...{ runId, startedAt: at, completedAt: completed?.at ?? null, actor, policyHash },
    planHash: completed?.detail?.planHash ?? null,
    summary: summary === null ? null : fullSummary(summary.verdicts),
    coverage: summary?.coverage ?? null,
    due: summary?.due ?? null,
    totals,
    changes: traced.counts,
    failed: state?.failed ?? null,
    stopped: state?.stopped ?? trip,
  };
  return { view, traced };
}

interface SeenRun {
  readonly view: RunView;
  readonly traced: TracedRun;
}

async function firstOf({ ledger }: RunStores, runId: string, type: EntryType): Promise<LedgerEntry | null> {
  const { entries } = await ledger.query({ runId, type }, { limit: 1 });
  return entries[0] ?? null;
}

type RunChange = z.infer<typeof plannedChange>;

/** At most this many changes of a run are listed; all of them are counted. */
const SHOWN = 1_000;
/** Number of entries read in parallel to find the reasons that are shown with the changes. */
const LANES = 16;

/** One run with its plan. @returns `null` if the ledger has no such run */
export async function showRun(stores: RunStores, runId: string) {
  const [started] = (await stores.ledger.query({ runId, type: 'ScanStarted' }, { limit: 1 })).entries;
  const seen = started === undefined ? null : await runOf(stores, started);
  if (seen === null) return null;
  const { view: run, traced } = seen;
  const stored = run.planHash === null ? null : await storedPlan(stores, run.planHash);
  const approval = run.planHash === null ? null : await approvalOf(stores.registers, run.planHash);
  const inForce = await policyInForce(stores.registers);
  const heldUp = run.stopped?.reason === 'maxChanges' || run.stopped?.reason === 'rollout';
  return {
    run,
    plan: {
      source: traced.changes.some(({ planned }) => planned !== null) ? ('stored' as const) : ('ledger' as const),
      planHash: run.planHash,
      changes: await withNames(stores, await described(stores, traced.changes.slice(0, SHOWN))),
      total: run.changes.total + run.changes.unplanned,
      approvable: heldUp && stored !== null && approval === null && run.policyHash === inForce,
      approval:
        approval === null
          ? null
          : {
              ...{ actor: approval.actor, reason: approval.reason, at: toIso(approval.at), usedBy: approval.usedBy },
              expiresAt: toIso(approval.expiresAt),
              usedAt: approval.usedAt === null ? null : toIso(approval.usedAt),
            },
    },
    entries: traced.outline.entries,
    entriesCut: false,
  };
}

type BareChange = Omit<RunChange, 'name' | 'ou'>;

async function storedPlan({ registers }: RunStores, planHash: string) {
  const plans = await new RunStore(registers).storedPlans(planHash);
  return plans.find(({ hash }) => hash === planHash) ?? null;
}

const OUTCOMES: Readonly<Record<StepType, RunChange['outcome']>> = {
  DriftResolved: 'succeeded',
  RemediationStarted: 'started',
  RemediationSucceeded: 'succeeded',
  RemediationFailed: 'failed',
  RemediationBlocked: 'blocked',
  ConvergenceStalled: 'failed',
};

/** The last entry about a change is read only if the change is shown and the entry adds something to the plan. */
async function described({ ledger }: RunStores, changes: readonly TracedChange[]): Promise<readonly BareChange[]> {
  const entries = new Map<TracedChange, LedgerEntry>();
  const unclear = changes.filter(({ planned, step }) => {
    return step !== null && (planned === null || OUTCOMES[step.type] !== 'succeeded');
  });
  await mapParallel(unclear, LANES, async (change) => {
    if (change.step === null) return;
    const [entry] = await ledger.read(change.accountId, change.step.seq - 1, 1);
    if (entry?.seq === change.step.seq) entries.set(change, entry);
  });
  return changes.map((change) => {
    const { accountId, enrollment, planned, step } = change;
    const { after = null, api = null, reason = null } = entries.get(change) ?? {};
    return {
      ...{ accountId, enrollment, outcome: step === null ? 'planned' : OUTCOMES[step.type] },
      reason: reason ?? after?.reason ?? null,
      message: reasonText(reason ?? after?.reason ?? null),
      desired: planned?.desired ?? after?.desired ?? null,
      desiredRuleMode: planned?.desiredRuleMode ?? after?.desiredRuleMode ?? null,
      action: planned?.action ?? api?.operation ?? 'none',
    };
  });
}

async function withNames({ snapshots }: RunStores, changes: readonly BareChange[]): Promise<readonly RunChange[]> {
  const accounts = (await snapshots.load())?.accounts ?? [];
  const known = new Map<string, OrganizationAccount>(accounts.map((account) => [account.id, account]));
  return changes.map((change) => {
    const account = known.get(change.accountId);
    return { ...change, name: account?.name ?? null, ou: account?.ou ?? null };
  });
}
