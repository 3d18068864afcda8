/*
 * The pauses of one (account, enrollment), across runs. Kept in its record (`attempts`, `notBefore`), so that every run, process and scan
 * waits for the same time.
 *
 *                    a call, a read or its visible result failed: attempts + 1
 *             ┌──────────────────────────────────────────────────────────────────┐
 *             │                                                                  ▼
 *   ┌─────────────────┐   notBefore has come: tick or scan     ┌──────────────────────────────────────┐
 *   │ free            │◀───────────────────────────────────────│ paused until notBefore               │
 *   │ attempts = n    │                                        │ Drifted: retrying    30 s × 2^(n−1)  │
 *   └─────────────────┘                                        │ Blocked: prerequisite        〃      │
 *             │                                                │ Stalled: deadlinePassed      〃      │
 *             │ the call is answered                           │ Blocked: denied      2^5 times that  │
 *             ▼                                                │ Drifted: deadLettered 2^8 times that │
 *        Converging ── Failed, or nothing by the deadline ────▶│ at most 6 h, the upper half drawn    │
 *             │                                                └──────────────────────────────────────┘
 *             │ observed Compliant                                               │
 *             ▼                          another policy, another wish            ▼
 *         attempts = 0 ◀─────────────────────────────────────────────── free, attempts = 0
 *
 * Waiting itself (cool-down, window, suspension, somebody's claim) is no failure and counts no attempt.
 */

const FIRST_MS = 30_000;
/** No pause is longer: whatever is mended is found within so much. */
export const MAX_PAUSE_MS = 6 * 60 * 60 * 1000;

/** The pause before attempt `attempt` + 1: doubles from 30 s, at most 6 h, spread over its upper half so that failures don't march in step. */
export function backoffMs(attempt: number, random: () => number): number {
  return spread(Math.min(MAX_PAUSE_MS, FIRST_MS * 2 ** Math.max(0, attempt - 1)), random);
}

function spread(full: number, random: () => number): number {
  return Math.round(full / 2 + random() * (full / 2));
}

/**
 * When to look again at something that is converging: after as long as it has lasted already, between 2 s and 15 min.
 * A function of the start alone, so that polling needs no state of its own.
 */
export function nextPollMs(sinceMs: number): number {
  return Math.min(15 * 60 * 1000, Math.max(2_000, sinceMs));
}

/** When to look again at what is past its deadline and still Pending: after as long as that has lasted, between 15 min and 6 h. */
export function stalledPollMs(sinceMs: number, random: () => number): number {
  return spread(Math.min(MAX_PAUSE_MS, Math.max(15 * 60 * 1000, sinceMs)), random);
}
