const WINDOW_MS = 10_000;

/**
 * @param calls when each call arrived, in order
 * @returns the busiest window with more calls than the rate allows, in words
 */
export function exceededRates(calls: readonly number[], callsPerSecond: number, underWay: number): readonly string[] {
  const most = (callsPerSecond * WINDOW_MS * 1.1) / 1000 + 2 * underWay + 10;
  let from = 0;
  let busiest = 0;
  for (const [index, at] of calls.entries()) {
    while ((calls[from] ?? at) <= at - WINDOW_MS) from += 1;
    busiest = Math.max(busiest, index - from + 1);
  }
  if (busiest <= most) return [];
  return [`${busiest} calls in ${WINDOW_MS / 1000} s, ${callsPerSecond} a second are allowed`];
}
