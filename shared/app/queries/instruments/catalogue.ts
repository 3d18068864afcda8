import type { MetricFamily } from '../../../domain/open-metrics.ts';

interface Instrument extends Omit<MetricFamily, 'samples'> {
  readonly labels: readonly string[];
}

/**
 * The metrics of `GET /metrics`. Labels never contain accounts, names or ARNs, so the number of series does not grow with the organization. Gauges
 * describe the store and are the same in all its processes; counters count the work of one process since it began.
 */
export const INSTRUMENTS = {
  accounts: {
    name: 'rollcall_accounts',
    type: 'gauge',
    labels: ['kind', 'status'],
    help: 'Accounts by enrollment kind and status.',
  },
  managedAccounts: {
    name: 'rollcall_managed_accounts',
    type: 'gauge',
    labels: ['kind'],
    help: 'Accounts whose enrollment the policy enforces, unknown ones included. Compliance is the share of them with the status Compliant.',
  },
  openDrift: {
    name: 'rollcall_open_drift',
    type: 'gauge',
    labels: ['kind'],
    help: 'Accounts with open drift, even if a fix is delayed.',
  },
  openDriftAge: {
    name: 'rollcall_open_drift_oldest_age_seconds',
    type: 'gauge',
    unit: 'seconds',
    labels: ['kind'],
    help: 'Age of the oldest open drift; 0 without drift.',
  },
  halted: {
    name: 'rollcall_halted',
    type: 'gauge',
    labels: [],
    help: '1 while the kill switch stops all changes, otherwise 0.',
  },
  guardrailTripped: {
    name: 'rollcall_guardrail_tripped',
    type: 'gauge',
    labels: [],
    help: '1 if a guardrail stopped the run of the last scan, otherwise 0.',
  },
  changes: {
    name: 'rollcall_changes',
    type: 'counter',
    labels: ['kind', 'outcome'],
    help: 'Keys (an account and an enrollment kind) that this process has worked on, by outcome. A key that is retried counts each time.',
  },
  calls: {
    name: 'rollcall_aws_calls',
    type: 'counter',
    labels: ['service', 'operation'],
    help: 'Calls of this process to AWS, throttled ones included.',
  },
  throttledCalls: {
    name: 'rollcall_aws_throttled_calls',
    type: 'counter',
    labels: ['service', 'operation'],
    help: 'Calls of this process that AWS throttled.',
  },
  queueMessages: {
    name: 'rollcall_queue_messages',
    type: 'gauge',
    labels: ['state'],
    help: 'Messages of the work queue: visible (waiting for a worker), or hidden (in progress or delayed).',
  },
  deadLetters: {
    name: 'rollcall_dead_letters',
    type: 'gauge',
    labels: [],
    help: 'Messages that were given up.',
  },
  scanAge: {
    name: 'rollcall_last_scan_age_seconds',
    type: 'gauge',
    unit: 'seconds',
    labels: [],
    help: 'Time since the end of the last complete scan; absent before the first one.',
  },
  scanAgeRatio: {
    name: 'rollcall_scan_age_ratio',
    type: 'gauge',
    unit: 'ratio',
    labels: [],
    help: 'Time since the end of the last complete scan, or else since the first one was due, in periods of the schedule; absent without a schedule.',
  },
  scanDuration: {
    name: 'rollcall_last_scan_duration_seconds',
    type: 'gauge',
    unit: 'seconds',
    labels: [],
    help: 'Time from start to end of the last complete scan; absent before the first one.',
  },
  overdueEntries: {
    name: 'rollcall_overdue_entries',
    type: 'gauge',
    labels: [],
    help: 'Audit log entries that have waited for the event bus for more than five minutes, counted up to 100; absent without an event bus.',
  },
  checkpointAge: {
    name: 'rollcall_checkpoint_age_seconds',
    type: 'gauge',
    unit: 'seconds',
    labels: [],
    help: 'Time since the newest signed checkpoint of the audit log was published; absent before the first one.',
  },
  checkpointProblem: {
    name: 'rollcall_checkpoint_problem',
    type: 'gauge',
    labels: ['problem'],
    help: '1 for each problem of the last attempt to sign the audit log, otherwise 0: refused (it does not extend an earlier checkpoint), unsigned, unarchived.',
  },
  build: {
    name: 'rollcall_build',
    type: 'info',
    labels: ['version', 'runtime'],
    help: 'Version of Rollcall, and where it keeps its state: embedded or aws.',
  },
  processStart: {
    name: 'process_start_time_seconds',
    type: 'gauge',
    unit: 'seconds',
    labels: [],
    help: 'When the counters of this process began, in seconds since 1970.',
  },
} as const satisfies Record<string, Instrument>;

export type InstrumentId = keyof typeof INSTRUMENTS;
/** The labels of a metric's samples. */
type LabelsOf<I extends InstrumentId> = Readonly<Record<(typeof INSTRUMENTS)[I]['labels'][number], string>>;
/** The samples of each metric. */
export type Readings = {
  readonly [I in InstrumentId]: readonly { readonly labels: LabelsOf<I>; readonly value: number }[];
};
