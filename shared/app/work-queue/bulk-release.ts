import * as z from 'zod';
import { differs } from '../../domain/enrollment/mismatch.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';
import { makeScanDue } from '../schedule/scan-schedule.ts';
import type { DueKey } from './due-keys.ts';

/** More changes than this that come free at once are judged together by a scan, which says so before the first call if they are too many. */
export const SET_FREE_AT_ONCE = 10;

const REASONS: ReadonlySet<string | null> = new Set(['resumed', 'suspendedByOperator', 'exemption', 'contested']);

/**
 * Came free by an operator's word, or by the end of a suspension or an exemption, and differs as far as is known: no plan has counted this
 * change. One selector may free the whole organization, and the guard alone would let as many through as the cap allows before anybody is told.
 */
export function isBulkRelease({ condition }: Pick<DueKey, 'condition'>): boolean {
  const { reason, claim, desired, desiredRuleMode, status, ruleMode } = condition;
  if (claim !== null || !REASONS.has(reason)) return false;
  return status === null || differs({ status: desired, ruleMode: desiredRuleMode }, { status, ruleMode }) !== null;
}

const asked = z.object({ at: z.number() });
export const BULK_RELEASE = storedDocument(REGISTERS.bulkRelease, asked);
/** What a scan has left as it was, an exemption that was prolonged, is looked at one by one afterwards, and no further scan is asked for, ms. */
const AGAIN_MS = 30 * 60_000;

/** Asks for a scan to judge what has come free. @returns false: one was asked for a while ago, and what is still due now is for single looks. */
export async function deferToScan(registers: Registers, now: EpochMs): Promise<boolean> {
  const known = await readTyped(registers, BULK_RELEASE);
  if (known !== null && now - known.value.at < AGAIN_MS) return false;
  // Whoever loses asks for the same scan.
  await writeTyped(registers, BULK_RELEASE, { at: now }, known?.version ?? null);
  await makeScanDue(registers);
  return true;
}
