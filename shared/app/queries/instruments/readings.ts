import { ENROLLMENT_IDS, type EnrollmentId } from '../../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../../domain/enrollment/model.ts';
import { STATUSES } from '../../../domain/enrollment/status.ts';
import type { MetricFamily } from '../../../domain/open-metrics.ts';
import type { CompiledPolicy } from '../../../domain/policy/index.ts';
import type { Stores } from '../../context.ts';
import type { CallMeter } from '../../rate-limiter/call-meter.ts';
import { scanAge, scanNow } from '../../schedule/scan-schedule.ts';
import { type LogStatus, logStatus } from '../../transparency/checkpoint-state.ts';
import { scanStart } from '../scan-entries.ts';
import { type Status, status } from '../status.ts';
import { INSTRUMENTS, type InstrumentId, type Readings } from './catalogue.ts';
import type { WorkMeter } from './work-meter.ts';

/** The problems of checkpoints. */
const PROBLEMS = ['refused', 'unsigned', 'unarchived'] as const;

/** The state of the store at one time. */
export interface StoreReading {
  readonly status: Status;
  /** Of the last complete scan, ms; `null`: there was no complete scan yet. */
  readonly scanMs: number | null;
  /** As {@link scanAge} computes it from these. */
  readonly scan: Parameters<typeof scanAge>[0];
  readonly checkpoints: Pick<LogStatus, (typeof PROBLEMS)[number] | 'newest'>;
  readonly policy: CompiledPolicy | null;
  readonly bus: string | null;
}

/** The facts about one process. */
export interface ProcessReading {
  readonly version: string;
  readonly runtime: 'embedded' | 'aws';
  readonly startedAt: EpochMs;
  readonly calls: Pick<CallMeter, 'totals'>;
  readonly work: Pick<WorkMeter, 'counts'>;
}

export async function readStore(
  stores: Stores,
  { policy, bus, now }: Pick<StoreReading, 'policy' | 'bus'> & { readonly now: EpochMs },
): Promise<StoreReading> {
  const found = await status(stores, { policy, bus, now });
  const scan = (await scanNow(stores.registers))?.value ?? null;
  const scanMs = await lastScanMs(stores, found.lastScan);
  return { status: found, scanMs, scan, checkpoints: await logStatus(stores.registers), policy, bus };
}

/** `startedAt` of the status may belong to a later scan, which is not complete. */
async function lastScanMs(
  { ledger }: Pick<Stores, 'ledger'>,
  { runId, completedAt }: Status['lastScan'],
): Promise<number | null> {
  if (runId === null || completedAt === null) return null;
  const started = await scanStart(ledger, runId);
  return started === null ? null : Date.parse(completedAt) - Date.parse(started.at);
}

/** Every metric with its samples. @param now ages are relative to it, epoch ms */
export function metricFamilies(store: StoreReading, process: ProcessReading, now: EpochMs): readonly MetricFamily[] {
  return [
    ...complianceOf(store, now),
    ...processWork(process),
    ...workOf(store, now),
    ...logOf(store, now),
    ...aboutProcess(process),
  ];
}

function complianceOf({ status: found }: StoreReading, now: EpochMs): MetricFamily[] {
  const { statuses, compliance, openDrift, halted, guardrail } = found;
  return [
    family(
      'accounts',
      ENROLLMENT_IDS.flatMap((kind) =>
        STATUSES.map((word) => ({ labels: { kind, status: word }, value: statuses[kind][word] })),
      ),
    ),
    family(
      'managedAccounts',
      ofKinds((kind) => compliance[kind].managed),
    ),
    family(
      'openDrift',
      ofKinds((kind) => openDrift.kinds[kind].enrollments),
    ),
    family(
      'openDriftAge',
      ofKinds((kind) => {
        const { oldestSince } = openDrift.kinds[kind];
        return oldestSince === null ? 0 : secondsSince(Date.parse(oldestSince), now);
      }),
    ),
    family('halted', one(halted === null ? 0 : 1)),
    family('guardrailTripped', one(guardrail === null ? 0 : 1)),
  ];
}

function processWork({ calls, work }: ProcessReading): MetricFamily[] {
  const operations = [...calls.totals].map(([name, [count, throttled]]) => {
    const [service = '', operation = ''] = name.split(':');
    return { labels: { service, operation }, count, throttled };
  });
  return [
    family('changes', work.counts()),
    family(
      'calls',
      operations.map(({ labels, count }) => ({ labels, value: count })),
    ),
    family(
      'throttledCalls',
      operations.map(({ labels, throttled }) => ({ labels, value: throttled })),
    ),
  ];
}

function workOf({ status: found, scanMs, scan, policy, bus }: StoreReading, now: EpochMs): MetricFamily[] {
  const { queue, lastScan, outbox } = found;
  const { completedAt } = lastScan;
  const ratio = policy === null ? null : scanAge(scan, policy.policy, now);
  return [
    family('queueMessages', [
      { labels: { state: 'visible' }, value: queue.visible },
      { labels: { state: 'hidden' }, value: queue.inFlight },
    ]),
    family('deadLetters', one(queue.dead)),
    family('scanAge', completedAt === null ? [] : one(secondsSince(Date.parse(completedAt), now))),
    family('scanAgeRatio', ratio === null ? [] : one(ratio)),
    family('scanDuration', scanMs === null ? [] : one(scanMs / 1_000)),
    family('overdueEntries', bus === null ? [] : one(outbox?.overdue ?? 0)),
  ];
}

function logOf({ checkpoints }: StoreReading, now: EpochMs): MetricFamily[] {
  const { newest } = checkpoints;
  return [
    family('checkpointAge', newest === null ? [] : one(secondsSince(newest.at, now))),
    family(
      'checkpointProblem',
      PROBLEMS.map((problem) => ({ labels: { problem }, value: checkpoints[problem] === null ? 0 : 1 })),
    ),
  ];
}

function aboutProcess({ version, runtime, startedAt }: ProcessReading): MetricFamily[] {
  return [
    family('build', [{ labels: { version, runtime }, value: 1 }]),
    family('processStart', one(startedAt / 1_000)),
  ];
}

function family<I extends InstrumentId>(id: I, samples: Readings[I]): MetricFamily {
  const { labels: _, ...instrument } = INSTRUMENTS[id];
  return { ...instrument, samples };
}

const one = (value: number) => [{ labels: {}, value }];

const ofKinds = (value: (kind: EnrollmentId) => number) =>
  ENROLLMENT_IDS.map((kind) => ({ labels: { kind }, value: value(kind) }));

/** Clocks of two processes may differ, so the time may lie in the future. */
const secondsSince = (at: EpochMs, now: EpochMs): number => Math.max(0, now - at) / 1_000;
