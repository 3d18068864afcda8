import type { CompiledPolicy } from '../../domain/policy/index.ts';
import { CloudError, type OrganizationSnapshot, TOO_MANY_ACCOUNTS } from '../../ports/cloud.ts';
import type { Deps, OnProgress } from '../context.ts';
import { requireOrganization } from '../coordination/organization-binding.ts';
import { scanWish } from '../schedule/scan-requests.ts';
import type { Retrying } from '../support/retry.ts';
import { withRefreshed } from './account-overrides.ts';

/**
 * The organization as it is: the stored snapshot if it is younger than `maxAgeMs` and says what the policy asks about, else read anew.
 * @param save keep it for others; not in a dry run, which writes nothing.
 * @throws CloudError if it cannot be read completely, OtherOrganizationError if the store belongs to another one.
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
  const wish = await scanWish(deps.registers);
  // An event told that the organization has changed since, in more than single accounts.
  const outdated = meta !== null && wish?.organization === true && meta.takenAt <= wish.at;
  const young = meta !== null && deps.clock.now() - meta.takenAt < maxAgeMs && (meta.tags || !policy.usesTags);
  const fresh = young && !outdated;
  const cached = fresh ? await deps.snapshots.load() : null;
  // The next scan asks again for tags that could not be read, whatever the age of the snapshot.
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
  const merged = await withRefreshed(deps, taken);
  if (save) await deps.snapshots.save(merged);
  return merged;
}

/** How often the organization is read from its beginning when a page token fails in the middle. */
const WHOLE_READINGS = 3;

/** A reading that breaks off is not used; it is begun again, because a token that expired is no reason to give up the scan. */
async function readWhole<T>(read: () => Promise<T>): Promise<T> {
  for (let left = WHOLE_READINGS - 1; ; left -= 1) {
    try {
      return await read();
    } catch (error) {
      if (left === 0 || !(error instanceof CloudError) || error.kind !== 'Invalid') throw error;
      if (error.details.code === TOO_MANY_ACCOUNTS) throw error;
    }
  }
}
