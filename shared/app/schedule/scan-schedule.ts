import * as z from 'zod';
import { cronTimes } from '../../domain/cron.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy, Schedule } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Clock, NewId } from '../../ports/system.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { leaseHolder } from '../coordination/lease.ts';
import { readTyped, type Typed, update, writeTyped } from '../coordination/typed-register.ts';
import { openApprovals } from '../guardrails/approvals.ts';
import { EARLY_SCAN_SPACING_MS, earlyScanRequest } from './scan-requests.ts';

/*
 * The one scan that is asked for or under way, kept in a register so that any number of ticks ask for it once:
 *
 *          tick: due                scanner begins          scanner ends
 *   done ─────────────▶ requested ─────────────▶ running ─────────────▶ done
 *    ▲                    │   ▲                   │   │ a part ends: out of time, asks for the next one; or left, by one told to stop
 *    │                    │   └── tick: its lease ┘   └──▶ running
 *    └── tick: given up ──┘       is free (again, the same run)
 *
 * The process that runs a part holds the lease {@link SCAN_LEASE}. A killed process stops renewing it, so another process continues the run within a
 * minute.
 */
const scanState = z.object({
  runId: z.string(),
  policyHash: z.string(),
  /** When it fell due: what the schedule counts from, so that a slow scan does not shift the next one. */
  dueAt: z.number(),
  /** The last sign of life: asked for, begun, a part ended, or failed. Epoch ms. */
  aliveAt: z.number(),
  state: z.enum(['requested', 'running', 'done']),
  /** When the first of the answers was asked for that a part has kept for the next one; `null`: none has. Epoch ms. */
  begunAt: z.number().nullable().default(null),
  /** How often it was asked for after a failure or silence. */
  attempts: z.number(),
  /** Parts that ran out of time and were continued. */
  parts: z.number(),
  /** When the last complete scan ended, of this run or an earlier one. */
  completedAt: z.number().nullable(),
});
export type ScanState = z.infer<typeof scanState>;

export const SCAN = storedDocument(REGISTERS.scan, scanState);

/** Held while a part of a scan runs. */
export const SCAN_LEASE = 'scan';

/** A part of a scan ends within 15 minutes. If the lease is held for longer, its holder is not this run. */
const RUNNING_SILENCE_MS = 16 * 60_000;
/** A request that was delivered begins within seconds. */
const REQUESTED_SILENCE_MS = 3 * 60_000;
/**
 * A run that was interrupted is gone on with while the first of its answers is younger than this; with older ones it would say of accounts
 * what is no longer so, and it is begun anew. One whose parts follow each other may take as long as its work does.
 */
const TOO_OLD_MS = 30 * 60_000;
/** A run that was asked for this often in vain is given up; the schedule's next one begins anew. */
const MAX_ATTEMPTS = 5;
/** A tick comes once a minute, not to the millisecond: one that comes a little early must not make the scan a minute late. */
const EARLY_MS = 30_000;

/** When the first scan after the one that fell due at `last` falls due, epoch ms; `null`: never again. */
export function nextScanAt(schedule: Schedule, last: EpochMs): EpochMs | null {
  if ('everyMs' in schedule) return last + schedule.everyMs;
  return cronTimes(schedule).next(last);
}

/** The latest time at which a scan fell due that has not begun; `null`: none. Times that were missed are made up for once. */
export function dueAt(schedule: Schedule, last: EpochMs, now: EpochMs): EpochMs | null {
  const early = 'everyMs' in schedule ? Math.min(EARLY_MS, schedule.everyMs / 2) : 0;
  const next = nextScanAt(schedule, last);
  if (next === null || next > now + early) return null;
  if ('everyMs' in schedule) return now - next > schedule.everyMs ? now : next;
  return now;
}

export interface ScanRequest {
  readonly runId: string;
  /** Whether it goes on with a run that was begun. */
  readonly again: boolean;
}

/** A run that was requested {@link MAX_ATTEMPTS} times more and never ended. */
export interface GivenUpScan {
  readonly runId: string;
  /** When the next one falls due, ISO 8601; `null`: never. */
  readonly nextAt: string | null;
}

export interface ScheduleDeps {
  readonly registers: Registers;
  readonly clock: Clock;
  readonly newId: NewId;
  /** Called by {@link requestScan} where it gives a run up: nothing else says that a scan is missing. */
  readonly onScanGivenUp?: (scan: GivenUpScan) => void;
}

/**
 * Decides whether a scan is to be asked for now, and notes that it was. Of several ticks at once one is answered; a request that
 * gets lost afterwards is repeated for the same run.
 */
export async function requestScan(deps: ScheduleDeps, policy: CompiledPolicy): Promise<ScanRequest | null> {
  const now = deps.clock.now();
  const known = await readTyped(deps.registers, SCAN);
  const asked =
    (await isApproved(deps.registers, policy, now)) || (await isRequestedByEvent(deps.registers, known?.value, now));
  const isRunning = known?.value.state === 'running';
  const held = isRunning && (await leaseHolder(deps.registers, deps.clock, SCAN_LEASE)) !== null;
  const next = nextState(known?.value ?? null, policy, now, deps.newId, { asked, held });
  if (next === null) return null;
  if ((await writeTyped(deps.registers, SCAN, next, known?.version ?? null)) === null) return null;
  if (next.state !== 'done') return { runId: next.runId, again: next.attempts > 0 };
  const nextAt = nextScanAt(policy.policy.schedule, next.dueAt);
  deps.onScanGivenUp?.({ runId: next.runId, nextAt: nextAt === null ? null : toIso(Math.max(now, nextAt)) });
  return null;
}

/** Whether an operator has approved a plan that no scan has looked at since: the run it lets through begins with one. */
async function isApproved(registers: Registers, policy: CompiledPolicy, now: EpochMs): Promise<boolean> {
  return (await openApprovals(registers, policy.hash, now)).some(({ startedRun }) => startedRun === null);
}

/** Whether an event requested a scan that has not begun yet, and the minimum interval since the last scan has passed. */
async function isRequestedByEvent(registers: Registers, known: ScanState | undefined, now: EpochMs): Promise<boolean> {
  const request = await earlyScanRequest(registers);
  if (request === null || known === undefined) return false;
  return request.at > known.dueAt && now - known.dueAt >= EARLY_SCAN_SPACING_MS;
}

function nextState(
  known: ScanState | null,
  policy: CompiledPolicy,
  now: EpochMs,
  newId: NewId,
  { asked, held }: { readonly asked: boolean; readonly held: boolean },
): ScanState | null {
  const fresh = (due: EpochMs): ScanState => ({
    ...{ runId: newId(), policyHash: policy.hash, dueAt: due, aliveAt: now, state: 'requested', attempts: 0, parts: 0 },
    begunAt: null,
    completedAt: known?.completedAt ?? null,
  });
  if (known === null) return fresh(now);
  // Keys of the policy before are dropped by every worker, so that the new one needs its scan at once.
  const changed = known.policyHash !== policy.hash;
  if (known.state === 'done') {
    const due = changed || asked ? now : dueAt(policy.policy.schedule, known.dueAt, now);
    return due === null ? null : fresh(due);
  }
  const patience = known.state === 'requested' ? REQUESTED_SILENCE_MS : held ? RUNNING_SILENCE_MS : 0;
  if (now - known.aliveAt < patience) return null;
  if (changed || now - (known.begunAt ?? known.aliveAt) > TOO_OLD_MS) return fresh(now);
  if (known.attempts >= MAX_ATTEMPTS) return { ...known, state: 'done', aliveAt: now };
  return { ...known, state: 'requested', aliveAt: now, attempts: known.attempts + 1 };
}

/** The next look at the schedule finds a scan due. One that runs now ends first. Nothing happens where none was ever asked for. */
export async function makeScanDue(registers: Registers): Promise<void> {
  if ((await scanNow(registers)) === null) return;
  await update(registers, SCAN, (current): ScanState => {
    if (current === null) throw new Error('the register of scans is gone');
    // The first one is asked for until it is complete anyway, and its age is counted from when it fell due.
    return current.completedAt === null ? current : { ...current, dueAt: 0 };
  });
}

/** A scan that is not over. The shape of `scanning` in `status --json`. */
export interface ScanUnderWay {
  /** `null`: the scan is part of an `apply`, which has no schedule. */
  readonly runId: string | null;
  /**
   * `requested`: no process has begun it yet. `running`: a process holds its lease. `interrupted`: its process is gone, and the next look at the
   * schedule continues it.
   */
  readonly state: 'requested' | 'running' | 'interrupted';
  /** The process that runs it; `null`: none. */
  readonly holder: string | null;
  /**
   * When another process may continue the scan if its lease is not renewed until then, ISO 8601; `null`: now. A living process keeps renewing its
   * lease.
   */
  readonly until: string | null;
}

/** The scan that other processes wait for; `null`: no scan is under way. */
export async function scanUnderWay({
  registers,
  clock,
}: {
  readonly registers: Registers;
  readonly clock: Pick<Clock, 'now'>;
}): Promise<ScanUnderWay | null> {
  const [lease, known] = [await leaseHolder(registers, clock, SCAN_LEASE), (await scanNow(registers))?.value ?? null];
  const runId = known === null || known.state === 'done' ? null : known.runId;
  if (lease !== null) {
    const ofRun = known?.state === 'running' ? runId : null;
    return { runId: ofRun, state: 'running', holder: lease.holder, until: toIso(lease.until) };
  }
  if (known === null || runId === null) return null;
  if (known.state === 'running') return { runId, state: 'interrupted', holder: null, until: null };
  const until = known.aliveAt + REQUESTED_SILENCE_MS;
  return { runId, state: 'requested', holder: null, until: until > clock.now() ? toIso(until) : null };
}

/** The scan register of a restored store: a scan that was under way has ended, and a new one is due at the next look at the schedule. */
export function restoredScan(known: ScanState): ScanState {
  return { ...known, state: 'done', begunAt: null, dueAt: 0 };
}

/** The scan that is asked for or under way, or the last one. */
export function scanNow(registers: Registers): Promise<Typed<ScanState> | null> {
  return readTyped(registers, SCAN);
}

/**
 * Notes that a part of the run begins.
 * @returns what is known of it; `null` if the run is not the one that is wanted: it is done, or another has taken its place.
 */
export async function beginPart(deps: ScheduleDeps, runId: string): Promise<ScanState | null> {
  const known = await scanNow(deps.registers);
  if (known === null || known.value.runId !== runId || known.value.state === 'done') return null;
  const next: ScanState = { ...known.value, state: 'running', aliveAt: deps.clock.now() };
  return (await writeTyped(deps.registers, SCAN, next, known.version)) === null ? null : next;
}

/**
 * Notes when the first of the answers was asked for that a part is about to keep for the next one. Before they are kept: a part that dies while
 * it keeps them says nothing any more, and whoever finds the run silent has to know how old they are.
 */
export async function keepsAnswers(deps: ScheduleDeps, runId: string, begunAt: EpochMs): Promise<void> {
  await update(deps.registers, SCAN, (current): ScanState => {
    if (current === null || current.runId !== runId) return current ?? missing(runId);
    return { ...current, begunAt };
  });
}

/** `left`: its process was told to stop, and whoever looks next is to go on with it at once. */
export type PartEnd = 'done' | 'continued' | 'left' | 'failed';

/** Notes how a part of the run ended. A failed one is asked for again by the tick, after a pause. */
export async function endPart(deps: ScheduleDeps, runId: string, end: PartEnd): Promise<void> {
  const now = deps.clock.now();
  await update(deps.registers, SCAN, (current): ScanState => {
    if (current === null || current.runId !== runId) return current ?? missing(runId);
    switch (end) {
      case 'done':
        return { ...current, state: 'done', aliveAt: now, completedAt: now };
      case 'continued':
      case 'left': {
        const aliveAt = end === 'left' ? now - REQUESTED_SILENCE_MS : now;
        return { ...current, state: 'requested', aliveAt, attempts: 0, parts: current.parts + 1 };
      }
      case 'failed':
        return { ...current, state: 'requested', aliveAt: now };
    }
  });
}

function missing(runId: string): never {
  throw new Error(`run ${runId} was begun and its register is gone`);
}

/**
 * How long ago the last complete scan ended, in periods of the schedule: 1 is as it should be, above 2 somebody has to look.
 * Counted from the first request while there was none; `null` before that.
 */
export async function scanAge(
  { registers, clock }: Pick<ScheduleDeps, 'registers' | 'clock'>,
  policy: CompiledPolicy,
): Promise<number | null> {
  const known = await scanNow(registers);
  if (known === null) return null;
  const { completedAt, dueAt: due } = known.value;
  const since = completedAt ?? due;
  const { schedule } = policy.policy;
  const next = nextScanAt(schedule, since);
  return next === null ? null : (clock.now() - since) / Math.max(1, next - since);
}
