import * as z from 'zod';
import type { Condition } from '../../domain/enrollment/condition.ts';
import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import type { RunStore } from '../coordination/run-store.ts';
import { readTyped, update } from '../coordination/typed-register.ts';
import { usedApprovals } from './approvals.ts';

/** The last run whose plan judged what waits for a window together. */
const waitingSchema = z.object({ policyHash: z.string(), runId: z.string() });
export const WAITING_RUN = storedDocument(REGISTERS.waitingRun, waitingSchema);

/** Notes the run that has judged what waits for a window; it stands for all of it until the next scan does so. */
export async function noteWaitingRun(registers: Registers, policyHash: string, runId: string): Promise<void> {
  await update(registers, WAITING_RUN, () => ({ policyHash, runId }));
}

interface Waiting {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
  readonly condition: Condition;
}

/** Under which run a change is made whose window has opened. @returns `null`: the one that once found it. */
export type WaitingRunOf = (waiting: Waiting) => Promise<string | null>;

/**
 * Conditions keep the run that first found them, and a scan that finds them again writes nothing; but it has judged all that waits anew, with
 * what has come since, and may have been stopped, or been approved where the earlier one was stopped. So what an approved run has begun is
 * left to it, and anything else goes with the last run that judged it.
 */
export async function waitingRuns(
  registers: Registers,
  runs: RunStore,
  policyHash: string,
  now: EpochMs,
): Promise<WaitingRunOf> {
  const begun = new Map<string, ReadonlySet<string>>();
  for (const { planHash, usedBy } of await usedApprovals(registers, policyHash, now)) {
    const run = usedBy === null ? null : await runs.get(usedBy);
    if (run !== null && run.stopped === null) begun.set(run.runId, await wishes(runs, planHash));
  }
  const last = (await readTyped(registers, WAITING_RUN))?.value ?? null;
  const lastRun = last === null || last.policyHash !== policyHash ? null : await runs.get(last.runId);
  const ofLast = lastRun?.planHash == null ? null : await wishes(runs, lastRun.planHash);
  const began = new Map<string, number>();
  const startOf = async (runId: string): Promise<number> => {
    const known = began.get(runId) ?? (await runs.get(runId))?.startedAt ?? Number.NEGATIVE_INFINITY;
    began.set(runId, known);
    return known;
  };
  return async (waiting) => {
    const wish = wishOf(waiting);
    for (const [runId, keys] of begun) if (keys.has(wish)) return runId;
    if (lastRun === null || (ofLast !== null && !ofLast.has(wish))) return null;
    // What a rollout has released since was judged with its own run.
    const { runId } = waiting.condition;
    return runId !== null && (await startOf(runId)) > lastRun.startedAt ? null : lastRun.runId;
  };
}

const wishOf = ({ accountId, enrollment, condition }: Waiting): string =>
  [accountId, enrollment, condition.desired, condition.desiredRuleMode].join(' ');

/** Whose changes a plan allows, and to what; by which call only a look at the account tells. */
async function wishes(runs: RunStore, planHash: string): Promise<ReadonlySet<string>> {
  const keys = (await runs.planKeys(planHash)) ?? [];
  return new Set([...keys].map((key) => key.split(' ').slice(0, 4).join(' ')));
}
