/** The pause before attempt `attempt` + 1: doubles from 30 s, at most 6 h, spread over its upper half so that failures don't march in step. */
export function backoffMs(attempt: number, random: () => number): number {
  const full = Math.min(6 * 60 * 60 * 1000, 30_000 * 2 ** Math.max(0, attempt - 1));
  return Math.round(full / 2 + random() * (full / 2));
}

/**
 * When to look again at something that is converging: after as long as it has lasted already, between 2 s and 15 min.
 * A function of the start alone, so that polling needs no state of its own.
 */
export function nextPollMs(sinceMs: number): number {
  return Math.min(15 * 60 * 1000, Math.max(2_000, sinceMs));
}
