import type { Limits } from './types.ts';

/**
 * The limits of a policy that names none. With `auto`, AWS sets the pace, so the number of concurrent calls must not: at 0.5 s an answer, 32 calls at a
 * time make 64 calls a second.
 */
export const DEFAULT_LIMITS: Limits = { callsPerSecond: 'auto', concurrency: 32 };

/** The defaults of version 0.1.0. */
const FIRST_DEFAULTS: Limits = { callsPerSecond: 10, concurrency: 8 };

/** The total budget of all calls, calls a second; `null`: none (`auto`). */
export function callCeiling({ callsPerSecond }: Limits): number | null {
  return callsPerSecond === 'auto' ? null : callsPerSecond;
}

/**
 * The limits as part of the policy's hash. A policy that names none keeps the hash that it had when the defaults were other numbers, so that its stored
 * plans and approvals stay valid. One that names those numbers has them as text, because it has another meaning.
 */
export function limitsMeaning({ callsPerSecond, concurrency }: Limits) {
  return {
    callsPerSecond: meaningOf(callsPerSecond, DEFAULT_LIMITS.callsPerSecond, FIRST_DEFAULTS.callsPerSecond),
    concurrency: meaningOf(concurrency, DEFAULT_LIMITS.concurrency, FIRST_DEFAULTS.concurrency),
  };
}

type Limit = Limits[keyof Limits];

function meaningOf(value: Limit, usual: Limit, first: Limit): Limit | string {
  if (value === usual) return first;
  return value === first ? String(value) : value;
}
