import { type EntryContext, transition } from '../../domain/account/transition.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { NeedsRecording } from './assessment-table.ts';

/** Returns a function that checks whether an account is new or differs from its record, so that it needs an entry. */
export function needsRecordingUnder(policyHash: string): NeedsRecording {
  const probe: EntryContext = { newId: () => '', now: 0, actor: '', runId: null, policyHash };
  return (record, assessments) => {
    if (record === null || !record.present) return true;
    return ENROLLMENT_IDS.some((enrollment) => transition(probe, record, assessments[enrollment]) !== null);
  };
}
