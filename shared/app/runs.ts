import * as z from 'zod';
import type { EntryType, LedgerEntry } from '../domain/ledger.ts';
import type { AccountFacts } from '../domain/policy/types.ts';
import { toIso } from '../domain/time.ts';
import { ENROLLMENTS, type Enrollment } from '../domain/types.ts';
import { VERDICTS } from '../domain/verdict.ts';
import { approvalOf } from './approvals.ts';
import type { Stores } from './deps.ts';
import { type FullSummary, fullSummary } from './plan-document.ts';
import { POLICY_REGISTER, policySchema } from './policy-register.ts';
import { readTyped } from './registers.ts';
import { RunStates } from './run-state.ts';

/** What `ScanCompleted` tells in its summary. */
const scanSummary = z.object({
  verdicts: z.object({
    computeOptimizer: z.partialRecord(z.enum(VERDICTS), z.number()),
    automation: z.partialRecord(z.enum(VERDICTS), z.number()),
  }),
  coverage: z.object({ listed: z.number(), evaluated: z.number(), unknown: z.number(), notApplicable: z.number() }),
  due: z.number(),
});

export interface RunView {
  readonly runId: string;
  readonly startedAt: string;
  readonly completedAt: string | null;
  readonly actor: string;
  readonly policyHash: string | null;
  readonly planHash: string | null;
  readonly summary: FullSummary | null;
  readonly coverage: z.infer<typeof scanSummary>['coverage'] | null;
  readonly due: number | null;
  readonly failed: number | null;
  readonly stopped: { readonly reason: string; readonly message: string } | null;
}

type RunStores = Pick<Stores, 'ledger' | 'registers' | 'facts'>;

/** Runs, the latest first. @throws BadCursorError */
export async function listRuns(
  stores: RunStores,
  page: { readonly limit: number; readonly cursor: string | null },
): Promise<{ readonly runs: readonly RunView[]; readonly next: string | null }> {
  const { entries, next } = await stores.ledger.query({ type: 'ScanStarted' }, page);
  const runs = await Promise.all(entries.map((started) => runOf(stores, started)));
  return { runs: runs.flatMap((run) => run ?? []), next };
}

async function runOf(stores: RunStores, started: LedgerEntry): Promise<RunView | null> {
  const { runId, at, actor, policyHash } = started;
  if (runId === null) return null;
  const [completed, tripped, state] = await Promise.all([
    firstOf(stores, runId, 'ScanCompleted'),
    firstOf(stores, runId, 'GuardrailTripped'),
    new RunStates(stores.registers).get(runId),
  ]);
  const told = scanSummary.safeParse(completed?.detail?.summary);
  const summary = told.success ? told.data : null;
  const trip =
    tripped === null ? null : { reason: tripped.reason ?? 'guardrail', message: tripped.detail?.message ?? '' };
  return {
    ...{ runId, startedAt: at, completedAt: completed?.at ?? null, actor, policyHash },
    planHash: completed?.detail?.planHash ?? null,
    summary: summary === null ? null : fullSummary(summary.verdicts),
    coverage: summary?.coverage ?? null,
    due: summary?.due ?? null,
    failed: state?.failed ?? null,
    stopped: state?.stopped ?? trip,
  };
}

async function firstOf({ ledger }: RunStores, runId: string, type: EntryType): Promise<LedgerEntry | null> {
  const { entries } = await ledger.query({ runId, type }, { limit: 1 });
  return entries[0] ?? null;
}

export interface RunChange {
  readonly accountId: string;
  readonly name: string | null;
  readonly ou: string | null;
  readonly enrollment: Enrollment;
  readonly desired: string | null;
  readonly desiredRuleMode: string | null;
  readonly action: string;
  readonly outcome: 'planned' | 'started' | 'succeeded' | 'failed' | 'blocked';
  readonly reason: string | null;
}

/** Entries and changes of one run that are looked at. */
const MOST = 20_000;
const PAGE = 1_000;
const SHOWN = 1_000;

/** One run with its plan. @returns `null` if the ledger has no such run */
export async function showRun(stores: RunStores, runId: string) {
  const [started] = (await stores.ledger.query({ runId, type: 'ScanStarted' }, { limit: 1 })).entries;
  const run = started === undefined ? null : await runOf(stores, started);
  if (run === null) return null;
  const seen = await entriesOf(stores, runId);
  const stored = run.planHash === null ? null : await storedKeys(stores, run.planHash);
  const made = changesMade(seen.entries);
  const planned = stored === null ? [] : stored.flatMap((key) => plannedChange(key) ?? []);
  const merged = new Map([...planned, ...made.values()].map((change) => [keyOf(change), change]));
  for (const change of planned) {
    const done = made.get(keyOf(change));
    if (done !== undefined) merged.set(keyOf(change), { ...change, outcome: done.outcome, reason: done.reason });
  }
  const changes = [...merged.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const approval = run.planHash === null ? null : await approvalOf(stores.registers, run.planHash);
  const inForce = (await readTyped(stores.registers, POLICY_REGISTER, policySchema))?.value.hash ?? null;
  const heldUp = run.stopped?.reason === 'maxChanges' || run.stopped?.reason === 'rollout';
  return {
    run,
    plan: {
      source: stored === null ? ('ledger' as const) : ('stored' as const),
      planHash: run.planHash,
      changes: await withNames(stores, changes.slice(0, SHOWN)),
      total: changes.length,
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
    entries: countTypes(seen.entries),
    entriesCut: seen.cut,
  };
}

type BareChange = Omit<RunChange, 'name' | 'ou'>;

const keyOf = ({ accountId, enrollment }: BareChange): string => `${accountId} ${enrollment}`;

async function entriesOf({ ledger }: RunStores, runId: string) {
  const entries: LedgerEntry[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof ledger.query>> = await ledger.query(
      { runId },
      { limit: PAGE, cursor, order: 'oldestFirst' },
    );
    entries.push(...page.entries);
    cursor = page.next;
  } while (cursor !== null && entries.length < MOST);
  return { entries, cut: cursor !== null };
}

async function storedKeys({ registers }: RunStores, planHash: string): Promise<readonly string[] | null> {
  const plans = await new RunStates(registers).storedPlans(planHash);
  return plans.find(({ hash }) => hash === planHash)?.keys ?? null;
}

/** A key as `changeKey` writes it; an absent wish is an empty word. */
function plannedChange(key: string): BareChange | null {
  const [accountId, name, desired, desiredRuleMode, action] = key.split(' ');
  const enrollment = ENROLLMENTS.find((each) => each === name);
  if (accountId === undefined || enrollment === undefined || action === undefined) return null;
  const orNull = (text: string | undefined): string | null => text || null;
  return {
    ...{ accountId, enrollment, desired: orNull(desired), desiredRuleMode: orNull(desiredRuleMode), action },
    ...{ outcome: 'planned', reason: null },
  };
}

const OUTCOMES: Partial<Record<EntryType, RunChange['outcome']>> = {
  RemediationStarted: 'started',
  RemediationSucceeded: 'succeeded',
  RemediationFailed: 'failed',
  RemediationBlocked: 'blocked',
};

/** What the run has begun, with how the last of it ended. */
function changesMade(entries: readonly LedgerEntry[]): ReadonlyMap<string, BareChange> {
  const made = new Map<string, BareChange>();
  for (const { type, accountId, enrollment, after, api, reason } of entries) {
    const outcome = OUTCOMES[type];
    if (outcome === undefined || accountId === null || enrollment === null) continue;
    const before = made.get(`${accountId} ${enrollment}`);
    const change: BareChange = {
      ...{ accountId, enrollment, outcome, reason: reason ?? after?.reason ?? null },
      desired: after?.desired ?? before?.desired ?? null,
      desiredRuleMode: after?.desiredRuleMode ?? before?.desiredRuleMode ?? null,
      action: api?.operation ?? before?.action ?? 'none',
    };
    made.set(keyOf(change), change);
  }
  return made;
}

async function withNames({ facts }: RunStores, changes: readonly BareChange[]): Promise<readonly RunChange[]> {
  const accounts = (await facts.load())?.accounts ?? [];
  const known = new Map<string, AccountFacts>(accounts.map((account) => [account.id, account]));
  return changes.map((change) => {
    const account = known.get(change.accountId);
    return { ...change, name: account?.name ?? null, ou: account?.ou ?? null };
  });
}

function countTypes(entries: readonly LedgerEntry[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of entries) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}
