import * as z from 'zod';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Clock } from '../../ports/system.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';

const wish = z.object({
  /** What has to be seen happened before this time; a scan that begins later fulfils the wish. */
  at: z.number(),
  /** The organization itself has changed: a snapshot of before is no longer good enough. */
  organization: z.boolean(),
  reason: z.string(),
});
export type ScanWish = z.infer<typeof wish>;

export const SCAN_REQUEST = storedDocument(REGISTERS.scanRequest, wish);

/** Two scans that events ask for begin at least so far apart, ms: a storm of events is not answered by a storm of scans. */
export const WISH_SPACING_MS = 5 * 60_000;

const AHEAD_MS = 1_000;

/**
 * Asks for a scan soon, where an event is about more accounts than can be looked at one by one. Any number of wishes become one scan.
 * @param begunAt when the last scan fell due; a wish that is younger is still open.
 */
export async function requestEarlyScan(
  { registers, clock }: { readonly registers: Registers; readonly clock: Clock },
  asked: { readonly organization: boolean; readonly reason: string },
  begunAt: EpochMs,
): Promise<void> {
  const known = await readTyped(registers, SCAN_REQUEST);
  const open = known !== null && known.value.at > begunAt;
  if (open && known.value.at > clock.now() && (known.value.organization || !asked.organization)) return;
  const organization = asked.organization || (open && known.value.organization);
  // A little ahead, so that what comes within this second need not be written. Who loses has been overtaken by a wish that is as young.
  const at = clock.now() + AHEAD_MS;
  await writeTyped(registers, SCAN_REQUEST, { at, organization, reason: asked.reason }, known?.version ?? null);
}

export async function scanWish(registers: Registers): Promise<ScanWish | null> {
  return (await readTyped(registers, SCAN_REQUEST))?.value ?? null;
}
