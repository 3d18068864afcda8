import * as z from 'zod';
import type { HoldOf } from '../../domain/decision/assess-context.ts';
import { enforceableCanaries } from '../../domain/decision/canary-health.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import type { Registers } from '../../ports/registers.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { unrecordedSchema } from '../coordination/pending-entry.ts';
import { readTyped, readValue, type Typed, writeTyped } from '../coordination/typed-register.ts';

/** The rollout gate: under a new policy with a rollout, it holds back the changes of all accounts that are not canaries. */
const rolloutSchema = z.object({
  policyHash: z.string(),
  phase: z.enum(['scanning', 'canary', 'waiting', 'blocked', 'open']),
  /** When this phase began, epoch ms. */
  since: z.number(),
  /** The last scan under the gate: percentages refer to its run, and an approval to its plan. */
  runId: z.string().nullable(),
  planHash: z.string().nullable(),
  /** When the first scan under the policy ended, epoch ms. */
  startedAt: z.number().nullable(),
  canaries: z.array(z.string()),
  /** Phase `waiting`: when the gate opens if the canaries stay Compliant, epoch ms. */
  opensAt: z.number().nullable(),
  /** Phase `waiting`: when the last check of the canaries was enqueued, epoch ms. */
  lookedAt: z.number().nullable().default(null),
  message: z.string(),
  /** Phase `open`: whether the changes that the gate held back have been enqueued. */
  released: z.boolean(),
  /** Phase `open`, if an approval opened the gate: its plan, and the run whose scan opened the gate. Older versions did not store it. */
  openedBy: z.object({ planHash: z.string(), runId: z.string() }).nullable().default(null),
  /** The entry about the beginning of this phase, until the audit log has it. */
  unrecorded: unrecordedSchema,
});
export type RolloutState = z.infer<typeof rolloutSchema>;

export const ROLLOUT = storedDocument(REGISTERS.rollout, rolloutSchema);

/**
 * The gate after a restore: the stricter of the backup's and the replaced store's; `null` if they belong to different policies, so that the rollout starts again.
 * @throws DamagedRegisterError
 */
export function restoredRollout(backup: unknown, replaced: unknown): RolloutState | null {
  const [ours, theirs] = [backup, replaced].map((value) => readValue(ROLLOUT, value));
  if (ours === undefined || theirs === undefined || ours.policyHash !== theirs.policyHash) return null;
  return theirs.phase === 'open' ? ours : theirs;
}

export function readRollout(registers: Registers): Promise<Typed<RolloutState> | null> {
  return readTyped(registers, ROLLOUT);
}

/** Replaces the state that was read. @returns false if another process was faster. */
export async function writeRollout(
  registers: Registers,
  next: RolloutState,
  known: Typed<RolloutState> | null,
): Promise<boolean> {
  return (await writeTyped(registers, ROLLOUT, next, known?.version ?? null)) !== null;
}

/** The gate for accounts that are not canaries. */
export interface Gate {
  readonly closed: boolean;
  readonly message: string;
  readonly notBefore: EpochMs | null;
}

const OPEN: Gate = { closed: false, message: 'open', notBefore: null };

/** Reads the gate. Before the first run of a policy with a rollout, the gate is closed. */
export async function readGate(registers: Registers, policy: CompiledPolicy): Promise<Gate> {
  if (policy.policy.rollout === null) return OPEN;
  const state = (await readRollout(registers))?.value ?? null;
  if (state === null || state.policyHash !== policy.hash) {
    return { closed: true, message: 'rollout: the canaries come first', notBefore: null };
  }
  if (state.phase === 'open') return OPEN;
  return { closed: true, message: `rollout: ${state.message}`, notBefore: state.opensAt };
}

/** The gate as a reason to hold a change back. */
export function holdsOf(gate: Gate, policy: CompiledPolicy): readonly HoldOf[] {
  if (!gate.closed) return [];
  const { message, notBefore } = gate;
  return [(account) => (policy.isCanary(account) ? null : { reason: 'rollout', message, notBefore })];
}

/** Like {@link holdsOf}, for a whole organization: without an enforceable canary nothing is held back. */
export function holdsFor(gate: Gate, policy: CompiledPolicy, snapshot: OrganizationSnapshot, now: EpochMs) {
  if (!gate.closed || enforceableCanaries(policy, snapshot.accounts, now).length === 0) return [];
  return holdsOf(gate, policy);
}

/** The shape of `rollout` in `status --json`, `account --json`, `plan --json` and `apply --json`. */
export interface RolloutView {
  readonly phase: RolloutState['phase'];
  readonly policyHash: string;
  readonly planHash: string | null;
  readonly canaries: number;
  /** ISO 8601. */
  readonly since: string;
  readonly opensAt: string | null;
  readonly message: string;
}

/** The gate for display; `null` if there is none or it is open. */
export async function rolloutView(registers: Registers): Promise<RolloutView | null> {
  const state = (await readRollout(registers))?.value ?? null;
  if (state === null || state.phase === 'open') return null;
  const { phase, policyHash, planHash, canaries, since, opensAt, message } = state;
  const times = { since: toIso(since), opensAt: opensAt === null ? null : toIso(opensAt) };
  return { phase, policyHash, planHash, canaries: canaries.length, message, ...times };
}
