import * as z from 'zod';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Clock } from '../../ports/system.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';

const earlyScan = z.object({
  /** By this time the reported change is in effect, epoch ms. A scan that begins later satisfies the request. */
  at: z.number(),
  /** The organization itself has changed: an older organization snapshot must not be used. */
  organization: z.boolean(),
  reason: z.string(),
});
export type EarlyScanRequest = z.infer<typeof earlyScan>;

export const SCAN_REQUEST = storedDocument(REGISTERS.scanRequest, earlyScan);

/** Minimum interval between two scans requested by events, ms, so that many events do not start many scans. */
export const EARLY_SCAN_SPACING_MS = 5 * 60_000;

/** How far ahead a request is dated, ms. It then covers further requests within that time, which need no write. */
const AHEAD_MS = 1_000;

/**
 * Requests an early scan for an event about too many accounts. Any number of requests become one scan.
 * @param request `settlesMs`: how long AWS may take to apply the reported change; another scan follows the early one after that time
 * @param begunAt due time of the last scan; a request after that time is still open
 */
export async function requestEarlyScan(
  { registers, clock }: { readonly registers: Registers; readonly clock: Clock },
  request: { readonly organization: boolean; readonly reason: string; readonly settlesMs?: number },
  begunAt: EpochMs,
): Promise<void> {
  const known = await readTyped(registers, SCAN_REQUEST);
  const open = known !== null && known.value.at > begunAt ? known.value : null;
  const settled = clock.now() + (request.settlesMs ?? 0);
  if (open !== null && open.at > settled && (open.organization || !request.organization)) return;
  const organization = request.organization || open?.organization === true;
  // If this write loses the race, an equally recent request is already stored.
  const at = Math.max(settled + AHEAD_MS, open?.at ?? 0);
  await writeTyped(registers, SCAN_REQUEST, { at, organization, reason: request.reason }, known?.version ?? null);
}

export async function earlyScanRequest(registers: Registers): Promise<EarlyScanRequest | null> {
  return (await readTyped(registers, SCAN_REQUEST))?.value ?? null;
}
