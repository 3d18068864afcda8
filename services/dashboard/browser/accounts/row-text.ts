import { briefReason } from '../../../../shared/domain/enrollment/brief-reason.ts';
import { ENROLLMENT_IDS, type EnrollmentId, TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { severityOf } from '../../../../shared/domain/enrollment/status.ts';
import { shortTime } from '../time-text.ts';
import type { AccountRow } from '../types.ts';

/** The enrollment whose status a list shows for an account: the chosen one, or the one with the worst status. */
export function leadingOf(row: AccountRow, chosen: EnrollmentId | null): EnrollmentId | null {
  return chosen !== null && row[chosen] !== null ? chosen : row.leading;
}

/** The reason in one short sentence. @param now epoch ms */
export function briefOf(row: AccountRow, enrollment: EnrollmentId | null, now: number): string {
  const cell = enrollment === null ? null : row[enrollment];
  if (enrollment === null || cell === null) return 'Not scanned yet';
  return briefReason({ enrollment, ...cell }, (iso) => shortTime(Date.parse(iso), now)) ?? '';
}

/** The whole reason with every name, for hover. */
export function fullReason(row: AccountRow, enrollment: EnrollmentId | null, brief: string): string {
  const cell = enrollment === null ? null : row[enrollment];
  if (enrollment === null || cell === null) return brief;
  const { message, changedBy, rule } = cell;
  const parts = [message, changedBy === null ? null : `changed by ${changedBy}`, rule === null ? null : `rule ${rule}`];
  const facts = parts.filter((part) => part !== null).join('; ');
  return `${TITLES[enrollment]}: ${brief}${facts === '' ? '' : ` (${facts})`}`;
}

export function sinceOf(row: AccountRow, enrollment: EnrollmentId | null): string | null {
  const cell = enrollment === null ? null : row[enrollment];
  return cell === null ? row.since : (cell.driftSince ?? cell.since);
}

/** The kinds with the worst status of the account, for narrow windows: one line has no room for all. */
export function worstKinds(row: AccountRow): readonly EnrollmentId[] {
  const worst = severityOf(row.accountStatus);
  return ENROLLMENT_IDS.filter((id) => {
    const cell = row[id];
    return cell !== null && severityOf(cell.complianceStatus) === worst;
  });
}
