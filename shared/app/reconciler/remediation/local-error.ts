import type { Assessment } from '../../../domain/enrollment/verdict.ts';
import { CloudError } from '../../../ports/cloud.ts';
import type { WorkContext } from '../worker-context.ts';

/** An error of a mutating call that we find ourselves, in the form of those that AWS answers. */
export function ownError(
  assessment: Assessment,
  code: string,
  kind: 'Invalid' | 'Prerequisite' | 'Transient',
  message: string,
  ambiguous = false,
): CloudError {
  const { accountId, action } = assessment;
  return new CloudError(message, {
    kind,
    code,
    service: assessment.enrollment === 'automation' ? 'aco-automation' : 'compute-optimizer',
    operation: action,
    accountId,
    requestId: null,
    ambiguous,
  });
}

/** Not Transient: the same call must not be repeated under this claim. */
export const CLAIM_EXPIRING = 'ClaimExpiring';

/**
 * Asked before a request leaves under a claim that was taken earlier: others may soon look for what became of it, and a request that is
 * sent now could cross with theirs. @throws CloudError if the claim does not last
 */
export function requireClaim(work: WorkContext, assessment: Assessment, expiresAt: number): void {
  if (work.deps.clock.now() <= expiresAt - work.settings.claimMs / 10) return;
  throw ownError(
    assessment,
    CLAIM_EXPIRING,
    'Invalid',
    'waiting and retrying took longer than the claim on the account lasts',
  );
}
