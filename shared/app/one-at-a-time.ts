import type { Deps } from './deps.ts';
import { acquireLease } from './lease.ts';

/** Longer than a round of what is done under it usually takes, ms; where it takes longer, two do it side by side, which does no harm. */
const HOLD_MS = 15_000;

/**
 * Does something that several processes would otherwise do side by side, to no use: one that finds another at it leaves it to that one.
 * A holder that died keeps the others away for a quarter of a minute at most.
 * @returns whether it was done here.
 */
export async function oneAtATime(
  { registers, clock, newId }: Pick<Deps, 'registers' | 'clock' | 'newId'>,
  name: string,
  work: () => Promise<unknown>,
): Promise<boolean> {
  const answer = await acquireLease(registers, clock, name, newId(), HOLD_MS);
  if (!('lease' in answer)) return false;
  try {
    await work();
    return true;
  } finally {
    await answer.lease.release();
  }
}
