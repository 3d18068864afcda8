import type { WorkMessage } from '../../domain/work.ts';
import { reconcileAccount } from './account.ts';
import { reconcileBatch } from './batch.ts';
import { NOTHING, type WorkContext, type WorkResult } from './context.ts';
import { reconcileOrganization } from './organization.ts';

/** Looks at one message, whatever its kind. A key of a superseded policy is dropped: the scan of the new one has queued its own. */
export async function processMessage(work: WorkContext, message: WorkMessage): Promise<WorkResult> {
  if (message.policyHash !== work.policy.hash) return NOTHING;
  switch (message.kind) {
    case 'account':
      return reconcileAccount(work, message);
    case 'batch':
      return reconcileBatch(work, message);
    case 'organization':
      return reconcileOrganization(work, message);
  }
}
