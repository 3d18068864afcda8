import type { WorkMessage } from '../../domain/work-message.ts';
import { policyInForce } from '../coordination/policy-in-force.ts';
import { holdsOf, readGate } from '../guardrails/rollout-gate.ts';
import { reconcileBatch } from './bulk/reconcile-batch.ts';
import { reconcileOrganization } from './bulk/reconcile-organization.ts';
import { reconcileAccount } from './reconcile-account.ts';
import { NO_RESULT, type WorkContext, type WorkResult } from './worker-context.ts';

/** Another process has put a newer policy in force, so this process must no longer act on its own policy. */
export class OutdatedPolicyError extends Error {
  override readonly name = 'OutdatedPolicyError';

  constructor(ours: string, inForce: string) {
    super(
      `Policy ${inForce.slice(0, 12)} is in force on this store, but this process works under policy ${ours.slice(0, 12)}. ` +
        'All work so far is recorded. Start it again with the policy that is in force.',
    );
  }
}

/**
 * Reconciles the accounts of one message. A key of a superseded policy is dropped, because the scan of the new policy enqueues its own keys.
 * @throws OutdatedPolicyError if this process has the superseded policy and therefore must not drop the key.
 */
export async function processMessage(shared: WorkContext, message: WorkMessage): Promise<WorkResult> {
  const ours = shared.policy.hash;
  if (shared.beganInForce) {
    const inForce = (await policyInForce(shared.deps.registers)) ?? ours;
    if (inForce !== ours && [ours, inForce].includes(message.policyHash)) throw new OutdatedPolicyError(ours, inForce);
  }
  if (message.policyHash !== ours) return NO_RESULT;
  const gate = await readGate(shared.deps.registers, shared.policy);
  const work = { ...shared, holds: holdsOf(gate, shared.policy) };
  switch (message.kind) {
    case 'account':
      return reconcileAccount(work, message);
    case 'batch':
      return reconcileBatch(work, message);
    case 'organization':
      return reconcileOrganization(work, message);
  }
}
