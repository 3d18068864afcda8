/** What operators watch, by name; the dashboard and the alarms of `infra/` are built on exactly these. */
export const METRICS = {
  /** Accounts that a completed scan judged. */
  AccountsScanned: 'Count',
  /** Drifts found by a completed scan, counted as (account, enrollment), including blocked and stalled ones. */
  DriftFound: 'Count',
  /** (account, enrollment) past their deadline, at a completed scan. */
  AccountsStalled: 'Count',
  /** Scans that a guardrail stopped before their first change. */
  GuardrailsTripped: 'Count',
  /** From the beginning of a scan's last part to its end. */
  ScanDuration: 'Milliseconds',
  /** How long ago the last complete scan ended, in periods of the schedule; told by each tick. */
  ScanAge: 'None',
  /** Mutating calls that AWS took, one for a whole batch. */
  ChangesMade: 'Count',
  /** Keys of which a worker has seen that they are as the policy wants them. */
  KeysResolved: 'Count',
  /** Keys that ended blocked, or are tried again after a failure. */
  KeysHeldUp: 'Count',
  /** Messages moved to the dead letters by a worker, and those that a tick found there. */
  DeadLetters: 'Count',
  /** Calls to AWS that were throttled. */
  Throttles: 'Count',
  /** Calls to AWS in all. */
  Calls: 'Count',
  /** From the sending of a message to the beginning of work on it. */
  QueueLatency: 'Milliseconds',
  /** Events of CloudTrail's that reached the reactor, and those that it did not believe. */
  EventsHeard: 'Count',
  EventsRejected: 'Count',
  /** Keys queued because their time had come. */
  KeysDue: 'Count',
  /** Ledger entries that the event bus accepted, and those that it refused. The next tick retries the refused ones. */
  EntriesPublished: 'Count',
  EntriesRefused: 'Count',
} as const;

export type MetricName = keyof typeof METRICS;

/** Promise: never throws, never waits. What was counted is out when `flush` returns. */
export interface Metrics {
  add(name: MetricName, value: number): void;
  flush(): void;
}
