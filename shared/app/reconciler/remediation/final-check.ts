import type { EpochMs } from '../../../domain/enrollment/model.ts';
import type { Assessment } from '../../../domain/enrollment/verdict.ts';
import type { WorkContext } from '../worker-context.ts';
import { requireClaim } from './local-error.ts';

/** What was read longer ago than this before the call leaves is read again, ms: an operator's word holds within a second. */
const FRESH_MS = 1_000;

/**
 * The last thing before a mutating call leaves: the guard, and that what was claimed is still ours. Where a store answers slowly, the guard's
 * first answers are old by the time it has given its last, and the claim may have run out and been found by others: then what is urgent is
 * asked again, until its answer is fresh.
 * @throws ChangeRefused, or the CloudError of a claim that has run out.
 */
export async function lastLook(
  work: WorkContext,
  claim: { readonly assessment: Assessment; readonly expiresAt: EpochMs },
  ask: () => Promise<() => Promise<void>>,
): Promise<void> {
  const { clock } = work.deps;
  requireClaim(work, claim.assessment, claim.expiresAt);
  let began = clock.now();
  const askAgain = await ask();
  for (;;) {
    requireClaim(work, claim.assessment, claim.expiresAt);
    if (clock.now() - began <= FRESH_MS) return;
    began = clock.now();
    await askAgain();
  }
}
