import type { Deps } from './deps.ts';
import { type DueKey, dueKeys, dueMessages, waitsForWindow } from './due-keys.ts';
import type { RunStates } from './run-state.ts';
import { type WaitingRunOf, waitingRuns } from './waiting-runs.ts';

const PAGE = 100;
/** A key that was queued is not queued again for this long, ms: its worker will have moved the record on by then. */
const QUEUED_PAUSE_MS = 60_000;
/** What a bound process leaves to others rests for this long, ms, so that it does not wait for it itself. */
const NOT_OURS_PAUSE_MS = 10 * 60_000;

/**
 * Queues what has been waiting for a time that has come: pauses that are over, results to look for, deadlines, and intents whose worker
 * never wrote an outcome.
 * @param boundTo the stored plan whose changes alone this process may make: what others wait for is left to them.
 * @returns how many keys were queued.
 */
export async function queueDue(
  deps: Pick<Deps, 'records' | 'registers' | 'queue' | 'clock'>,
  runs: RunStates,
  policyHash: string,
  boundTo: string | null = null,
): Promise<number> {
  const now = deps.clock.now();
  let queued = 0;
  let waitingRunOf: WaitingRunOf | null = null;
  for (;;) {
    const due = await deps.records.due(now, PAGE);
    const page: DueKey[] = [];
    const pauses: number[] = [];
    for (const { record } of due) {
      const waiting = waitsForWindow(record.computeOptimizer) || waitsForWindow(record.automation);
      // Read where it is asked for: most of what is due waits for something else.
      if (waiting) waitingRunOf ??= await waitingRuns(deps.registers, runs, policyHash, now);
      const keys = (await dueKeys(record, runs, policyHash, waitingRunOf ?? (() => null))).filter(
        ({ common }) => boundTo === null || common.planHash === boundTo,
      );
      page.push(...keys);
      pauses.push(keys.length === 0 && boundTo !== null ? NOT_OURS_PAUSE_MS : QUEUED_PAUSE_MS);
    }
    const messages = dueMessages(page);
    if (messages.length > 0) await deps.queue.send(messages);
    for (const [index, { record }] of due.entries()) {
      await deps.records.snooze(record.accountId, record.head.seq, now + (pauses[index] ?? QUEUED_PAUSE_MS));
    }
    queued += page.length;
    if (due.length < PAGE) return queued;
  }
}
