import * as z from 'zod';
import { cronTimes } from '../../domain/cron.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { type RunTrigger, runTriggerSchema } from '../../domain/ledger/run-trigger.ts';
import type { CompiledPolicy, Schedule } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Clock, NewId } from '../../ports/system.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { leaseHolder } from '../coordination/lease.ts';
import { isInForce } from '../coordination/policy-in-force.ts';
import { readTyped, type Typed, update, writeTyped } from '../coordination/typed-register.ts';
import { awaitsScan } from '../guardrails/approvals.ts';
import { EARLY_SCAN_SPACING_MS, earlyScanRequest } from './scan-requests.ts';

/*
 * The requested or running scan, in one register, so that any number of ticks request it only once:
 *
 *          tick: due                scanner begins          scanner ends
 *   done ─────────────▶ requested ─────────────▶ running ─────────────▶ done
 *    ▲                    │   ▲                   │   │ a part ends: it ran out of time or its process stopped
 *    │                    │   └── tick: its lease ┘   └──▶ running
 *    └── tick: given up ──┘       expired (retries the same run)
 *
 * The process that runs a part holds {@link SCAN_LEASE}. If it is killed, the lease expires, and another process continues the run.
 */
const scanState = z.object({
  runId: z.string(),
  policyHash: z.string(),
  /** When the scan fell due, epoch ms. The schedule counts from this time, so a slow scan does not delay the next one. */
  dueAt: z.number(),
  /** Time of the last activity, epoch ms: requested, begun, a part ended or failed. */
  aliveAt: z.number(),
  state: z.enum(['requested', 'running', 'done']),
  /** When the oldest AWS response that is stored for the next part was requested, epoch ms; `null`: none is stored. */
  begunAt: z.number().nullable().default(null),
  /** Requests repeated after a failure or after silence. */
  attempts: z.number(),
  /** Parts that ran out of time and were continued. */
  parts: z.number(),
  /** When the last complete scan ended, of this run or an earlier one, epoch ms. */
  completedAt: z.number().nullable(),
  /** The last run whose scan ended; `null`: none has, or a version that did not store it ended it. */
  completed: z.object({ runId: z.string(), policyHash: z.string() }).nullable().default(null),
  /** What the run was requested for; `null`: a version that did not store it requested it. */
  trigger: runTriggerSchema.nullable().default(null),
  /** Why {@link makeScanDue} made the next scan due; `null`: it did not. */
  asked: runTriggerSchema.nullable().default(null),
});
export type ScanState = z.infer<typeof scanState>;

export const SCAN = storedDocument(REGISTERS.scan, scanState);

/** Held while a part of a scan runs. */
export const SCAN_LEASE = 'scan';

/** A part of a scan ends within 15 minutes. If the lease is held for longer, another run holds it. */
const RUNNING_SILENCE_MS = 16 * 60_000;
/** A requested scan usually starts within seconds; after this time the request counts as lost. */
export const REQUESTED_SILENCE_MS = 3 * 60_000;
/** If the oldest stored response of an interrupted run is older, it may be outdated, and a new run begins instead. */
const MAX_ANSWER_AGE_MS = 30 * 60_000;
/** A run is given up after this many repeated requests. The next scheduled scan is a new run. */
const MAX_ATTEMPTS = 5;
/** A scan is due this much early, ms. Otherwise a tick that comes a little early would delay it to the next tick. */
const EARLY_MS = 30_000;

/** When the first scan after the one that fell due at `last` falls due, epoch ms; `null`: never again. */
export function nextScanAt(schedule: Schedule, last: EpochMs): EpochMs | null {
  if ('everyMs' in schedule) return last + schedule.everyMs;
  return cronTimes(schedule).next(last);
}

/** When the pending scan fell due; `null`: no scan is due. Several missed times lead to one scan. */
export function dueAt(schedule: Schedule, last: EpochMs, now: EpochMs): EpochMs | null {
  const early = 'everyMs' in schedule ? Math.min(EARLY_MS, schedule.everyMs / 2) : 0;
  const next = nextScanAt(schedule, last);
  if (next === null || next > now + early) return null;
  if ('everyMs' in schedule) return now - next > schedule.everyMs ? now : next;
  return now;
}

export interface ScanRequest {
  readonly runId: string;
  /** Whether the request repeats an earlier run. */
  readonly again: boolean;
}

/** A run whose request was repeated {@link MAX_ATTEMPTS} times and that never ended. */
export interface GivenUpScan {
  readonly runId: string;
  /** When the next scan falls due, ISO 8601; `null`: never. */
  readonly nextAt: string | null;
}

export interface ScheduleDeps {
  readonly registers: Registers;
  readonly clock: Clock;
  readonly newId: NewId;
  /** Called when {@link requestScan} gives up a run; nothing else reports the missing scan. */
  readonly onScanGivenUp?: (scan: GivenUpScan) => void;
  /** Called with the state of the scan after the check, for {@link scanAge}, so that it is not read again. `null`: no scan was ever requested. */
  readonly onChecked?: (scan: ScanState | null) => void;
}

/** Decides whether to request a scan now, and stores the request. Of several ticks in parallel, only one gets the request. */
export async function requestScan(deps: ScheduleDeps, policy: CompiledPolicy): Promise<ScanRequest | null> {
  const now = deps.clock.now();
  const known = await readTyped(deps.registers, SCAN);
  // The approved run begins with a scan.
  const approved = await awaitsScan(deps.registers, policy.hash, now);
  const requested: RunTrigger | null = approved
    ? { kind: 'approval', actor: null, reason: null }
    : await triggeredByEvent(deps.registers, known?.value, now);
  const isRunning = known?.value.state === 'running';
  const held = isRunning && (await leaseHolder(deps.registers, deps.clock, SCAN_LEASE)) !== null;
  const replaced = await isReplaced(deps.registers, known?.value, policy);
  const next = nextState(known?.value ?? null, policy, now, deps.newId, { requested, held, replaced });
  deps.onChecked?.(next ?? known?.value ?? null);
  if (next === null) return null;
  if ((await writeTyped(deps.registers, SCAN, next, known?.version ?? null)) === null) return null;
  if (next.state !== 'done') return { runId: next.runId, again: next.attempts > 0 };
  const nextAt = nextScanAt(policy.policy.schedule, next.dueAt);
  deps.onScanGivenUp?.({ runId: next.runId, nextAt: nextAt === null ? null : toIso(Math.max(now, nextAt)) });
  return null;
}

/** Whether a scan outside the schedule, as of `apply`, put another policy in force after the last scheduled scan. If that one was given up, it waits for its next time. */
async function isReplaced(registers: Registers, known: ScanState | undefined, { hash }: CompiledPolicy) {
  const isComplete = known?.state === 'done' && known.completed?.runId === known.runId;
  return isComplete && known.policyHash === hash && !(await isInForce(registers, hash));
}

/** The trigger of a scan that an event has requested, if the minimum interval since the last scan has passed. */
async function triggeredByEvent(
  registers: Registers,
  known: ScanState | undefined,
  now: EpochMs,
): Promise<RunTrigger | null> {
  const request = await earlyScanRequest(registers);
  if (request === null || known === undefined) return null;
  const isDue = request.at > known.dueAt && now - known.dueAt >= EARLY_SCAN_SPACING_MS;
  if (!isDue) return null;
  // A person who also asked for the scan is named.
  return known.asked ?? { kind: 'event', actor: null, reason: request.reason };
}

const POLICY_CHANGED: RunTrigger = { kind: 'policy', actor: null, reason: null };

function nextState(
  known: ScanState | null,
  policy: CompiledPolicy,
  now: EpochMs,
  newId: NewId,
  { requested, held, replaced }: { requested: RunTrigger | null; held: boolean; replaced: boolean },
): ScanState | null {
  const bySchedule: RunTrigger = known?.asked ?? { kind: 'schedule', actor: null, reason: null };
  const fresh = (due: EpochMs, trigger: RunTrigger = known?.trigger ?? bySchedule): ScanState => ({
    runId: newId(),
    policyHash: policy.hash,
    dueAt: due,
    aliveAt: now,
    state: 'requested',
    attempts: 0,
    parts: 0,
    begunAt: null,
    completedAt: known?.completedAt ?? null,
    completed: known?.completed ?? null,
    trigger,
    asked: null,
  });
  if (known === null) return fresh(now, bySchedule);
  // Workers drop the keys of the previous policy, so the new policy needs a scan immediately.
  const changed = replaced || known.policyHash !== policy.hash;
  if (known.state === 'done') {
    if (changed) return fresh(now, POLICY_CHANGED);
    if (requested !== null) return fresh(now, requested);
    const due = dueAt(policy.policy.schedule, known.dueAt, now);
    return due === null ? null : fresh(due, bySchedule);
  }
  const patience = known.state === 'requested' ? REQUESTED_SILENCE_MS : held ? RUNNING_SILENCE_MS : 0;
  if (now - known.aliveAt < patience) return null;
  if (changed) return fresh(now, POLICY_CHANGED);
  if (now - (known.begunAt ?? known.aliveAt) > MAX_ANSWER_AGE_MS) return fresh(now);
  if (known.attempts >= MAX_ATTEMPTS) return { ...known, state: 'done', aliveAt: now };
  return { ...known, state: 'requested', aliveAt: now, attempts: known.attempts + 1 };
}

/** Makes a scan due at the next tick; a running scan ends first. Does nothing if no scan was ever requested. */
export async function makeScanDue(registers: Registers, asked: RunTrigger): Promise<void> {
  if ((await scanNow(registers)) === null) return;
  await update(registers, SCAN, (current): ScanState => {
    if (current === null) throw new Error('the scan register no longer exists');
    // An incomplete first scan is requested again anyway. `scanAge` counts from its `dueAt`, so that time must stay.
    if (current.completedAt === null) return current;
    return { ...current, dueAt: 0, asked: asked.kind === 'event' ? (current.asked ?? asked) : asked };
  });
}

/** The scan register after a restore: a running scan has ended, and a new one is due at the next tick. */
export function restoredScan(known: ScanState): ScanState {
  return { ...known, state: 'done', begunAt: null, dueAt: 0 };
}

/** The requested, running or last scan. */
export function scanNow(registers: Registers): Promise<Typed<ScanState> | null> {
  return readTyped(registers, SCAN);
}

/** Records that a part of the run begins. @returns its state; `null` if the run is done or another run has replaced it */
export async function beginPart(deps: ScheduleDeps, runId: string): Promise<ScanState | null> {
  const known = await scanNow(deps.registers);
  if (known === null || known.value.runId !== runId || known.value.state === 'done') return null;
  const next: ScanState = { ...known.value, state: 'running', aliveAt: deps.clock.now() };
  return (await writeTyped(deps.registers, SCAN, next, known.version)) === null ? null : next;
}

/**
 * Stores the time at which the oldest AWS response of the run was requested. Call it before the responses themselves are stored: after a crash in
 * between, the part of the scan that reuses them must know how old they are.
 */
export async function noteOldestAnswer(deps: ScheduleDeps, runId: string, begunAt: EpochMs): Promise<void> {
  await update(deps.registers, SCAN, (current): ScanState => {
    if (current === null || current.runId !== runId) return current ?? missing(runId);
    return { ...current, begunAt };
  });
}

/** `stopped`: the process had to stop early; the next tick continues the run immediately. */
export type PartEnd = 'done' | 'continued' | 'stopped' | 'failed';

/** Records how a part of the run ended. */
export async function endPart(deps: ScheduleDeps, runId: string, end: PartEnd): Promise<void> {
  const now = deps.clock.now();
  await update(deps.registers, SCAN, (current): ScanState => {
    if (current === null || current.runId !== runId) return current ?? missing(runId);
    switch (end) {
      case 'done':
        return { ...current, state: 'done', aliveAt: now, completedAt: now, completed: runAndPolicyOf(current) };
      case 'continued':
      case 'stopped': {
        const aliveAt = end === 'stopped' ? now - REQUESTED_SILENCE_MS : now;
        return { ...current, state: 'requested', aliveAt, attempts: 0, parts: current.parts + 1 };
      }
      case 'failed':
        return { ...current, state: 'requested', aliveAt: now };
    }
  });
}

const runAndPolicyOf = ({ runId, policyHash }: ScanState): ScanState['completed'] => ({ runId, policyHash });

/**
 * The run to which changes outside a plan belong: the last one whose scan ended, because a running scan has not checked the guardrails yet. Under a
 * policy without such a run, they wait for its first scan. `null`: no scan was ever requested.
 */
export async function runForChanges(registers: Registers, policyHash: string): Promise<string | null> {
  const scan = (await scanNow(registers))?.value ?? null;
  if (scan === null) return null;
  return scan.completed?.policyHash === policyHash ? scan.completed.runId : scan.runId;
}

function missing(runId: string): never {
  throw new Error(`run ${runId} has begun, but its register no longer exists`);
}

/**
 * Time since the last complete scan, or else since the first scan was due, in periods of the schedule: above 2 needs attention.
 * `null` before the first request.
 */
export function scanAge(scan: ScanState | null, { schedule }: CompiledPolicy['policy'], now: EpochMs): number | null {
  if (scan === null) return null;
  const since = scan.completedAt ?? scan.dueAt;
  const next = nextScanAt(schedule, since);
  return next === null ? null : (now - since) / Math.max(1, next - since);
}
