import * as z from 'zod';
import type { Condition } from '../../domain/enrollment/condition.ts';
import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import type { RunStore } from '../coordination/run-store.ts';
import { readTyped, update } from '../coordination/typed-register.ts';
import { usedApprovals } from './approvals.ts';

/** The last run whose plan counted all changes that wait for a window. */
const waitingSchema = z.object({ policyHash: z.string(), runId: z.string() });
export const WAITING_RUN = storedDocument(REGISTERS.waitingRun, waitingSchema);

export async function noteWaitingRun(registers: Registers, policyHash: string, runId: string): Promise<void> {
  await update(registers, WAITING_RUN, () => ({ policyHash, runId }));
}

interface Waiting {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
  readonly condition: Condition;
}

/** The id of the run that makes a change whose window has opened; `null`: the run that first found it. */
export type WaitingRunOf = (waiting: Waiting) => Promise<string | null>;

/**
 * Decides which run makes a change whose window has opened: an approved run that includes it or, if there is none, the last run
 * that planned it. Not the run that first found it: later runs have checked the guardrails again.
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
    if (run !== null && run.stopped === null) begun.set(run.runId, await targets(runs, planHash));
  }
  const last = (await readTyped(registers, WAITING_RUN))?.value ?? null;
  const lastRun = last === null || last.policyHash !== policyHash ? null : await runs.get(last.runId);
  const ofLast = lastRun?.planHash == null ? null : await targets(runs, lastRun.planHash);
  const began = new Map<string, number>();
  const startOf = async (runId: string): Promise<number> => {
    const known = began.get(runId) ?? (await runs.get(runId))?.startedAt ?? Number.NEGATIVE_INFINITY;
    began.set(runId, known);
    return known;
  };
  return async (waiting) => {
    const target = targetOf(waiting);
    for (const [runId, keys] of begun) if (keys.has(target)) return runId;
    if (lastRun === null || (ofLast !== null && !ofLast.has(target))) return null;
    // If the condition names a later run, a rollout has released the change in that run, which then makes it.
    const { runId } = waiting.condition;
    return runId !== null && (await startOf(runId)) > lastRun.startedAt ? null : lastRun.runId;
  };
}

const targetOf = ({ accountId, enrollment, condition }: Waiting): string =>
  [accountId, enrollment, condition.desired, condition.desiredRuleMode].join(' ');

/** The accounts and desired states of a plan's changes, without the actions, which depend on the state of the account. */
async function targets(runs: RunStore, planHash: string): Promise<ReadonlySet<string>> {
  const keys = (await runs.planKeys(planHash)) ?? [];
  return new Set([...keys].map((key) => key.split(' ').slice(0, 4).join(' ')));
}
