import type { EpochMs } from '../../../domain/enrollment/model.ts';
import type { Assessment } from '../../../domain/enrollment/verdict.ts';
import type { WorkContext } from '../worker-context.ts';
import { localError } from './local-error.ts';

/**
 * If the guard's answers are older than this when the request leaves, the urgent checks run again, ms: an operator's command takes effect within a
 * second.
 */
const FRESH_MS = 1_000;

/** The claim has nearly run out. Not Transient: the same call must not be repeated under this claim. */
export const CLAIM_EXPIRING = 'ClaimExpiring';

/**
 * The last step before a mutating call leaves: the guard, and a claim that still holds. Where a store answers slowly, the guard's first
 * answers are old by the time of its last one, and the claim may have run out; the urgent checks then run again until their answers are fresh.
 * @throws ChangeRefused, or the CloudError of a claim that has run out.
 */
export async function finalCheck(
  work: WorkContext,
  claim: { readonly assessment: Assessment; readonly expiresAt: EpochMs },
  guard: () => Promise<() => Promise<void>>,
): Promise<void> {
  const { clock } = work.deps;
  requireClaim(work, claim.assessment, claim.expiresAt);
  let began = clock.now();
  const urgentChecks = await guard();
  for (;;) {
    requireClaim(work, claim.assessment, claim.expiresAt);
    if (clock.now() - began <= FRESH_MS) return;
    began = clock.now();
    await urgentChecks();
  }
}

/**
 * Once a claim expires, another worker looks for the result of its call; a request sent shortly before the expiry could take effect after that check.
 */
function requireClaim(work: WorkContext, assessment: Assessment, expiresAt: EpochMs): void {
  if (work.deps.clock.now() <= expiresAt - work.settings.claimMs / 10) return;
  const message = 'waiting and retrying took longer than the claim on the account lasts';
  throw localError(assessment, { code: CLAIM_EXPIRING, kind: 'Invalid', message });
}
