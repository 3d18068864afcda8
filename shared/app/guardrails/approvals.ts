import * as z from 'zod';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Deps } from '../context.ts';
import { documentFamily, REGISTERS, storedDocument } from '../coordination/documents.ts';
import type { StoredPlan } from '../coordination/run-store.ts';
import { readTyped, readValue, type Typed, update, writeTyped } from '../coordination/typed-register.ts';
import { organizationEntry } from '../ledger/organization-entry.ts';
import { writeOrganizationEntry } from '../ledger/write-entries.ts';
import { ApprovalError, approvablePlan, short } from './approvable-plan.ts';
import { contentOf, type PlanContent } from './plan-content.ts';

/** How long an approval can be used, ms. */
const APPROVAL_MS = 24 * 60 * 60 * 1000;

/*
 *                   entry is durable       a scan binds a run to it       its first mutating call
 *  (none) ─▶ noted ─────────────────▶ open ────────────────────────▶ open ───────────────────────▶ used
 *              │                        └──────────────────┬──────────┘
 *              └─ 60 s: its writer crashed                 └─ 24 h: expired, also for the run bound to it
 */
const approvalSchema = z.object({
  planHash: z.string(),
  policyHash: z.string(),
  actor: z.string(),
  reason: z.string().nullable(),
  at: z.number(),
  expiresAt: z.number(),
  /** Whether its `PlanApproved` entry is in the audit log. Before that, the approval has no effect. */
  recorded: z.boolean(),
  /** The first run that may use this approval; `null`: no scan has begun since, so the next tick requests one. */
  startedRun: z.string().nullable(),
  /** The run that made the first mutating call, and when. */
  usedBy: z.string().nullable(),
  usedAt: z.number().nullable(),
});
export type Approval = z.infer<typeof approvalSchema>;

export const APPROVALS = documentFamily(REGISTERS.approval, approvalSchema);
/** Read by every tick, because looking for approvals reads all shards of the registers. `until`: epoch ms. */
export const APPROVALS_UNTIL = storedDocument(REGISTERS.approvalsUntil, z.object({ until: z.number() }));
/** If an approval is not recorded within this time, its writer has crashed, ms. */
const RECORDING_MS = 60_000;

export interface Approver {
  /** An ARN where known, else the operating system's user. */
  readonly actor: string;
  readonly reason: string | null;
}

export interface Approved extends PlanContent {
  readonly approval: Approval;
  readonly entryId: string;
}

export type ApprovalDeps = Pick<Deps, 'registers' | 'ledger' | 'records' | 'clock' | 'newId'>;

/**
 * Approves a stored plan: for 24 hours, one run may exceed `maxChanges` to make its changes.
 * @param hashPrefix the plan's hash, or a unique prefix of it
 * @throws ApprovalError
 */
export async function approve(deps: ApprovalDeps, hashPrefix: string, { actor, reason }: Approver): Promise<Approved> {
  const now = deps.clock.now();
  const plan = await approvablePlan(deps.registers, hashPrefix);
  const document = APPROVALS.named(plan.hash);
  const known = await readTyped(deps.registers, document);
  if (known !== null) refuseAgain(known.value, plan, now);
  const noted: Approval = {
    planHash: plan.hash,
    policyHash: plan.policyHash,
    actor,
    reason,
    at: now,
    expiresAt: now + APPROVAL_MS,
    startedRun: null,
    usedBy: null,
    usedAt: null,
    recorded: false,
  };
  // Written before the approval, so that no tick overlooks it.
  await update(deps.registers, APPROVALS_UNTIL, (last) => ({ until: Math.max(last?.until ?? 0, noted.expiresAt) }));
  const version = await writeTyped(deps.registers, document, noted, known?.version ?? null);
  if (version === null) throw await alreadyApproved(deps.registers, plan.hash);
  const entryId = deps.newId();
  await writeOrganizationEntry(deps, () => approvedEntry(noted, plan, entryId));
  // An approval takes effect only after its entry is in the ledger.
  const approval = { ...noted, recorded: true };
  if ((await writeTyped(deps.registers, document, approval, version)) === null)
    throw await alreadyApproved(deps.registers, plan.hash);
  await assertKept(deps.registers, approval);
  return { approval, ...contentOf(plan), entryId };
}

/** Reads the approval back, so that success is reported only if the store has it. @throws ApprovalError `NotKept` */
async function assertKept(registers: Registers, { planHash, actor, at }: Approval): Promise<void> {
  const kept = (await readTyped(registers, APPROVALS.named(planHash)))?.value ?? null;
  if (kept?.recorded === true && kept.actor === actor && kept.at === at) return;
  throw new ApprovalError(
    'NotKept',
    `The approval of plan ${short(planHash)} was written, but is missing when read back: something undoes writes to the ` +
      'store. Check `rollcall status`, and stop every Rollcall process on this store until you have found the cause.',
  );
}

/** Whether a plan can be approved again: its approval has expired unused, or the plan was held up again after the approval was used. */
export function isApprovableAgain(known: Approval, { storedAt }: Pick<StoredPlan, 'storedAt'>, now: EpochMs): boolean {
  const { usedAt, expiresAt, recorded, at } = known;
  if (usedAt !== null) return storedAt > usedAt;
  return expiresAt <= now || (!recorded && at + RECORDING_MS <= now);
}

function refuseAgain(known: Approval, plan: StoredPlan, now: EpochMs): void {
  if (isApprovableAgain(known, plan, now)) return;
  const { actor, at, usedBy, usedAt, expiresAt } = known;
  const [which, who] = [`Plan ${short(plan.hash)}`, `${actor} at ${iso(at)}`];
  if (usedAt === null)
    throw new ApprovalError('PlanAlreadyApproved', `${which} is already approved by ${who}, until ${iso(expiresAt)}.`);
  throw new ApprovalError(
    'ApprovalUsed',
    `${which} was approved by ${who} and used by run ${usedBy ?? '?'} at ${iso(usedAt)}. If a guardrail stops the remaining changes, the next scan stores them under a new hash.`,
  );
}

async function alreadyApproved(registers: Registers, hash: string): Promise<ApprovalError> {
  const other = await readTyped(registers, APPROVALS.named(hash));
  const who = other === null ? 'someone else' : other.value.actor;
  return new ApprovalError('PlanAlreadyApproved', `Plan ${short(hash)} has just been approved by ${who}.`);
}

function approvedEntry(approval: Approval, plan: StoredPlan, id: string) {
  const { actor, at, policyHash, planHash, reason, expiresAt } = approval;
  const { configurations, ...counts } = contentOf(plan);
  const summary = { ...counts, ...(configurations > 0 && { configurations }), until: iso(expiresAt) };
  const detail = { planHash, summary, ...(reason === null ? {} : { message: reason }) };
  return organizationEntry({ newId: () => id, now: at, actor, runId: null, policyHash }, 'PlanApproved', { detail });
}

const iso = (time: EpochMs): string => new Date(time).toISOString();

/** The approval of a plan, whether open, used or expired; `null`: none is recorded. */
export async function approvalOf(registers: Registers, planHash: string): Promise<Approval | null> {
  const known = await readTyped(registers, APPROVALS.named(planHash));
  return known?.value.recorded === true ? known.value : null;
}

/**
 * Whether there is an approval that no scan has used yet. Takes one read if none was given recently. An approval by a version that did not store when
 * it ends is used by the next scheduled scan.
 */
export async function awaitsScan(registers: Registers, policyHash: string, now: EpochMs): Promise<boolean> {
  const known = await readTyped(registers, APPROVALS_UNTIL);
  if (known === null || now >= known.value.until) return false;
  return (await openApprovals(registers, policyHash, now)).some(({ startedRun }) => startedRun === null);
}

/** The approvals under a policy that can still be used, the oldest first. */
export async function openApprovals(
  registers: Registers,
  policyHash: string,
  now: EpochMs,
): Promise<readonly Approval[]> {
  return (await approvalsInForce(registers, policyHash, now)).filter(isOpen);
}

/** The approvals in use: a run has made its first call, and the approval has not expired. */
export async function usedApprovals(
  registers: Registers,
  policyHash: string,
  now: EpochMs,
): Promise<readonly Approval[]> {
  return (await approvalsInForce(registers, policyHash, now)).filter(({ usedAt }) => usedAt !== null);
}

/** Whether an approval can still be used. */
export const isOpen = ({ recorded, usedAt }: Approval): boolean => recorded && usedAt === null;

/** The approvals under a policy that have not expired, the oldest first. */
export async function approvalsInForce(
  registers: Registers,
  policyHash: string,
  now: EpochMs,
): Promise<readonly Approval[]> {
  return (await registers.list(APPROVALS.prefix))
    .map(({ name, value }) => readValue({ ...APPROVALS, name }, value))
    .filter((approval) => approval.policyHash === policyHash && now < approval.expiresAt)
    .sort((a, b) => a.at - b.at);
}

/** Records the run that an approval started. @returns false if the approval can no longer be used. */
export async function startApproved(
  registers: Registers,
  planHash: string,
  runId: string,
  now: EpochMs,
): Promise<boolean> {
  return change(registers, planHash, (approval) =>
    approval.usedAt !== null || now >= approval.expiresAt ? null : { ...approval, startedRun: runId },
  );
}

/** Marks an approval as used, so that no other run can use it. Called by every mutating call; only the first has an effect. */
export async function useApproval(registers: Registers, planHash: string, runId: string, now: EpochMs): Promise<void> {
  await change(registers, planHash, (approval) =>
    approval.usedAt === null ? { ...approval, usedBy: runId, usedAt: now } : null,
  );
}

async function change(
  registers: Registers,
  planHash: string,
  next: (approval: Approval) => Approval | null,
): Promise<boolean> {
  for (;;) {
    const known: Typed<Approval> | null = await readTyped(registers, APPROVALS.named(planHash));
    const wanted = known === null ? null : next(known.value);
    if (known === null || wanted === null) return false;
    if ((await writeTyped(registers, APPROVALS.named(planHash), wanted, known.version)) !== null) return true;
  }
}

/**
 * An approval after a restore. It stays used if either store has it as used, and it expires, so that the plan must be approved again.
 * @throws DamagedRegisterError
 */
export function restoredApproval(name: string, values: readonly unknown[], now: EpochMs): Approval {
  const known = values.map((value) => readValue({ ...APPROVALS, name }, value));
  const strictest = known.find(({ usedAt }) => usedAt !== null) ?? known[0];
  if (strictest === undefined) throw new Error(`${name}: there is no approval to restore`);
  return { ...strictest, expiresAt: Math.min(strictest.expiresAt, now) };
}

/** Removes approvals that expired before the given time. */
export async function pruneApprovals(registers: Registers, before: EpochMs): Promise<void> {
  for (const { name, value, version } of await registers.list(APPROVALS.prefix)) {
    const parsed = approvalSchema.safeParse(value);
    if (parsed.success && parsed.data.expiresAt < before) await registers.remove(name, version);
  }
}
