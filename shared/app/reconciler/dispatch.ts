import type { WorkMessage } from '../../domain/work-message.ts';
import { policyInForce } from '../coordination/policy-in-force.ts';
import { holdsOf, readGate } from '../guardrails/rollout-gate.ts';
import { reconcileBatch } from './bulk/reconcile-batch.ts';
import { reconcileOrganization } from './bulk/reconcile-organization.ts';
import { reconcileAccount } from './reconcile-account.ts';
import { NOTHING, type WorkContext, type WorkResult } from './worker-context.ts';

/** Another process has put another policy in force: whatever we would do now would be under one that counts no more. */
export class OutdatedPolicyError extends Error {
  override readonly name = 'OutdatedPolicyError';

  constructor(ours: string, inForce: string) {
    super(
      `another process works on this store under policy ${inForce.slice(0, 12)}, this one under ${ours.slice(0, 12)}; ` +
        'what was begun is recorded. Start again with the policy that is to hold',
    );
  }
}

/**
 * Looks at one message, whatever its kind. A key of a superseded policy is dropped: the scan of the new one has queued its own.
 * @throws OutdatedPolicyError if ours is the superseded one; then the key is not ours to drop.
 */
export async function processMessage(shared: WorkContext, message: WorkMessage): Promise<WorkResult> {
  const ours = shared.policy.hash;
  if (shared.beganInForce) {
    const inForce = (await policyInForce(shared.deps.registers)) ?? ours;
    if (inForce !== ours && [ours, inForce].includes(message.policyHash)) throw new OutdatedPolicyError(ours, inForce);
  }
  if (message.policyHash !== ours) return NOTHING;
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
