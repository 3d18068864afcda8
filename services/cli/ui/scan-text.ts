import type { Plan } from '../../../shared/app/plan/plan.ts';
import type { Status } from '../../../shared/app/queries/status.ts';
import { driftText } from './drift-text.ts';
import { haltText } from './enforcement-text.ts';
import type { Output } from './output.ts';
import { complianceTable } from './statuses.ts';
import { count, duration, number } from './words.ts';
import { wrap } from './wrap.ts';

/** What a scan found and recorded. */
export interface FinishedScan {
  readonly plan: Plan;
  /** The state after the scan. */
  readonly status: Status;
  /** Drifts that this scan observed first. */
  readonly newDrifts: number;
  readonly durationMs: number;
}

/** What a scan read and found, and the next step. @param flag the option that repeats the policy in the next command; empty: none */
export function scanText(
  { plan, status, newDrifts, durationMs }: FinishedScan,
  output: Pick<Output, 'style' | 'width' | 'program'>,
  flag: string,
): string[] {
  const { organizationId, coverage, broken } = plan;
  const { evaluated, unknown } = coverage;
  const active = evaluated + unknown;
  const known = `Status known for ${number(evaluated)} of ${count(active, 'active account')}.`;
  const { openDrift, halted } = status;
  const fresh = openDrift.enrollments === 0 || newDrifts === 0 ? '' : ` ${newDriftsText(newDrifts)}`;
  return [
    ...haltText(halted, openDrift.due, output),
    ...wrap(`Scanned ${organizationId} in ${duration(durationMs)}. ${known}`, output.width),
    ...broken.flatMap((sentence) => wrap(`! Incomplete: ${sentence}.`, output.width, 2)),
    '',
    ...complianceTable(status.statuses, output.style),
    '',
    ...wrap(`${driftText(openDrift)}.${fresh}`, output.width, 2),
    ...nextText(status, flag),
  ];
}

function newDriftsText(n: number): string {
  return n === 1 ? '1 is new.' : `${number(n)} are new.`;
}

function nextText({ openDrift }: FinishedScan['status'], flag: string): string[] {
  const { enrollments, toFix, waiting, needAttention } = openDrift;
  if (enrollments === 0) return [];
  if (toFix + waiting > 0) return [`Next: rollcall plan${flag}`];
  return [needAttention > 0 ? 'Next: rollcall status' : 'Next: rollcall accounts --status drifted'];
}
