import type { AccountRecord } from '../../domain/record.ts';
import type { AccountId, Observations } from '../../domain/types.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Listing } from '../listing.ts';
import { AUTOMATION_ABSENT } from '../observe.ts';
import type { WorkContext } from './context.ts';

/** A listing that is refused or does not come is a failed read of every account of the batch, and no defect of the message. */
export async function readRecent(work: WorkContext, since: number): Promise<Listing | CloudError> {
  try {
    return await work.automationListing.recent(since);
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    return error;
  }
}

/** A result that is looked for is looked for in a listing at most this old, ms: one serves all batches of a tick. */
const POLL_MAX_AGE_MS = 2_000;

/** Since when the listing must have been begun: an older one would show what was there before somebody acted. */
export function oldest({ deps }: WorkContext, records: readonly AccountRecord[]): number {
  // Compute Optimizer as well: only who is enrolled there is listed.
  const changes = records.flatMap(({ automation, computeOptimizer }) =>
    [automation, computeOptimizer].map((condition) => (condition === null ? 0 : Date.parse(condition.changedAt))),
  );
  const polls = records.some(({ automation }) => automation?.verdict === 'Converging');
  return Math.max(0, polls ? deps.clock.now() - POLL_MAX_AGE_MS : 0, ...changes);
}

/** The listing names accounts that are enrolled in Compute Optimizer: being in it proves the prerequisite. */
export function observedIn(listing: Listing, accountId: AccountId): Observations {
  const automation = listing.seen.get(accountId);
  const enrolled = { ...AUTOMATION_ABSENT, ruleMode: null, status: 'Active' as const };
  if (automation !== undefined) return { computeOptimizer: enrolled, automation };
  const unlisted = { kind: 'unknown', reason: 'notListed', message: null } as const;
  return { computeOptimizer: unlisted, automation: unlisted };
}
