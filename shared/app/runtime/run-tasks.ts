import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Clock } from '../../ports/system.ts';
import type { TaskRests } from './task-rests.ts';

/** One piece of recurring work. Any number of processes may run it at the same time. */
export interface MaintenanceTask {
  readonly name: string;
  /**
   * `queue`: tasks that fill the queue run one after the other, in the order of the list. The others run in parallel, so that a
   * slow event bus or webhook delays nothing else; `apply` runs them only at its end.
   */
  readonly group: 'queue' | 'notify' | 'store';
  readonly everyMs: number;
  run(limits: TaskLimits): Promise<TaskResult>;
}

export interface TaskResult extends Partial<MaintenanceReport> {
  /** When the task next has anything to do under the same policy, epoch ms. Absent or `null`: it may have at any time. */
  readonly restUntil?: EpochMs | null;
}

export interface TaskLimits {
  /** Long tasks start no further step after this time. */
  readonly until: EpochMs;
  /** The process ends after this run: send what is buffered, and finish what fits into the remaining time. */
  readonly last: boolean;
}

/** The results of one round of maintenance. */
export interface MaintenanceReport {
  readonly keysDue: number;
  readonly published: number;
  readonly refused: number;
  readonly deadLettersRecorded: number;
  /** Operator controls and exemptions that were entered into the audit log: set, ended, or soon to end. */
  readonly announced: number;
  /** Entries that the webhook received. */
  readonly alerted: number;
  /** The root of the day's digest, if this round wrote it. */
  readonly digest: string | null;
  /** Entries that the retention removed. */
  readonly pruned: number;
}

/** Called with the name of a task that failed. The task runs again at its next time. */
export type OnTaskError = (name: string, error: unknown) => void;

/** Tasks that rest are left out of a round. */
export interface Resting {
  readonly rests: TaskRests;
  readonly clock: Pick<Clock, 'now'>;
}

/** Runs each task once. A task that fails stops none of the others. @param resting `null`: no task rests */
export async function runTasks(
  tasks: readonly MaintenanceTask[],
  limits: TaskLimits,
  onError: OnTaskError,
  resting: Resting | null = null,
): Promise<MaintenanceReport> {
  const reports: Partial<MaintenanceReport>[] = [];
  const run = async (task: MaintenanceTask): Promise<void> => {
    if (resting?.rests.isResting(task.name, resting.clock.now()) === true) return;
    try {
      const result = await task.run(limits);
      reports.push(result);
      resting?.rests.note(task.name, result.restUntil ?? null, resting.clock.now());
    } catch (error) {
      onError(task.name, error);
    }
  };
  const fillQueue = async (): Promise<void> => {
    for (const task of tasks) if (task.group === 'queue') await run(task);
  };
  await Promise.all([fillQueue(), ...tasks.filter(({ group }) => group !== 'queue').map(run)]);
  return reports.reduce<MaintenanceReport>(sum, NOTHING);
}

/** Runs each task at its own pace until `stop`; a task never overlaps itself. */
export async function runRegularly(
  tasks: readonly MaintenanceTask[],
  clock: Clock,
  stop: AbortSignal,
  onError: OnTaskError,
): Promise<void> {
  const repeat = async (task: MaintenanceTask): Promise<void> => {
    while (!stop.aborted) {
      try {
        await task.run({ until: clock.now() + RUN_MS, last: false });
      } catch (error) {
        onError(task.name, error);
      }
      await clock.sleep(task.everyMs, stop);
    }
  };
  await Promise.all(tasks.map(repeat));
}

/** A long task starts no further step after this time, ms; the rest follows in its next run. */
export const RUN_MS = 5_000;

const NOTHING: MaintenanceReport = {
  keysDue: 0,
  published: 0,
  refused: 0,
  deadLettersRecorded: 0,
  announced: 0,
  alerted: 0,
  digest: null,
  pruned: 0,
};

function sum(a: MaintenanceReport, b: Partial<MaintenanceReport>): MaintenanceReport {
  return {
    keysDue: a.keysDue + (b.keysDue ?? 0),
    published: a.published + (b.published ?? 0),
    refused: a.refused + (b.refused ?? 0),
    deadLettersRecorded: a.deadLettersRecorded + (b.deadLettersRecorded ?? 0),
    announced: a.announced + (b.announced ?? 0),
    alerted: a.alerted + (b.alerted ?? 0),
    digest: a.digest ?? b.digest ?? null,
    pruned: a.pruned + (b.pruned ?? 0),
  };
}
