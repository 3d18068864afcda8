import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { Records } from '../../ports/records.ts';
import { shownOfRecord } from './shown-record.ts';

export interface HeldChanges {
  readonly changes: number;
  readonly accounts: number;
}

/** The changes that the next run would make, follow-ups included, as far as the records show them. */
export async function heldChanges(records: Pick<Records, 'all'>): Promise<HeldChanges> {
  let changes = 0;
  let accounts = 0;
  for await (const page of records.all()) {
    for (const record of page) {
      if (!record.present) continue;
      const shown = shownOfRecord(record);
      const due = ENROLLMENT_IDS.filter((id) => {
        const [status, reason] = [shown[id]?.status, record.conditions[id]?.reason];
        return (status === 'Drifted' && reason !== 'alertOnly') || (status === 'Waiting' && reason === 'prerequisite');
      });
      changes += due.length;
      if (due.length > 0) accounts += 1;
    }
  }
  return { changes, accounts };
}
