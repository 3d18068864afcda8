import { ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import type { Records } from '../../ports/records.ts';

/** A change that a process has begun, without a recorded outcome yet. */
export interface OpenClaim {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
  readonly operation: string;
  /** When the claim expires, ISO 8601. From then on, the next worker determines the outcome. */
  readonly until: string;
}

/** Every open claim, earliest expiry first. The outcome of a change is unknown while its claim is open. */
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
