import type { EpochMs } from './enrollment/model.ts';

/** The last time that a Date can tell [ECMA-262, Time Values and Time Range]. */
const LAST_MS = 8.64e15;

/**
 * ISO 8601, UTC, with milliseconds. Total: a time beyond what a Date can tell (AWS names an odd one, and a deadline is added to it)
 * becomes the last one that can be told, so that one strange timestamp never stops the diff of all accounts.
 */
export function toIso(time: EpochMs): string {
  return new Date(Math.min(LAST_MS, Math.max(-LAST_MS, time))).toISOString();
}
