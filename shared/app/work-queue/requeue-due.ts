import type { AccountRecord } from '../../domain/account/record.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import type { Records } from '../../ports/records.ts';
import type { Deps } from '../context.ts';
import type { RunState, RunStore } from '../coordination/run-store.ts';
import { type WaitingRunOf, waitingRuns } from '../guardrails/window-run.ts';
import { BULK_RELEASE_THRESHOLD, deferToScan, isReleased, SCAN_PAUSE_MS } from './bulk-release.ts';
import { type DueKey, dueKeys, FEW_POLLS, sendDue, waitsForWindow } from './due-keys.ts';

const PAGE = 100;
/** A queued key is not queued again for this long, ms: by then its worker has updated the record. */
const QUEUED_PAUSE_MS = 60_000;
/** The same for a key among many: it may wait behind all changes of an adoption. Queues without merging would collect duplicates. */
const QUEUED_BULK_PAUSE_MS = 10 * 60_000;
/** How long an account is snoozed if its due keys belong to other runs, ms, so that a run bound to a plan does not wait for them. */
const OTHER_RUN_PAUSE_MS = 10 * 60_000;
/** How many accounts are snoozed in parallel. */
const PARALLEL = 32;

export interface QueueDueOptions {
  /** Hash of a stored plan: only keys of runs bound to it are enqueued, and the others are snoozed. Default `null`: all keys. */
  readonly boundTo?: string | null;
  /** After this time no further page begins; the next pass continues. Default: no limit. */
  readonly until?: EpochMs;
}

/**
 * Enqueues keys that are due: a delay, a claim or a deadline has expired, a result is to be polled, or a prerequisite has been met.
 * When many keys are released together, requests a scan instead of queueing each one. A page is on the queue before its accounts are snoozed,
 * so a crash in between repeats keys and loses none.
 * @returns the number of queued keys.
 */
export async function queueDue(
  deps: TickDeps,
  runs: RunStore,
  policyHash: string,
  { boundTo = null, until = Number.POSITIVE_INFINITY }: QueueDueOptions = {},
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
    const snoozes = found.map(({ record, keys }) => ({
      record,
      until: now + pauseOf(keys, isDeferred, boundTo, queuedMs),
    }));
    await snoozeAll(deps.records, snoozes);
    queued += page.length;
    if (found.length < PAGE || deps.clock.now() >= until) return queued;
  }
}

export interface Snooze {
  readonly record: AccountRecord;
  readonly until: EpochMs;
}

/** Snoozes accounts in parallel. */
export async function snoozeAll(records: Pick<Records, 'snooze'>, snoozes: readonly Snooze[]): Promise<void> {
  await mapParallel(snoozes, PARALLEL, ({ record, until }) => records.snooze(record.accountId, record.head.seq, until));
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

/** Reads the state of each run once. A page uses its own reader, so that the next page finds a run that a scan has stored meanwhile. */
function runReader(runs: RunStore): Pick<RunStore, 'get'> {
  const states = new Map<string, Promise<RunState | null>>();
  return {
    get(runId) {
      const state = states.get(runId) ?? runs.get(runId);
      states.set(runId, state);
      return state;
    },
  };
}

async function duePage(pass: Pass): Promise<Found[]> {
  const { deps, runs, policyHash, boundTo, now } = pass;
  const reader = runReader(runs);
  const found: Found[] = [];
  for (const { record } of await deps.records.due(now, PAGE)) {
    if (ENROLLMENT_IDS.some((id) => waitsForWindow(record.conditions[id]))) {
      pass.waitingRunOf ??= await waitingRuns(deps.registers, runs, policyHash, now);
    }
    const keys = await dueKeys(record, reader, policyHash, pass.waitingRunOf ?? noRun);
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
