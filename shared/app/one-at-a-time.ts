import type { Registers } from '../ports/registers.ts';
import type { Clock, NewId } from '../ports/system.ts';
import { acquireLease, holdLease } from './lease.ts';

export interface OneAtATimeDeps {
  readonly registers: Registers;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** A process that died keeps the others away for this long, ms. */
const HOLD_MS = 15_000;

/** Another process is doing it. */
export const BUSY = Symbol('busy');

/**
 * Does something that must not be done by several processes side by side. The lease is renewed as long as the work lasts; `lost` aborts if
 * that fails, and the work must then stop.
 * @returns what `work` returned; `BUSY` if another process is at it, and nothing was done here.
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
