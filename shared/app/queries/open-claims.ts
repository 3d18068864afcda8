import { ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import type { Records } from '../../ports/records.ts';

/** A change that some process has begun, and of which no outcome is recorded yet. */
export interface OpenClaim {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
  readonly operation: string;
  /** ISO 8601: from then on the next worker finds out what happened. */
  readonly until: string;
}

/** Every open claim, the one that ends first in front: as long as there is one, nobody knows how that change ended. */
export async function openClaims(records: Pick<Records, 'all'>): Promise<readonly OpenClaim[]> {
  const found: OpenClaim[] = [];
  for await (const page of records.all()) {
    for (const record of page) {
      for (const enrollment of ENROLLMENT_IDS) {
        const claim = record.present ? (record.conditions[enrollment]?.claim ?? null) : null;
        if (claim === null) continue;
        const { operation, expiresAt: until } = claim;
        found.push({ accountId: record.accountId, enrollment, operation, until });
      }
    }
  }
  return found.sort((a, b) => (a.until < b.until ? -1 : 1));
}
