import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { Status } from '../../domain/enrollment/status.ts';
import type { Records } from '../../ports/records.ts';
import { shownOfRecord } from './shown-record.ts';

export interface HeldChanges {
  readonly changes: number;
  readonly accounts: number;
}

/** Whether the next run would change the enrollment, possibly after the one that it needs. */
export function isDue(status: Status | null, reason: string | null): boolean {
  return (status === 'Drifted' && reason !== 'alertOnly') || (status === 'Waiting' && reason === 'prerequisite');
}

/** The changes that the next run would make, follow-ups included, as far as the records show them. */
export async function heldChanges(records: Pick<Records, 'all'>): Promise<HeldChanges> {
  let changes = 0;
  let accounts = 0;
  for await (const page of records.all()) {
    for (const record of page) {
      if (!record.present) continue;
      const shown = shownOfRecord(record);
      const due = ENROLLMENT_IDS.filter((id) =>
        isDue(shown[id]?.status ?? null, record.conditions[id]?.reason ?? null),
      );
      changes += due.length;
      if (due.length > 0) accounts += 1;
    }
  }
  return { changes, accounts };
}
