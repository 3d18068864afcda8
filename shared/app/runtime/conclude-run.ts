import type * as z from 'zod';
import type { AccountRecord } from '../../domain/account/record.ts';
import { haltedText } from '../../domain/decision/operator-controls.ts';
import type { Change } from '../../domain/decision/plan.ts';
import { totalChanges } from '../../domain/decision/plan-totals.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { reasonText } from '../../domain/enrollment/reason-codes.ts';
import { shownOf } from '../../domain/enrollment/status.ts';
import type { Verdict } from '../../domain/enrollment/verdict.ts';
import type { LedgerFilter } from '../../ports/ledger.ts';
import type { Deps, RunContext } from '../context.ts';
import { RunStore } from '../coordination/run-store.ts';
import { readControls } from '../guardrails/controls.ts';
import { rolloutView } from '../guardrails/rollout-gate.ts';
import type { Plan } from '../plan/plan.ts';
import { workKey } from '../plan/planned-work.ts';
import type { runOutcome } from '../queries/answers/apply.ts';

type RunOutcome = z.infer<typeof runOutcome>;
export type OpenChange = RunOutcome['open'][number];
type PlannedCounts = RunOutcome['planned'];
type ChangeCounts = RunOutcome['changes'];

export interface ApplyResult extends RunOutcome {
  readonly plan: Plan;
  /** The number of changes outside the plan that other runs have made since the scan of this run. */
  readonly unplanned: number;
}

const GOOD: ReadonlySet<Verdict> = new Set(['Compliant', 'Exempt', 'Suspended', 'Unmanaged', 'NotApplicable']);

/** How a run has ended. */
interface Concluded {
  readonly result: ApplyResult;
  /** The completed planned changes, except those of other runs, by `workKey`. */
  readonly confirmed: ReadonlySet<string>;
  /** The planned changes that other runs have completed, by `workKey`. */
  readonly byOtherRuns: ReadonlySet<string>;
}

/** Determines how the changes of a run have ended. */
export async function conclude(deps: Deps, run: RunContext, plan: Plan, interrupted: boolean): Promise<Concluded> {
  const rollout = await rolloutView(deps.registers);
  const state = await new RunStore(deps.registers).get(run.runId);
  const records = await deps.records.getMany([...new Set(plan.changes.map((change) => change.accountId))]);
  const { halt } = await readControls(deps.registers);
  const halted =
    halt === null || totalChanges(plan.totals) === 0 ? null : { reason: 'halted', message: haltedText(halt) };
  const tally = new Tally(plan, await attempts(deps, run.runId));
  const open: OpenChange[] = [];
  for (const change of plan.changes) {
    const record = records.get(change.accountId) ?? null;
    const condition = record?.conditions[change.enrollment] ?? null;
    if (!tally.add(change, condition)) open.push(await openChange(deps, change, record));
  }
  const { counts, planned, unplanned, confirmed, byOtherRuns } = tally;
  const outcome = { changes: counts, planned, open, unplanned };
  const stopped = state?.stopped ?? halted;
  return { result: { plan, runId: run.runId, ...outcome, stopped, interrupted, rollout }, confirmed, byOtherRuns };
}

/** Counts how the changes of a plan have ended. */
class Tally {
  readonly counts = { attempted: 0, succeeded: 0, failed: 0, blocked: 0, converging: 0 };
  readonly confirmed = new Set<string>();
  readonly byOtherRuns = new Set<string>();
  /** The number of changes outside the plan that other runs have begun. */
  unplanned = 0;
  readonly #plan: Plan;
  readonly #attempts: Attempts;
  readonly #planned: ReadonlySet<string>;
  readonly #unmade = { inProgress: 0, failed: 0, blocked: 0, notStarted: 0 };

  constructor(plan: Plan, made: Attempts) {
    this.#plan = plan;
    this.#attempts = made;
    this.#planned = new Set([...plan.due, ...plan.followUps].map(keyOf));
  }

  get planned(): PlannedCounts {
    return {
      total: this.#planned.size,
      confirmed: this.confirmed.size,
      byOtherRuns: this.byOtherRuns.size,
      ...this.#unmade,
    };
  }

  /** @returns whether nothing is left to do for the change */
  add(change: Change, condition: Condition | null): boolean {
    const key = keyOf(change);
    const verdict = condition?.verdict ?? change.verdict;
    const isPlanned = this.#planned.has(key);
    // A change without a failed attempt is still on the queue: the run was stopped, or another process has the message.
    const begun = isPlanned && this.#plan.trip === null && (condition?.attempts ?? 0) > 0;
    const ending = endingOf(verdict, begun);
    const { own, others, resolvedByOthers } = this.#attempts;
    const isOfOthers = !own.has(key) && (others.has(key) || (isPlanned && resolvedByOthers.has(key)));
    if (isPlanned) this.#end(key, ending, isOfOthers);
    else if (isOfOthers) this.unplanned += 1;
    count(this.counts, ending, own.has(key) || (isOfOthers && !isPlanned));
    return GOOD.has(verdict);
  }

  #end(key: string, ending: Ending | null, isOfOthers: boolean): void {
    if (this.#plan.trip !== null || ending === null) this.#unmade.notStarted += 1;
    else if (ending === 'succeeded') (isOfOthers ? this.byOtherRuns : this.confirmed).add(key);
    else this.#unmade[UNMADE[ending]] += 1;
  }
}

async function openChange(deps: Deps, change: Change, record: AccountRecord | null): Promise<OpenChange> {
  const { accountId, accountName, ou, enrollment } = change;
  const { verdict, reason, notBefore } = record?.conditions[enrollment] ?? change;
  const fallback = verdict === change.verdict ? change.message : reasonText(reason);
  const message = await lastMessage(deps, accountId, enrollment, fallback);
  const status = shownOf((id) => record?.conditions[id] ?? null)[enrollment]?.status ?? change.status;
  return { accountId, accountName, ou, enrollment, verdict, reason, status, message, notBefore };
}

const keyOf = ({ accountId, enrollment }: Pick<Change, 'accountId' | 'enrollment'>): string =>
  workKey(accountId, enrollment);

const UNMADE = { converging: 'inProgress', failed: 'failed', blocked: 'blocked' } as const;

type Ending = Exclude<keyof ChangeCounts, 'attempted'>;

function endingOf(verdict: Verdict, begun: boolean): Ending | null {
  if (GOOD.has(verdict)) return 'succeeded';
  if (verdict === 'Converging') return 'converging';
  if (verdict === 'Blocked') return 'blocked';
  return begun ? 'failed' : null;
}

function count(counts: Record<keyof ChangeCounts, number>, ending: Ending | null, tried: boolean): void {
  // A failure without a call (e.g. of a read) counts as an attempt. A drift that someone else resolved does not.
  if (tried || ending === 'failed') counts.attempted += 1;
  if (ending !== null && (tried || ending !== 'succeeded')) counts[ending] += 1;
}

interface Attempts {
  /** Changes that this run has begun, in any process: processes share the queue. */
  readonly own: ReadonlySet<string>;
  /** Changes that other runs have begun since the scan of this run began. */
  readonly others: ReadonlySet<string>;
  /** Changes whose drift other runs have recorded as resolved since then. They may have begun them before. */
  readonly resolvedByOthers: ReadonlySet<string>;
}

async function attempts(deps: Deps, runId: string): Promise<Attempts> {
  // The state of the run is stored only after the scan. Another run may have made a change between these times.
  const [scan] = (await deps.ledger.query({ runId, type: 'ScanStarted' }, { limit: 1 })).entries;
  const filter = scan === undefined ? { runId } : { since: scan.at };
  const begun = await byRun(deps, runId, { ...filter, type: 'RemediationStarted' });
  const resolved = await byRun(deps, runId, { ...filter, type: 'DriftResolved' });
  return { ...begun, resolvedByOthers: resolved.others };
}

/** The changes that entries are about, separately for those of the run and of others. */
async function byRun({ ledger }: Deps, runId: string, filter: LedgerFilter): Promise<Pick<Attempts, 'own' | 'others'>> {
  const [own, others] = [new Set<string>(), new Set<string>()];
  let cursor: string | null = null;
  do {
    const page = await ledger.query(filter, { limit: 1_000, cursor });
    for (const { accountId, enrollment, runId: of } of page.entries) {
      if (accountId !== null && enrollment !== null) (of === runId ? own : others).add(workKey(accountId, enrollment));
    }
    cursor = page.next;
  } while (cursor !== null);
  return { own, others };
}

async function lastMessage(
  deps: Deps,
  accountId: string,
  enrollment: Change['enrollment'],
  fallback: string | null,
): Promise<string | null> {
  const { entries } = await deps.ledger.query({ accountId, enrollment }, { limit: 1 });
  return entries[0]?.detail?.message ?? fallback;
}
