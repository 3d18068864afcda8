import type { AccountId } from '../domain/types.ts';
import type { OrganizationSnapshot } from '../ports/cloud.ts';
import { CloudError } from '../ports/cloud.ts';
import type { Deps } from './deps.ts';
import type { Retrying } from './retrying.ts';

/** So many accounts are asked about one by one; that more are missing is a fault of the snapshot, whatever each of them is. */
const MAX_ASKED = 20;

/**
 * Enrolled accounts that the organization has although a snapshot taken after the enrollment listing lacks them: the snapshot is not complete.
 * An account that has left meanwhile, or that an enrollment listing still carries, is no contradiction: AWS says of it by name that the
 * organization does not have it.
 */
export async function contradictions(
  { cloud, logger }: Pick<Deps, 'cloud' | 'logger'>,
  retrying: Retrying,
  { organizationId, managementAccountId }: Pick<OrganizationSnapshot, 'organizationId' | 'managementAccountId'>,
  missing: readonly AccountId[],
): Promise<readonly AccountId[]> {
  if (missing.length > MAX_ASKED) return missing;
  const found: AccountId[] = [];
  for (const accountId of missing) {
    try {
      const options = { tags: false, retry: retrying, organizationId, managementAccountId };
      if ((await cloud.readAccount(accountId, options)) !== null) found.push(accountId);
    } catch (error) {
      if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
      logger.warn('an enrolled account is missing from the organization and could not be read', {
        accountId,
        message: error.message,
      });
      found.push(accountId);
    }
  }
  return found;
}

/** What a scan says of them. */
export function contradictionText(missing: readonly AccountId[]): string {
  const some = missing.slice(0, 3).join(', ');
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
  const accounts = missing.length === 1 ? 'an enrolled account' : `${missing.length} enrolled accounts`;
  return `the organization's listing lacks ${accounts} (${some}${more}), so no account is recorded as having left and none is opted out`;
}
