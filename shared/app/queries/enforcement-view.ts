import type * as z from 'zod';
import { type CompiledControls, compileControls } from '../../domain/decision/operator-controls.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Registers } from '../../ports/registers.ts';
import { policyInForce } from '../coordination/policy-in-force.ts';
import { openApprovals } from '../guardrails/approvals.ts';
import { readControls } from '../guardrails/controls.ts';
import type { approval, halted, suspension, window } from './answers/status.ts';

/* The controls that stop or permit enforcement, as `status` and `account` show them. Times are ISO 8601. */

export type WindowView = z.infer<typeof window>;
export type HaltView = z.infer<typeof halted>;
export type SuspensionView = z.infer<typeof suspension>;
export type ApprovalView = z.infer<typeof approval>;

const isoOrNull = (time: EpochMs | null): string | null => (time === null ? null : toIso(time));

export function windowView(policy: CompiledPolicy | null, now: EpochMs): WindowView {
  if (policy === null || (policy.policy.windows ?? []).length === 0) return null;
  const { windows } = policy;
  const open = windows.isOpen(now);
  const opensAt = open ? null : isoOrNull(windows.nextOpening(now));
  return { open, opensAt, closesAt: isoOrNull(windows.closesAt(now)) };
}

export async function controlsNow(registers: Registers): Promise<CompiledControls> {
  return compileControls(await readControls(registers));
}

export function haltView({ halt }: CompiledControls): HaltView {
  return halt === null ? null : { at: toIso(halt.at), by: halt.by, reason: halt.reason };
}

export function suspensionViews(controls: CompiledControls, now: EpochMs): readonly SuspensionView[] {
  return controls.inForce(now).map(({ selector, reason, until, at, by }) => {
    return { selector, reason, until: isoOrNull(until), at: toIso(at), by };
  });
}

/** Approvals of plans of the policy in force. */
export async function approvalViews(registers: Registers, now: EpochMs): Promise<readonly ApprovalView[]> {
  const policyHash = await policyInForce(registers);
  if (policyHash === null) return [];
  return (await openApprovals(registers, policyHash, now)).map(({ planHash, actor, reason, at, expiresAt }) => {
    return { planHash, actor, reason, at: toIso(at), expiresAt: toIso(expiresAt) };
  });
}
