import { type CompiledControls, compileControls } from '../../domain/decision/operator-controls.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Registers } from '../../ports/registers.ts';
import { policyInForce } from '../coordination/policy-in-force.ts';
import { openApprovals } from '../guardrails/approvals.ts';
import { readControls } from '../guardrails/controls.ts';

/* What keeps enforcement from acting, and what lets it act, as `status` and `account` show it. Times are ISO 8601. */

/** Enforcement windows; `null`: no policy was given, or it has none. */
export type WindowView = {
  readonly open: boolean;
  readonly opensAt: string | null;
  readonly closesAt: string | null;
} | null;

/** The kill switch; `null`: it is off. */
export type HaltView = { readonly at: string; readonly by: string; readonly reason: string | null } | null;

export interface SuspensionView {
  readonly selector: string;
  readonly reason: string | null;
  readonly until: string | null;
  readonly at: string;
  readonly by: string;
}

/** An operator's approval that can still be used. */
export interface ApprovalView {
  readonly planHash: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly at: string;
  readonly expiresAt: string;
}

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
