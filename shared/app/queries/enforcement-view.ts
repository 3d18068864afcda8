import type * as z from 'zod';
import {
  type CompiledControls,
  compileControls,
  type OperatorSuspension,
} from '../../domain/decision/operator-controls.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { type CompiledPolicy, parseOperatorSelector } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
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

/** @param snapshot the last listing of the organization; `null`: there is none */
export function suspensionViews(
  controls: CompiledControls,
  snapshot: OrganizationSnapshot | null,
  now: EpochMs,
): readonly SuspensionView[] {
  return controls.inForce(now).map(({ selector, reason, until, at, by }) => {
    return { selector, reason, until: isoOrNull(until), at: toIso(at), by, accounts: matchedBy(selector, snapshot) };
  });
}

/** A suspension that another one of the same selector has replaced. */
export function replacedView({ reason, until, at, by }: OperatorSuspension) {
  return { reason, until: isoOrNull(until), at: toIso(at), by };
}

function matchedBy(text: string, snapshot: OrganizationSnapshot | null): number | null {
  const parsed = parseOperatorSelector(text);
  if (snapshot === null || !parsed.ok) return null;
  const { match } = parsed.selector;
  if (match.usesTags && !snapshot.tags) return null;
  return snapshot.accounts.filter((account) => account.state === 'ACTIVE' && match.test(account)).length;
}

/** Approvals of plans of the policy in force. */
export async function approvalViews(registers: Registers, now: EpochMs): Promise<readonly ApprovalView[]> {
  const policyHash = await policyInForce(registers);
  if (policyHash === null) return [];
  return (await openApprovals(registers, policyHash, now)).map(({ planHash, actor, reason, at, expiresAt }) => {
    return { planHash, actor, reason, at: toIso(at), expiresAt: toIso(expiresAt) };
  });
}
