import type { Registers } from '../../ports/registers.ts';
import type { Clock, NewId } from '../../ports/system.ts';
import { acquireLease, holdLease } from './lease.ts';

export interface OneAtATimeDeps {
  readonly registers: Registers;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** After a process crashes, the others wait this long before they take over, ms. */
const HOLD_MS = 15_000;

/** Result of {@link oneAtATime} when another process holds the lease. */
export const BUSY = Symbol('busy');

/**
 * Runs work that only one process may do at a time. If `lost` aborts, the work must stop.
 * @returns the result of `work`; `BUSY` if another process is doing it
 */
export async function oneAtATime<T>(
  { registers, clock, newId }: OneAtATimeDeps,
  name: string,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T | typeof BUSY> {
  const answer = await acquireLease(registers, clock, name, newId(), HOLD_MS);
  if (!('lease' in answer)) return BUSY;
  return holdLease(clock, { lease: answer.lease, name, ttlMs: HOLD_MS }, work);
}
