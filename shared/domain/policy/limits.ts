import type { Limits } from './types.ts';

/**
 * The limits of a policy that sets none. With `auto`, AWS sets the rate, so concurrency must not limit it: with answers that take 0.5 s, 32
 * concurrent calls are 64 calls a second.
 */
export const DEFAULT_LIMITS: Limits = { callsPerSecond: 'auto', concurrency: 32 };

/** The defaults of version 0.1.0. */
const FIRST_DEFAULTS: Limits = { callsPerSecond: 10, concurrency: 8 };

/** The total budget of all calls, calls a second; `null`: none (`auto`). */
export function callCeiling({ callsPerSecond }: Limits): number | null {
  return callsPerSecond === 'auto' ? null : callsPerSecond;
}

/**
 * The limits as part of the policy's hash. A policy that sets none keeps the hash that it had with the first defaults, so that its stored plans and
 * approvals stay valid. A policy that sets the numbers of the first defaults has them as text, because it no longer means the same.
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
