import * as z from 'zod';
import { differs } from '../../domain/enrollment/mismatch.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';
import { makeScanDue } from '../schedule/scan-schedule.ts';
import type { DueKey } from './due-keys.ts';

/** If more changes than this are released together, a scan plans them, so that the guardrails apply before the first call. */
export const BULK_RELEASE_THRESHOLD = 10;

const REASONS: ReadonlySet<string | null> = new Set(['resumed', 'suspendedByOperator', 'exemption', 'contested']);

/**
 * Whether the key may differ from the policy because an operator has released it, or its suspension or exemption has ended. No plan has counted such a
 * change. One command can release the whole organization; without a scan, changes up to the cap would be made before an alert.
 */
export function isReleased({ condition }: Pick<DueKey, 'condition'>): boolean {
  const { reason, claim, desired, desiredRuleMode, status, ruleMode } = condition;
  if (claim !== null || !REASONS.has(reason)) return false;
  return status === null || differs({ status: desired, ruleMode: desiredRuleMode }, { status, ruleMode }) !== null;
}

const deferral = z.object({ at: z.number() });
export const BULK_RELEASE = storedDocument(REGISTERS.bulkRelease, deferral);
/** How long an account is snoozed if a scan will plan its due keys, ms. The scan updates its record. */
export const SCAN_PAUSE_MS = 10 * 60_000;
/** After a deferral no further one begins for this long, ms: keys that are still due then are reconciled individually. */
const DEFERRAL_PAUSE_MS = 30 * 60_000;

/**
 * Requests a scan for the released keys. One pass may not have time for all of them, so keys that are released before the first ones are due again belong
 * to the same deferral. The scan is requested again for them, because the first scan may have read their accounts already.
 * @returns false if the first keys are due again and it is too early for another deferral; the keys are then reconciled individually.
 */
export async function deferToScan(registers: Registers, now: EpochMs): Promise<boolean> {
  const known = await readTyped(registers, BULK_RELEASE);
  const ageMs = known === null ? Number.POSITIVE_INFINITY : Math.abs(now - known.value.at);
  if (ageMs >= SCAN_PAUSE_MS && ageMs < DEFERRAL_PAUSE_MS) return false;
  // A process that loses the race requests the same scan.
  if (ageMs >= DEFERRAL_PAUSE_MS) await writeTyped(registers, BULK_RELEASE, { at: now }, known?.version ?? null);
  await makeScanDue(registers, { kind: 'event', actor: null, reason: 'many accounts were released together' });
  return true;
}
