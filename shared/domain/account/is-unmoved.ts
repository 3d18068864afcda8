import { canonicalJson } from '../canonical-hash.ts';
import { ENROLLMENT_IDS, type EnrollmentId, independentOf } from '../enrollment/kinds/index.ts';
import type { AccountRecord } from './record.ts';

/**
 * Whether `known`, an older version of the record, still shows everything that matters for an enrollment. Another worker may have written about
 * independent enrollments of the account in the meantime, for example for an organization-wide call of their kind.
 */
export function isUnmoved(current: AccountRecord, known: AccountRecord, enrollment: EnrollmentId): boolean {
  if (current.head.hash === known.head.hash) return true;
  const independent = independentOf(enrollment);
  const isSame = (id: EnrollmentId): boolean =>
    canonicalJson(current.conditions[id]) === canonicalJson(known.conditions[id]);
  return (
    current.present === known.present &&
    !independent.every(isSame) &&
    ENROLLMENT_IDS.every((id) => independent.includes(id) || isSame(id))
  );
}
