import type { AccountRecord } from '../../domain/account/record.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Deps } from '../context.ts';
import type { RunStore } from '../coordination/run-store.ts';
import { type WaitingRunOf, waitingRuns } from '../guardrails/window-run.ts';
import { deferToScan, isBulkRelease, SET_FREE_AT_ONCE } from './bulk-release.ts';
import { type DueKey, dueKeys, dueMessages, waitsForWindow } from './due-keys.ts';

const PAGE = 100;
/** A key that was queued is not queued again for this long, ms: its worker will have moved the record on by then. */
const QUEUED_PAUSE_MS = 60_000;
/** What a bound process leaves to others rests for this long, ms, so that it does not wait for it itself. */
const NOT_OURS_PAUSE_MS = 10 * 60_000;
/** What is left to a scan rests for this long, ms; the scan writes of it whatever it finds. */
const SCAN_PAUSE_MS = 10 * 60_000;

/**
 * Queues what has been waiting for a time that has come: pauses that are over, results to look for, deadlines, and intents whose worker
 * never wrote an outcome. What has come free in numbers is left to a scan, which is asked for.
 * @param boundTo the stored plan whose changes alone this process may make: what others wait for is left to them.
 * @returns how many keys were queued.
 */
export async function queueDue(
  deps: TickDeps,
  runs: RunStore,
  policyHash: string,
  boundTo: string | null = null,
): Promise<number> {
  const now = deps.clock.now();
  const looking = { deps, runs, policyHash, boundTo, now, waitingRunOf: null };
  let queued = 0;
  let freed = 0;
  let toScan: boolean | null = null;
  for (;;) {
    const found = await duePage(looking);
    freed += found.flatMap(({ keys }) => keys.filter(isBulkRelease)).length;
    if (freed > SET_FREE_AT_ONCE) toScan ??= await deferToScan(deps.registers, now);
    const left = (key: DueKey): boolean => toScan === true && isBulkRelease(key);
    const page = found.flatMap(({ keys }) => keys.filter((key) => !left(key)));
    const messages = dueMessages(page);
    if (messages.length > 0) await deps.queue.send(messages);
    for (const { record, keys } of found) {
      await deps.records.snooze(record.accountId, record.head.seq, now + pauseOf(keys, left, boundTo));
    }
    queued += page.length;
    if (found.length < PAGE) return queued;
  }
}

type TickDeps = Pick<Deps, 'records' | 'registers' | 'queue' | 'clock'>;

interface Looking {
  readonly deps: TickDeps;
  readonly runs: RunStore;
  readonly policyHash: string;
  readonly boundTo: string | null;
  readonly now: EpochMs;
  /** Read where it is asked for: most of what is due waits for something else than a window. */
  waitingRunOf: WaitingRunOf | null;
}

interface Found {
  readonly record: AccountRecord;
  readonly keys: readonly DueKey[];
}

const noRun: WaitingRunOf = async () => null;

async function duePage(looking: Looking): Promise<Found[]> {
  const { deps, runs, policyHash, boundTo, now } = looking;
  const found: Found[] = [];
  for (const { record } of await deps.records.due(now, PAGE)) {
    if (ENROLLMENT_IDS.some((id) => waitsForWindow(record.conditions[id]))) {
      looking.waitingRunOf ??= await waitingRuns(deps.registers, runs, policyHash, now);
    }
    const keys = await dueKeys(record, runs, policyHash, looking.waitingRunOf ?? noRun);
    found.push({ record, keys: keys.filter(({ common }) => boundTo === null || common.planHash === boundTo) });
  }
  return found;
}

function pauseOf(keys: readonly DueKey[], left: (key: DueKey) => boolean, boundTo: string | null): number {
  if (keys.length === 0) return boundTo === null ? QUEUED_PAUSE_MS : NOT_OURS_PAUSE_MS;
  return keys.every(left) ? SCAN_PAUSE_MS : QUEUED_PAUSE_MS;
}
