import { type Unpublished, unpublishedEntries } from '../../shared/app/notifications/outbox-state.ts';
import { isTransparencyLog, maintenanceTasks, type Pace } from '../../shared/app/runtime/maintenance.ts';
import { type MaintenanceTask, RUN_MS, runRegularly, runTasks } from '../../shared/app/runtime/run-tasks.ts';
import { openMaintenance as openSource } from '../../shared/compose/notification-targets.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import type { Environment } from '../../shared/config/config.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import type { CliContext } from './context.ts';
import { count } from './ui/words.ts';

/** The work that a process repeats: publishing entries, sending alerts, and maintaining the store. */
export interface Maintenance {
  readonly tasks: readonly MaintenanceTask[];
  /**
   * Runs the tasks of this group once more, for a few seconds at most. A failure is only logged, because the main work is already done.
   * @returns a note if entries are still not on the event bus; `null`: no entry waits
   */
  finish(group: MaintenanceTask['group']): Promise<string | null>;
  /** Appends the last entries to the transparency log and signs a checkpoint, within {@link SIGN_MS}. A failure is only logged. */
  signLast(): Promise<void>;
  close(): void;
}

/** Maximum time for the last checkpoint, ms: a key service, an archive or a witness may not answer, and a stopping process has 25 s in all. */
const SIGN_MS = 10_000;

interface MaintenanceContext {
  readonly env: Environment;
  readonly store: Pick<CliContext['store'], 'eventBus' | 'outboxLagMs'>;
}

export async function openMaintenance(
  context: MaintenanceContext,
  app: Pick<Runtime, 'deps' | 'store'>,
  policy: CompiledPolicy,
  pace?: Pace,
): Promise<Maintenance> {
  const { clock, ledger, logger } = app.deps;
  const onError = (task: string, error: unknown): void =>
    logger.warn(`maintenance failed: ${task}; the next process will retry it`, { error });
  const source = await openSource(app, policy, context.store, context.env);
  const tasks = maintenanceTasks(source, pace);
  return {
    tasks,
    async finish(group) {
      const last = { until: clock.now() + RUN_MS, last: true };
      await runTasks(
        tasks.filter((task) => task.group === group),
        last,
        onError,
      );
      if (group !== 'notify' || !source.publishes) return null;
      try {
        return unpublishedText(await unpublishedEntries(ledger));
      } catch (error) {
        logger.warn('could not count the entries that are not on the event bus yet', { error });
        return null;
      }
    },
    async signLast() {
      const late = new AbortController();
      const limits = { until: clock.now() + RUN_MS, last: true };
      // Once the time is over, the store is closed, and signing can only fail.
      const signing = runTasks(tasks.filter(isTransparencyLog), limits, (task, error) => {
        if (!late.signal.aborted) onError(task, error);
      });
      const isOver = clock.sleep(SIGN_MS, late.signal).then(() => true);
      if (await Promise.race([signing.then(() => false), isOver]))
        logger.warn('the last checkpoint could not be signed in time; the next process will sign one');
      late.abort('done');
    },
    close: () => source.close(),
  };
}

/** Runs `work`. Entries are published and alerts are sent while it runs; the store is maintained once after it. */
export async function withMaintenance<T>(
  context: MaintenanceContext & { readonly output: Pick<CliContext['output'], 'note'> },
  app: Pick<Runtime, 'deps' | 'store'>,
  policy: CompiledPolicy,
  work: () => Promise<T>,
): Promise<T> {
  const maintenance = await openMaintenance(context, app, policy);
  const { clock, logger } = app.deps;
  const over = new AbortController();
  const notifying = runRegularly(
    maintenance.tasks.filter(({ group }) => group === 'notify'),
    clock,
    over.signal,
    (task, error) => logger.warn(`maintenance failed: ${task}; it will be retried`, { error }),
  );
  try {
    const result = await work();
    await maintenance.finish('store');
    return result;
  } finally {
    over.abort();
    await notifying;
    const text = await maintenance.finish('notify');
    if (text !== null) context.output.note(text);
    maintenance.close();
  }
}

/** The note to show when a process ends while entries wait for the event bus; `null`: no entry waits. */
function unpublishedText({ entries, more }: Unpublished): string | null {
  if (entries === 0) return null;
  const many = `${more ? 'More than ' : ''}${count(entries, 'entry', 'entries')} of the audit log`;
  const verb = entries === 1 ? 'is' : 'are';
  return `${many} ${verb} not on the event bus yet; the next tick, serve or apply publishes them.`;
}
