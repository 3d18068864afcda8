import type * as z from 'zod';
import { type Compliance, complianceFrom, isManaged } from '../../domain/account/compliance.ts';
import type { AccountRecord } from '../../domain/account/record.ts';
import { byKind, ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import { type Status as StatusWord, severityOf } from '../../domain/enrollment/status.ts';
import { VERDICTS } from '../../domain/enrollment/verdict.ts';
import type { Summary } from '../survey/assessment-table.ts';
import type { accountCounts } from './answers/status.ts';
import { fullCounts } from './plan-document.ts';

type AccountCounts = z.infer<typeof accountCounts>;
type Shown = Readonly<Record<EnrollmentId, { readonly status: StatusWord } | null>>;

/** Counts accounts, each once, by its worst status. */
export class AccountCounter {
  readonly #counts = { total: 0, active: 0, known: 0, managed: 0 };
  readonly #statuses: Partial<Record<StatusWord, number>> = {};

  /** @param shown the statuses of the record's enrollments */
  add({ conditions }: AccountRecord, shown: Shown): void {
    const counts = this.#counts;
    let [active, known, managed] = [true, true, false];
    let worst: StatusWord | null = null;
    // Without intermediate lists, because one answer counts up to ten thousand accounts.
    for (const id of ENROLLMENT_IDS) {
      const condition = conditions[id];
      if (condition?.reason === 'accountNotActive') active = false;
      if (condition && isManaged(condition.verdict)) managed = true;
      const status = shown[id]?.status;
      if (status === undefined) continue;
      if (status === 'Unknown') known = false;
      if (worst === null || severityOf(status) < severityOf(worst)) worst = status;
    }
    counts.total += 1;
    if (active) counts.active += 1;
    if (active && known) counts.known += 1;
    if (managed) counts.managed += 1;
    const status = worst ?? 'Unknown';
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
  }

  get counts(): AccountCounts {
    return { ...this.#counts, statuses: fullCounts(this.#statuses) };
  }
}

/** The compliance of each kind, from its counts by verdict. */
export function complianceIn(summary: Summary): Readonly<Record<EnrollmentId, Compliance>> {
  return byKind((id) => {
    const counts = summary[id];
    const managed = VERDICTS.filter(isManaged).reduce((sum, verdict) => sum + (counts[verdict] ?? 0), 0);
    return complianceFrom(managed, counts.Compliant ?? 0);
  });
}
