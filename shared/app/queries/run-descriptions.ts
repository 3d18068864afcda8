import type * as z from 'zod';
import { reasonText } from '../../domain/enrollment/reason-codes.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import type { StepType } from '../../domain/ledger/entry-types.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import type { Stores } from '../context.ts';
import { accountsById } from './accounts-by-id.ts';
import type { plannedChange } from './answers/runs.ts';
import type { TracedChange } from './run-changes.ts';

type DescribingStores = Pick<Stores, 'ledger' | 'snapshots'>;
type RunChange = z.infer<typeof plannedChange>;
type BareChange = Omit<RunChange, 'name' | 'ou'>;

/** Number of entries read in parallel to find the reasons that are shown with the changes. */
const LANES = 16;

const OUTCOMES: Readonly<Record<StepType, RunChange['outcome']>> = {
  DriftResolved: 'succeeded',
  RemediationStarted: 'started',
  RemediationSucceeded: 'succeeded',
  RemediationFailed: 'failed',
  RemediationBlocked: 'blocked',
  ConvergenceStalled: 'failed',
};

/** The changes as people see them. The last entry about a change is read only if it adds something to the plan. */
export async function describedChanges(
  stores: DescribingStores,
  changes: readonly TracedChange[],
): Promise<readonly RunChange[]> {
  const unclear = changes.filter(({ planned, step }) => {
    return step !== null && (planned === null || OUTCOMES[step.type] !== 'succeeded');
  });
  const entries = await lastEntries(stores, unclear);
  return withNames(stores, bareChanges(changes, entries));
}

/** The last entry of the run about each change. */
export async function lastEntries(
  { ledger }: Pick<DescribingStores, 'ledger'>,
  changes: readonly TracedChange[],
): Promise<ReadonlyMap<TracedChange, LedgerEntry>> {
  const entries = new Map<TracedChange, LedgerEntry>();
  await mapParallel(changes, LANES, async (change) => {
    if (change.step === null) return;
    const [entry] = await ledger.read(change.accountId, change.step.seq - 1, 1);
    if (entry?.seq === change.step.seq) entries.set(change, entry);
  });
  return entries;
}

export function bareChanges(
  changes: readonly TracedChange[],
  entries: ReadonlyMap<TracedChange, LedgerEntry>,
): readonly BareChange[] {
  return changes.map((change) => {
    const { accountId, enrollment, planned, step } = change;
    const { after = null, api = null, reason = null } = entries.get(change) ?? {};
    return {
      accountId,
      enrollment,
      outcome: step === null ? 'planned' : OUTCOMES[step.type],
      reason: reason ?? after?.reason ?? null,
      message: reasonText(reason ?? after?.reason ?? null),
      desired: planned?.desired ?? after?.desired ?? null,
      desiredRuleMode: planned?.desiredRuleMode ?? after?.desiredRuleMode ?? null,
      action: planned?.action ?? api?.operation ?? 'none',
    };
  });
}

async function withNames(
  { snapshots }: Pick<DescribingStores, 'snapshots'>,
  changes: readonly BareChange[],
): Promise<readonly RunChange[]> {
  const known = accountsById(await snapshots.load());
  return changes.map((change) => {
    const account = known.get(change.accountId);
    return { ...change, name: account?.name ?? null, ou: account?.ou ?? null };
  });
}
