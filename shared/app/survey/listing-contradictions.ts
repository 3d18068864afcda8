import type { AccountId } from '../../domain/enrollment/model.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Deps } from '../context.ts';
import type { Retrying } from '../support/retry.ts';

/** If more accounts are missing, the list of accounts is certainly incomplete, and none is read individually. */
const MAX_READS = 20;

/** Of the enrolled accounts that the list of accounts lacks, those that AWS confirms to be in the organization. */
export async function contradictions(
  { cloud, logger }: Pick<Deps, 'cloud' | 'logger'>,
  retrying: Retrying,
  { organizationId, managementAccountId }: Pick<OrganizationSnapshot, 'organizationId' | 'managementAccountId'>,
  missing: readonly AccountId[],
): Promise<readonly AccountId[]> {
  if (missing.length > MAX_READS) return missing;
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

/** The sentence that a scan reports about them. */
export function contradictionText(missing: readonly AccountId[]): string {
  const some = missing.slice(0, 3).join(', ');
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
  const accounts = missing.length === 1 ? 'an enrolled account' : `${missing.length} enrolled accounts`;
  return `the organization's listing lacks ${accounts} (${some}${more}), so no account is recorded as having left and none is opted out`;
}
