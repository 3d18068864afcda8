import type { AccountRecord, Condition } from '../domain/record.ts';
import { ENROLLMENTS, type Enrollment } from '../domain/types.ts';
import type { WorkMessage } from '../domain/work.ts';
import type { Deps } from './deps.ts';
import type { RunStates } from './run-state.ts';

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
  deps: Pick<Deps, 'records' | 'queue' | 'clock'>,
  runs: RunStates,
  policyHash: string,
  boundTo: string | null = null,
): Promise<number> {
  const now = deps.clock.now();
  let queued = 0;
  for (;;) {
    const due = await deps.records.due(now, PAGE);
    const messages: WorkMessage[] = [];
    for (const { record } of due) {
      const keys = (await keysOf(record, runs, policyHash)).filter(
        (key) => boundTo === null || key.planHash === boundTo,
      );
      const pause = keys.length === 0 && boundTo !== null ? NOT_OURS_PAUSE_MS : QUEUED_PAUSE_MS;
      if (keys.length > 0) await deps.queue.send(keys);
      messages.push(...keys);
      await deps.records.snooze(record.accountId, record.head.seq, now + pause);
    }
    queued += messages.length;
    if (due.length < PAGE) return queued;
  }
}

/** What in a record can be waiting: everything with a claim, a time, or a result to come. */
function waits(condition: Condition | null): condition is Condition {
  if (condition === null) return false;
  return condition.claim !== null || condition.notBefore !== null || condition.verdict === 'Converging';
}

async function keysOf(record: AccountRecord, runs: RunStates, policyHash: string): Promise<WorkMessage[]> {
  const { accountId } = record;
  const keys = ENROLLMENTS.flatMap((enrollment: Enrollment) => {
    const condition = record[enrollment];
    return waits(condition) ? [{ enrollment, runId: condition.runId }] : [];
  });
  return Promise.all(
    keys.map(async ({ enrollment, runId }) => {
      const run = runId === null ? null : await runs.get(runId);
      const planHash = run?.planHash ?? null;
      return { v: 1, kind: 'account', accountId, enrollment, policyHash, runId: runId ?? 'none', planHash } as const;
    }),
  );
}
