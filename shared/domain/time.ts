import type { EpochMs } from './enrollment/model.ts';

/** The last time that a Date can represent [ECMA-262, Time Values and Time Range]. */
const LAST_MS = 8.64e15;

/**
 * ISO 8601, UTC, with milliseconds. A time outside the range of Date becomes the nearest valid one. Otherwise one absurd
 * timestamp from AWS would stop the assessment of all accounts.
 */
export function toIso(time: EpochMs): string {
  return new Date(Math.min(LAST_MS, Math.max(-LAST_MS, time))).toISOString();
}

/** For people, to the minute: `2026-12-09 06:12 UTC`. */
export function toMinute(time: EpochMs): string {
  return `${toIso(time).slice(0, 16).replace('T', ' ')} UTC`;
}
