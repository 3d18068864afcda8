/** The metrics that operators watch. The CloudWatch dashboard and the alarms in `infra/` use exactly these names. */
export const METRICS = {
  /** Accounts assessed by a completed scan. */
  AccountsScanned: 'Count',
  /** Drifts found by a completed scan, counted as (account, enrollment), including blocked and stalled ones. */
  DriftFound: 'Count',
  /** (account, enrollment) pairs past their deadline at the end of a completed scan. */
  AccountsStalled: 'Count',
  /** Scans that a guardrail stopped before their first change. */
  GuardrailsTripped: 'Count',
  /** Duration of the last part of a scan; a long scan consists of several. */
  ScanDuration: 'Milliseconds',
  /** Time since the end of the last complete scan, in periods of the schedule; reported by each tick. */
  ScanAge: 'None',
  /** Mutating calls that AWS accepted; a batch counts as one. */
  ChangesMade: 'Count',
  /** Keys, i.e. (account, enrollment) pairs, that a worker observed to be compliant. */
  KeysResolved: 'Count',
  /** Keys whose change is delayed, needs attention, or will be retried after a failure. */
  KeysHeldUp: 'Count',
  /** Messages that a worker moved to the dead letters, and dead letters found by a tick. */
  DeadLetters: 'Count',
  /** Calls to AWS that were throttled. */
  Throttles: 'Count',
  /** All calls to AWS. */
  Calls: 'Count',
  /** Time from sending a message to the start of its processing. */
  QueueLatency: 'Milliseconds',
  /** CloudTrail events that reached the event handler. */
  EventsHeard: 'Count',
  /** CloudTrail events that the event handler rejected. */
  EventsRejected: 'Count',
  /** Keys enqueued because they were due. */
  KeysDue: 'Count',
  /** Audit log entries that the event bus accepted. */
  EntriesPublished: 'Count',
  /** Audit log entries that the event bus refused; the next tick sends them again. */
  EntriesRefused: 'Count',
} as const;

export type MetricName = keyof typeof METRICS;

/** What a deployment monitors: everything, only what the alarms need, or nothing. CloudWatch charges for each metric, alarm and dashboard. */
export const MONITORING = ['full', 'alarms', 'none'] as const;
export type Monitoring = (typeof MONITORING)[number];

/** The metrics that the alarms in `infra/alarms.yml` read, by function. */
export const ALARMED: Readonly<Record<string, readonly MetricName[]>> = {
  tick: ['ScanAge', 'EntriesRefused'],
  scanner: ['AccountsStalled', 'GuardrailsTripped'],
  worker: ['Calls', 'Throttles'],
};

/** The metrics whose zeros end an alarm. CloudWatch charges for a metric in each hour with a value, so other zeros are not sent. */
export const ZEROS_MATTER: ReadonlySet<MetricName> = new Set(['ScanAge', 'AccountsStalled', 'GuardrailsTripped']);

/** Promise: it never throws and never waits. All counts are written when `flush` returns. */
export interface Metrics {
  add(name: MetricName, value: number): void;
  flush(): void;
}
