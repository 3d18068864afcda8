import type { AccountRecord } from '../../domain/account/record.ts';
import { type EntryContext, transition } from '../../domain/account/transition.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { Assessments } from './assessment-table.ts';

/** Whether recording would write anything: used to keep only those accounts in memory. */
export function hasNews(policyHash: string) {
  const probe: EntryContext = { newId: () => '', now: 0, actor: '', runId: null, policyHash };
  return (record: AccountRecord | null, assessments: Assessments): boolean => {
    if (record === null || !record.present) return true;
    return ENROLLMENT_IDS.some((enrollment) => transition(probe, record, assessments[enrollment]) !== null);
  };
}
