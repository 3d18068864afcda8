import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Registers } from '../../ports/registers.ts';
import { nextScanAt, scanNow } from '../schedule/scan-schedule.ts';

/** When the next scheduled scan is due, ISO 8601; `null`: no process has ever scanned by a schedule, or no policy is known. */
export async function nextScan(
  registers: Registers,
  policy: CompiledPolicy | null,
  now: EpochMs,
): Promise<string | null> {
  const known = (await scanNow(registers))?.value ?? null;
  if (policy === null || known === null) return null;
  const next = nextScanAt(policy.policy.schedule, known.dueAt);
  // An overdue scan is shown as due now, because the next check of the schedule starts it.
  return next === null ? null : toIso(Math.max(next, now));
}
