import type { CompiledPolicy } from '../../domain/policy/index.ts';
import { CloudError, type OrganizationSnapshot, TOO_MANY_ACCOUNTS } from '../../ports/cloud.ts';
import type { Deps, OnProgress } from '../context.ts';
import { requireOrganization } from '../coordination/organization-binding.ts';
import { earlyScanRequest } from '../schedule/scan-requests.ts';
import type { Retrying } from '../support/retry.ts';
import { mergeRefreshed, saveMerged } from './account-overrides.ts';

/**
 * Returns the stored snapshot (all accounts) if it is younger than `maxAgeMs` and has the tags that the policy uses; otherwise reads
 * the organization.
 * @param maxAgeMs 0: the organization is always read
 * @param save whether to store what was read
 * @throws CloudError if the organization cannot be read completely, OtherOrganizationError if the store belongs to another one
 */
export async function takeSnapshot(
  deps: Pick<Deps, 'cloud' | 'snapshots' | 'clock' | 'registers'>,
  maxAgeMs: number,
  retrying: Retrying,
  policy: Pick<CompiledPolicy, 'usesTags'>,
  save: boolean,
  onProgress: OnProgress,
): Promise<OrganizationSnapshot> {
  const meta = await deps.snapshots.meta();
  const request = await earlyScanRequest(deps.registers);
  // Since the snapshot, an event has reported a change of the organization.
  const outdated = meta !== null && request?.organization === true && meta.takenAt <= request.at;
  // The clock of the process that took it may be ahead, so its age may be negative.
  const young = meta !== null && maxAgeMs > 0 && deps.clock.now() - meta.takenAt < maxAgeMs;
  const fresh = young && !outdated && (meta.tags || !policy.usesTags);
  const cached = fresh ? await deps.snapshots.load() : null;
  // Tags that could not be read are read again by the next scan, whatever the age of the snapshot.
  const lacksTags = policy.usesTags && cached?.accounts.some(({ tags }) => tags === null) === true;
  if (cached !== null && !lacksTags) {
    onProgress({ kind: 'organization', accounts: cached.accounts.length, done: true });
    return cached;
  }
  const taken = await readWhole(() =>
    deps.cloud.readOrganization({
      tags: policy.usesTags,
      retry: retrying,
      onProgress: (accounts) => onProgress({ kind: 'organization', accounts, done: false }),
    }),
  );
  onProgress({ kind: 'organization', accounts: taken.accounts.length, done: true });
  // The account may have moved to another organization since the caller was identified.
  await requireOrganization(deps, taken.organizationId);
  return save ? saveMerged(deps, taken) : mergeRefreshed(deps, taken);
}

/** How many times the organization is read from the start when a page token is rejected midway. */
const MAX_READS = 3;

/** Starts over if a page token has expired. */
async function readWhole<T>(read: () => Promise<T>): Promise<T> {
  for (let left = MAX_READS - 1; ; left -= 1) {
    try {
      return await read();
    } catch (error) {
      if (left === 0 || !(error instanceof CloudError) || error.kind !== 'Invalid') throw error;
      if (error.details.code === TOO_MANY_ACCOUNTS) throw error;
    }
  }
}
