import * as z from 'zod';
import { failuresTrip, type Trip } from '../../domain/decision/guardrails.ts';
import type { PlanTotals } from '../../domain/decision/plan-totals.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { Registers } from '../../ports/registers.ts';
import type { RunContext } from '../context.ts';
import { documentFamily, REGISTERS } from './documents.ts';
import { type PendingEntry, unrecordedSchema } from './pending-entry.ts';
import { readTyped, readValue, update, writeTyped } from './typed-register.ts';

const runSchema = z.object({
  runId: z.string(),
  policyHash: z.string(),
  planHash: z.string().nullable(),
  /** Until when an approval lets the run exceed `maxChanges`, epoch ms; `null`: no approval does. */
  approvedUntil: z.number().nullable().default(null),
  startedAt: z.number(),
  /** Only drift that began until this time is in the plan, epoch ms. Set if the run continues a saved plan; `null`: until `startedAt`. */
  driftsUntil: z.number().nullable().default(null),
  /** The number of accounts that the caps' percentages refer to. */
  accountsInScope: z.number(),
  /** Number of changes that the run planned. */
  planned: z.number(),
  /** Number of mutating calls that failed after all retries. Calls that AWS denied for lack of permission are not counted. */
  failed: z.number(),
  /** Why the run makes no further changes; `null` while it may. */
  stopped: z.object({ reason: z.string(), message: z.string() }).nullable(),
  /** Whether the coverage of its scan was below `minCoverage`. Older versions did not store it. */
  uncovered: z.boolean().default(false),
  /**
   * The calls of the plan that are not for accounts or batches: `configurations`, or the enrollment kind of an organization-wide call. Older versions
   * did not store them.
   */
  calls: z.array(z.string()).default([]),
  /** The entry about the failures that stopped the run, until the audit log has it. */
  unrecorded: unrecordedSchema,
});
export type RunState = z.infer<typeof runSchema>;

const planSchema = z.object({
  policyHash: z.string(),
  storedAt: z.number(),
  keys: z.array(z.string()),
  /** What holds the plan up: the name of the tripped guardrail, or `rollout`. Older versions did not store it. */
  heldUpBy: z.string().nullable().default(null),
  /** Older versions did not store the accounts. */
  totals: z
    .object({ now: z.number(), followUps: z.number(), accounts: z.number().optional() })
    .nullable()
    .default(null),
});

export interface RunBeginning extends Pick<RunState, 'startedAt' | 'accountsInScope' | 'planned'> {
  readonly stopped?: RunState['stopped'];
  readonly uncovered?: boolean;
  readonly driftsUntil?: EpochMs | null;
  readonly calls?: RunState['calls'];
}

/** The keys (`changeKey`) of the changes that a run planned. The progress of the run is measured against them. */
const runPlanSchema = z.object({ at: z.number(), keys: z.array(z.string()) });

/** A stored plan. Approvals and runs refer to it. */
export interface StoredPlan {
  readonly hash: string;
  readonly policyHash: string;
  /** When a scan last found this plan, epoch ms. */
  readonly storedAt: EpochMs;
  /** The changes that it allows, by `changeKey`. */
  readonly keys: readonly string[];
  /** The guardrail that tripped, or `rollout`; `null`: not known. */
  readonly heldUpBy: string | null;
  /** The number of changes due now and of follow-ups; changes that wait for anything else are not counted. `null`: not known. */
  readonly totals:
    | (Pick<PlanTotals, 'now' | 'followUps'> & { /** In how many accounts. */ readonly accounts?: number | undefined })
    | null;
}

/** Additional facts about a stored plan. An omitted field keeps its stored value. */
export type PlanNote = Partial<Pick<StoredPlan, 'heldUpBy' | 'totals'>>;

/** How long runs and plans are kept, ms. Approvals and cool-downs last a day, so nothing refers to older ones. */
export const KEEP_MS = 7 * 24 * 60 * 60 * 1000;

export const RUNS = documentFamily(REGISTERS.run, runSchema);
export const PLANS = documentFamily(REGISTERS.plan, planSchema);
export const RUN_PLANS = documentFamily(REGISTERS.runPlan, runPlanSchema);

/**
 * The state of a run after a restore: stopped if it was in either store, and without the effect of an approval.
 * @param replaced the content of the same register in the replaced store; `null`: none
 * @throws DamagedRegisterError
 */
export function restoredRun(name: string, backup: unknown, replaced: unknown, now: EpochMs): RunState {
  const run = readValue({ ...RUNS, name }, backup);
  const other = replaced === null ? run : readValue({ ...RUNS, name }, replaced);
  return {
    ...run,
    failed: Math.max(run.failed, other.failed),
    stopped: run.stopped ?? other.stopped,
    uncovered: run.uncovered || other.uncovered,
    approvedUntil: run.planHash === null ? null : Math.min(run.approvedUntil ?? now, now),
  };
}

/** The state of a run that all its workers share, and the plans that bind runs. */
export class RunStore {
  readonly #registers: Registers;
  readonly #plans = new Map<string, ReadonlySet<string>>();

  constructor(registers: Registers) {
    this.#registers = registers;
  }

  /** Stores the state of a run. `stopped`: why the run makes no change, if it makes none. */
  async begin(
    run: RunContext,
    {
      startedAt,
      accountsInScope,
      planned,
      stopped = null,
      uncovered = false,
      driftsUntil = null,
      calls = [],
    }: RunBeginning,
  ): Promise<void> {
    const { runId, policy, planHash, approvedUntil = null } = run;
    const state: RunState = {
      runId,
      policyHash: policy.hash,
      planHash,
      approvedUntil,
      startedAt,
      accountsInScope,
      planned,
      failed: 0,
      stopped,
      uncovered,
      driftsUntil,
      calls: [...calls],
      unrecorded: null,
    };
    // An earlier process may have stored the state of the run before it ran out of time. Its counts stay.
    await update(this.#registers, RUNS.named(runId), (current) =>
      current === null ? state : { ...current, stopped: current.stopped ?? stopped },
    );
  }

  /** Adds to the changes that the run plans. A process that continues a run finds only the changes that are still left. */
  async noteChanges(runId: string, keys: readonly string[], now: EpochMs): Promise<void> {
    if (keys.length === 0) return;
    await update(this.#registers, RUN_PLANS.named(runId), (current) => {
      return { at: current?.at ?? now, keys: [...new Set([...(current?.keys ?? []), ...keys])] };
    });
  }

  /** The changes that the run planned; `null`: none, or they are no longer stored. */
  async changesOf(runId: string): Promise<readonly string[] | null> {
    return (await readTyped(this.#registers, RUN_PLANS.named(runId)))?.value.keys ?? null;
  }

  async get(runId: string): Promise<RunState | null> {
    return (await readTyped(this.#registers, RUNS.named(runId)))?.value ?? null;
  }

  /**
   * Counts a change that failed permanently.
   * @param entryOf the entry to store with the stop, if this failure stops the run
   * @returns the trip if this failure stopped the run
   */
  async countFailure(
    runId: string,
    policy: CompiledPolicy,
    entryOf: (trip: Trip) => Promise<PendingEntry>,
  ): Promise<Trip | null> {
    for (;;) {
      const known = await readTyped(this.#registers, RUNS.named(runId));
      if (known === null) throw new Error(`run ${runId} has no state`);
      const { planned, stopped } = known.value;
      const failed = known.value.failed + 1;
      const trip = stopped === null ? failuresTrip(policy.policy.guardrails, planned, failed) : null;
      const stop = trip === null ? {} : { stopped: trip, unrecorded: await entryOf(trip) };
      const next = { ...known.value, failed, ...stop };
      if ((await writeTyped(this.#registers, RUNS.named(runId), next, known.version)) !== null) return trip;
    }
  }

  /** Stores a plan by its hash, so that an approval or a run can be bound to it. */
  async storePlan(
    hash: string,
    policyHash: string,
    keys: readonly string[],
    now: EpochMs,
    note: PlanNote = {},
  ): Promise<void> {
    await update(this.#registers, PLANS.named(hash), (current) => {
      const { heldUpBy = current?.heldUpBy ?? null, totals = current?.totals ?? null } = note;
      return { policyHash, storedAt: now, keys: [...keys], heldUpBy, totals };
    });
  }

  /**
   * Stores a saved plan. If a scan has stored the same plan, the keys that need an approval are kept, so that an approval of the plan can still be
   * used. Without that approval, no run makes the calls that these keys identify.
   */
  async storeSavedPlan(
    { planHash, policyHash, keys }: Pick<StoredPlan, 'policyHash' | 'keys'> & { readonly planHash: string },
    now: EpochMs,
  ): Promise<void> {
    const known = await this.planKeys(planHash);
    await this.storePlan(planHash, policyHash, [...new Set([...(known ?? []), ...keys])], now);
  }

  /** Notes what holds up a stored plan. A plan that is no longer stored needs no note. */
  async notePlanHeldUp(hash: string, heldUpBy: string): Promise<void> {
    const known = await readTyped(this.#registers, PLANS.named(hash));
    if (known !== null)
      await writeTyped(this.#registers, PLANS.named(hash), { ...known.value, heldUpBy }, known.version);
  }

  /** Plans whose hash begins with `prefix`. */
  async storedPlans(prefix: string): Promise<readonly StoredPlan[]> {
    return (await this.#registers.list(PLANS.named(prefix).name)).map(({ name, value }) => {
      return { hash: name.slice(PLANS.prefix.length), ...readValue({ ...PLANS, name }, value) };
    });
  }

  /** Removes runs and plans that nothing refers to any more. A register that another process changes at the same time is kept. */
  async prune(now: EpochMs): Promise<void> {
    const before = now - KEEP_MS;
    for (const { name, value, version } of await this.#registers.list(RUNS.prefix)) {
      const run = runSchema.safeParse(value);
      if (!run.success || run.data.startedAt >= before) continue;
      // The register of planned changes is found by the name of the run, so it is removed first.
      const changes = await this.#registers.read(RUN_PLANS.named(name.slice(RUNS.prefix.length)).name);
      if (changes !== null) await this.#registers.remove(changes.name, changes.version);
      await this.#registers.remove(name, version);
    }
    for (const { name, value, version } of await this.#registers.list(PLANS.prefix)) {
      const plan = planSchema.safeParse(value);
      if (plan.success && plan.data.storedAt < before) await this.#registers.remove(name, version);
    }
  }

  /** The changes that a stored plan allows; `null` if there is no such plan (any more). */
  async planKeys(hash: string): Promise<ReadonlySet<string> | null> {
    const known = this.#plans.get(hash);
    if (known !== undefined) return known;
    const plan = await readTyped(this.#registers, PLANS.named(hash));
    if (plan === null) return null;
    const keys = new Set(plan.value.keys);
    // The hash identifies the content, so a cached plan is never outdated.
    this.#plans.set(hash, keys);
    return keys;
  }
}
