/*
 * Retry delays of one (account, enrollment). Its record stores them (`attempts`, `notBefore`), so all processes wait equally long.
 *
 *                    a call, a read or the result of a call failed: attempts + 1
 *             ┌──────────────────────────────────────────────────────────────────┐
 *             │                                                                  ▼
 *   ┌─────────────────┐   notBefore has passed: tick or scan   ┌──────────────────────────────────────┐
 *   │ not delayed     │◀───────────────────────────────────────│ delayed until notBefore              │
 *   │ attempts = n    │                                        │ Drifted: retrying    30 s × 2^(n−1)  │
 *   └─────────────────┘                                        │ Blocked: prerequisite        〃      │
 *             │                                                │ Stalled: deadlinePassed      〃      │
 *             │ the call is answered                           │ Blocked: denied      2^5 times that  │
 *             ▼                                                │ Drifted: deadLettered 2^8 times that │
 *        Converging ── Failed, or no result by the deadline ──▶│ at most 6 h, with jitter             │
 *             │                                                └──────────────────────────────────────┘
 *             │ observed Compliant                                               │
 *             ▼                          new policy or desired state             ▼
 *         attempts = 0 ◀──────────────────────────────────────── not delayed, attempts = 0
 *
 * Waiting (for a cool-down, a window, another worker's claim, …) is not a failure and does not count as an attempt.
 */

const FIRST_MS = 30_000;
/** The longest delay. Once the cause of a failure is fixed, the next attempt is at most this far away. */
export const MAX_PAUSE_MS = 6 * 60 * 60 * 1000;

/** The delay after attempt `attempt`: doubles from 30 s to at most 6 h, with jitter over its upper half so that retries do not coincide. */
export function backoffMs(attempt: number, random: () => number): number {
  return spread(Math.min(MAX_PAUSE_MS, FIRST_MS * 2 ** Math.max(0, attempt - 1)), random);
}

function spread(full: number, random: () => number): number {
  return Math.round(full / 2 + random() * (full / 2));
}

/** The delay before a converging enrollment is read again: as long as it has been converging, between 2 s and 15 min. */
export function nextPollMs(sinceMs: number): number {
  return Math.min(15 * 60 * 1000, Math.max(2_000, sinceMs));
}

/** The delay before a stalled Pending is read again: as long as it has been stalled, between 15 min and 6 h. */
export function stalledPollMs(sinceMs: number, random: () => number): number {
  return spread(Math.min(MAX_PAUSE_MS, Math.max(15 * 60 * 1000, sinceMs)), random);
}
