import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CheckpointState, Problem } from './checkpoint-state.ts';
import type { LogState } from './log-documents.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** After a failure, the next attempt waits this long, ms. */
const RETRY_MS = 60_000;

/**
 * Whether a checkpoint is due: at the end of a run; after an hour if the log has more than the entry of the last checkpoint; otherwise daily.
 * @param last the process ends after this
 */
export function isDue(log: LogState, { newest }: CheckpointState, now: EpochMs, last: boolean): boolean {
  if (log.size === 0) return false;
  if (newest === null || log.size < newest.size) return true;
  const grown = log.size - newest.size;
  const age = now - newest.at;
  if (grown > 0 && (newest.size < log.runEnd || age >= DAY_MS)) return true;
  return grown > 1 && (last || age >= HOUR_MS);
}

/** Whether the last attempt failed so recently that the next one waits. */
export function isWaiting(problem: Problem | null, now: EpochMs): boolean {
  return problem !== null && now >= problem.at && now - problem.at < RETRY_MS;
}
