import type { AccountRecord } from '../../domain/account/record.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Deps } from '../context.ts';
import type { RunStore } from '../coordination/run-store.ts';
import { type WaitingRunOf, waitingRuns } from '../guardrails/window-run.ts';
import { BULK_RELEASE_THRESHOLD, deferToScan, isReleased } from './bulk-release.ts';
import { type DueKey, dueKeys, FEW_POLLS, sendDue, waitsForWindow } from './due-keys.ts';

const PAGE = 100;
/** A queued key is not queued again for this long, ms: by then its worker has updated the record. */
const QUEUED_PAUSE_MS = 60_000;
/** The same for a key among many: it may wait behind all changes of an adoption. Queues without merging would collect duplicates. */
const QUEUED_BULK_PAUSE_MS = 10 * 60_000;
/** How long an account is snoozed if its due keys belong to other runs, ms, so that a run bound to a plan does not wait for them. */
const OTHER_RUN_PAUSE_MS = 10 * 60_000;
/** How long an account is snoozed if a scan will plan its due keys, ms. The scan updates its record. */
const SCAN_PAUSE_MS = 10 * 60_000;

/**
 * Enqueues keys that are due: a delay, a claim or a deadline has expired, a result is to be polled, or a prerequisite has been met.
 * When many keys are released together, requests a scan instead of queueing each one.
 * @param boundTo hash of a stored plan: only keys of runs bound to it are enqueued, and the others are snoozed. `null`: all keys.
 * @returns the number of queued keys.
 */
export async function queueDue(
  deps: TickDeps,
  runs: RunStore,
  policyHash: string,
  boundTo: string | null = null,
): Promise<number> {
  const now = deps.clock.now();
  const pass = { deps, runs, policyHash, boundTo, now, waitingRunOf: null };
  let queued = 0;
  let released = 0;
  let deferred: boolean | null = null;
  for (;;) {
    const found = await duePage(pass);
    released += found.flatMap(({ keys }) => keys.filter(isReleased)).length;
    if (released > BULK_RELEASE_THRESHOLD) deferred ??= await deferToScan(deps.registers, now);
    const isDeferred = (key: DueKey): boolean => deferred === true && isReleased(key);
    const page = found.flatMap(({ keys }) => keys.filter((key) => !isDeferred(key)));
    // A full page means that many keys became due together.
    const lane = found.length < PAGE && queued === 0 ? 'urgent' : 'bulk';
    await sendDue(deps.queue, page, lane);
    const queuedMs = lane === 'bulk' || page.length > FEW_POLLS ? QUEUED_BULK_PAUSE_MS : QUEUED_PAUSE_MS;
    for (const { record, keys } of found) {
      await deps.records.snooze(record.accountId, record.head.seq, now + pauseOf(keys, isDeferred, boundTo, queuedMs));
    }
    queued += page.length;
    if (found.length < PAGE) return queued;
  }
}

type TickDeps = Pick<Deps, 'records' | 'registers' | 'queue' | 'clock'>;

interface Pass {
  readonly deps: TickDeps;
  readonly runs: RunStore;
  readonly policyHash: string;
  readonly boundTo: string | null;
  readonly now: EpochMs;
  /** Loaded on first use, because most due keys do not wait for a window. */
  waitingRunOf: WaitingRunOf | null;
}

interface Found {
  readonly record: AccountRecord;
  readonly keys: readonly DueKey[];
}

const noRun: WaitingRunOf = async () => null;

async function duePage(pass: Pass): Promise<Found[]> {
  const { deps, runs, policyHash, boundTo, now } = pass;
  const found: Found[] = [];
  for (const { record } of await deps.records.due(now, PAGE)) {
    if (ENROLLMENT_IDS.some((id) => waitsForWindow(record.conditions[id]))) {
      pass.waitingRunOf ??= await waitingRuns(deps.registers, runs, policyHash, now);
    }
    const keys = await dueKeys(record, runs, policyHash, pass.waitingRunOf ?? noRun);
    found.push({ record, keys: keys.filter(({ common }) => boundTo === null || common.planHash === boundTo) });
  }
  return found;
}

function pauseOf(
  keys: readonly DueKey[],
  isDeferred: (key: DueKey) => boolean,
  boundTo: string | null,
  queuedMs: number,
): number {
  if (keys.length === 0) return boundTo === null ? QUEUED_PAUSE_MS : OTHER_RUN_PAUSE_MS;
  return keys.every(isDeferred) ? SCAN_PAUSE_MS : queuedMs;
}
