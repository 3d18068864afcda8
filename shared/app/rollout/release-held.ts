import { waitsForPrerequisite } from '../../domain/account/prerequisites.ts';
import type { AccountRecord } from '../../domain/account/record.ts';
import { type RecentChanges, type Trip, tripped } from '../../domain/decision/guardrails.ts';
import type { Change } from '../../domain/decision/plan.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { actionFor, dependentsOf, ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { Deps } from '../context.ts';
import type { RunStore } from '../coordination/run-store.ts';
import { changedRecently } from '../guardrails/rolling-changes.ts';
import type { RolloutState } from '../guardrails/rollout-gate.ts';
import { commandContext, organizationEntry } from '../ledger/organization-entry.ts';
import { writeOrganizationEntry } from '../ledger/write-entries.ts';
import { type DueKey, optsOut, sendDue } from '../work-queue/due-keys.ts';

type ReleaseDeps = Pick<Deps, 'records' | 'registers' | 'ledger' | 'queue' | 'clock' | 'newId' | 'actor'>;

interface HeldChange {
  readonly accountId: string;
  readonly enrollment: EnrollmentId;
  readonly condition: Condition;
}

/**
 * Enqueues the changes that a rollout has held back, as a separate run without a scan. If they would exceed a cap, none is
 * enqueued; an operator can approve the stored plan, and the next scan plans the accounts again.
 */
export async function releaseHeld(
  deps: ReleaseDeps,
  runs: RunStore,
  policy: CompiledPolicy,
  { runId: scanId, planHash }: RolloutState,
): Promise<void> {
  const { held, followUps } = await heldBack(deps);
  if (held.length === 0) return;
  const now = deps.clock.now();
  const scanned = scanId === null ? null : await runs.get(scanId);
  const accountsInScope = scanned?.accountsInScope ?? 0;
  const recent = await changedRecently(deps, now);
  const trip = checkCaps(policy, held, accountsInScope, recent);
  const runId = deps.newId();
  if (trip === null) {
    const planned = held.length + followUps;
    await runs.begin({ runId, policy, planHash: null }, { startedAt: now, accountsInScope, planned });
    const common = { v: 1, policyHash: policy.hash, runId, planHash: null } as const;
    const keys = held.map(({ accountId, enrollment, condition }): DueKey => {
      return { common, condition, key: { accountId, enrollment } };
    });
    await sendDue(deps.queue, keys, 'bulk');
    return;
  }
  if (planHash !== null) await runs.notePlanHeldUp(planHash, trip.reason);
  await writeOrganizationEntry(deps, () => {
    const wouldChange = { message: trip.message, summary: { wouldChange: held.length + followUps } };
    const detail = { ...wouldChange, ...(planHash === null ? {} : { planHash }) };
    const context = commandContext(deps, { runId, policyHash: policy.hash });
    return organizationEntry(context, 'GuardrailTripped', { reason: trip.reason, detail });
  });
}

/** The changes that the rollout holds back, and the number of further changes that become possible once they are made. */
async function heldBack({ records }: ReleaseDeps) {
  const held: HeldChange[] = [];
  let followUps = 0;
  for await (const page of records.all()) {
    for (const record of page) {
      if (!record.present) continue;
      const ofRecord = heldOf(record);
      held.push(...ofRecord);
      const enabled = ofRecord.filter(({ condition }) => condition.desired === 'Active');
      const unlocked = new Set(enabled.flatMap(({ enrollment }) => dependentsOf(enrollment)));
      followUps += [...unlocked].filter((id) => waitsForPrerequisite(record.conditions[id])).length;
    }
  }
  return { held, followUps };
}

function heldOf(record: AccountRecord): HeldChange[] {
  return ENROLLMENT_IDS.flatMap((enrollment) => {
    const condition = record.conditions[enrollment];
    const isHeld = condition?.verdict === 'Blocked' && condition.reason === 'rollout';
    return isHeld ? [{ accountId: record.accountId, enrollment, condition }] : [];
  });
}

/** Checks only the caps; the scan that held the changes back has checked coverage. */
function checkCaps(
  policy: CompiledPolicy,
  held: readonly HeldChange[],
  accountsInScope: number,
  recent: RecentChanges,
): Trip | null {
  return tripped({
    guardrails: policy.policy.guardrails,
    accountsInScope,
    coverage: null,
    changes: held.map(({ accountId, enrollment, condition }): Pick<Change, 'accountId' | 'action' | 'optOut'> => {
      return { accountId, action: actionFor(enrollment, 'setStatus').operation, optOut: optsOut(condition) };
    }),
    recent,
    maxChangesLifted: false,
  });
}
