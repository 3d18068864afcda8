import { z } from 'zod';
import { failuresTrip, type Trip } from '../domain/guardrails.ts';
import type { CompiledPolicy } from '../domain/policy/index.ts';
import type { Registers } from '../ports/registers.ts';
import type { RunContext } from './deps.ts';
import { readTyped, update } from './registers.ts';

const runSchema = z.object({
  runId: z.string(),
  policyHash: z.string(),
  planHash: z.string().nullable(),
  startedAt: z.number(),
  /** What the caps' percentages are of. */
  accountsInScope: z.number(),
  /** Changes that the run set out to make. */
  planned: z.number(),
  /** Mutating calls that failed for good; denied roles not among them. */
  failed: z.number(),
  /** Why the run makes no further changes; `null` while it may. */
  stopped: z.object({ reason: z.string(), message: z.string() }).nullable(),
});
export type RunState = z.infer<typeof runSchema>;

const planSchema = z.object({ policyHash: z.string(), keys: z.array(z.string()) });

const runName = (runId: string): string => `run/${runId}`;
const planName = (hash: string): string => `plan/${hash}`;

/** The state of a run that all its workers share, and the plans that bind runs. */
export class RunStates {
  readonly #registers: Registers;

  constructor(registers: Registers) {
    this.#registers = registers;
  }

  async begin(run: RunContext, startedAt: number, accountsInScope: number, planned: number): Promise<void> {
    const { runId, policy, planHash } = run;
    const counts = { accountsInScope, planned, failed: 0 };
    const state = { runId, policyHash: policy.hash, planHash, startedAt, ...counts, stopped: null };
    await update(this.#registers, runName(runId), runSchema, () => state);
  }

  async get(runId: string): Promise<RunState | null> {
    return (await readTyped(this.#registers, runName(runId), runSchema))?.value ?? null;
  }

  /**
   * Counts a mutating call that failed for good; stops the run if that is one too many.
   * @returns the trip if this failure was the one that stopped it.
   */
  async countFailure(runId: string, policy: CompiledPolicy): Promise<Trip | null> {
    let trip: Trip | null = null;
    await update(this.#registers, runName(runId), runSchema, (current) => {
      trip = null;
      if (current === null) throw new Error(`run ${runId} has no state`);
      const failed = current.failed + 1;
      if (current.stopped !== null) return { ...current, failed };
      trip = failuresTrip(policy.policy.guardrails, current.planned, failed);
      return { ...current, failed, stopped: trip };
    });
    return trip;
  }

  /** Keeps a plan by its hash, so that runs can be bound to it and, later, approved. */
  async storePlan(hash: string, policyHash: string, keys: readonly string[]): Promise<void> {
    await update(this.#registers, planName(hash), planSchema, () => ({ policyHash, keys: [...keys] }));
  }

  async planKeys(hash: string): Promise<ReadonlySet<string> | null> {
    const plan = await readTyped(this.#registers, planName(hash), planSchema);
    return plan === null ? null : new Set(plan.value.keys);
  }
}
