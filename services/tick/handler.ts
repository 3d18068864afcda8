import { maintenanceTasks, type Pace } from '../../shared/app/runtime/maintenance.ts';
import { type MaintenanceReport, runTasks } from '../../shared/app/runtime/run-tasks.ts';
import { TaskRests } from '../../shared/app/runtime/task-rests.ts';
import { type GivenUpScan, requestScan, type ScanState, scanAge } from '../../shared/app/schedule/scan-schedule.ts';
import type { Checkpointing } from '../../shared/app/transparency/checkpointing.ts';
import { openCheckpointing } from '../../shared/compose/checkpoints.ts';
import { type AwsRuntime, composeFromEnvironment } from '../../shared/compose/lambda-runtime.ts';
import { type Compose, handling, type LambdaContext, lazily } from '../../shared/compose/lazy-runtime.ts';
import type { Environment } from '../../shared/config/config.ts';
import { environment } from '../../shared/config/environment.ts';

/** Publishing stops this long before the function's timeout, ms. */
const RESERVE_MS = 10_000;

/** The schedule of the function: once a minute. */
const PACE: Pace = { tickMs: 60_000, dueMs: 60_000 };

/** The result of one tick. */
export interface TickResult extends MaintenanceReport {
  /** The run that a scan was requested for. */
  readonly scanRequested: string | null;
}

/**
 * Runs once a minute (EventBridge Scheduler): requests a scan if one is due, and runs every maintenance task except those with nothing to do for a few
 * minutes. A failed part does not stop the others.
 * @throws AggregateError of the failed parts
 */
export function makeHandler(compose: Compose, env: () => Environment = environment) {
  const open = lazily(compose);
  const rests = new TaskRests();
  const checkpointing = checkpointingOf(env);
  return async (_event: unknown, context: LambdaContext): Promise<TickResult> => {
    const runtime = await open();
    return handling(runtime, { requestId: context.awsRequestId }, () =>
      tick(runtime, context, { rests, checkpointing: () => checkpointing(runtime) }),
    );
  };
}

/** What lasts as long as the function's container. */
interface Lasting {
  readonly rests: TaskRests;
  readonly checkpointing: () => Promise<Checkpointing>;
}

/** Opens what checkpoints need at the first use, and again if that failed. */
function checkpointingOf(env: () => Environment): (runtime: AwsRuntime) => Promise<Checkpointing> {
  let opened: Promise<Checkpointing> | null = null;
  return ({ clock, random }) => {
    opened ??= openCheckpointing(env(), { clock, random }).catch((error: unknown) => {
      opened = null;
      throw error;
    });
    return opened;
  };
}

async function tick(
  runtime: AwsRuntime,
  context: LambdaContext,
  { rests, checkpointing }: Lasting,
): Promise<TickResult> {
  const { stores, clock, newId, logger, metrics } = runtime;
  const failures: unknown[] = [];
  const failed = (part: string, error: unknown): void => {
    failures.push(error);
    logger.error('a part of the tick failed', { part, error });
  };
  const source = {
    deps: { ...stores, clock, newId, logger, actor: 'rollcall-tick' },
    policy: () => runtime.policy(),
    bus: () => runtime.bus(),
    alerts: () => runtime.alerts(),
    checkpointing,
    deadLetters: stores.deadLetters,
    outboxLagMs: 0,
  };
  const tasks = maintenanceTasks(source, PACE);
  const until = clock.now() + context.getRemainingTimeInMillis() - RESERVE_MS;
  const [scanRequested, report] = await Promise.all([
    requestDueScan(runtime).catch((error: unknown) => {
      failed('scan', error);
      return null;
    }),
    runTasks(tasks, { until, last: false }, failed, { rests, clock }),
  ]);
  metrics.add('KeysDue', report.keysDue);
  metrics.add('EntriesPublished', report.published);
  metrics.add('EntriesRefused', report.refused);
  if (report.deadLettersRecorded > 0) metrics.add('DeadLetters', report.deadLettersRecorded);
  if (failures.length > 0) throw new AggregateError(failures, [...new Set(failures.map(String))].join('; '));
  return { scanRequested, ...report };
}

/** @returns the run that a scan was requested for; `null`: none is due */
async function requestDueScan(runtime: AwsRuntime): Promise<string | null> {
  const { clock, newId, logger, metrics } = runtime;
  const { registers } = runtime.stores;
  const policy = await runtime.policy();
  const onScanGivenUp = (given: GivenUpScan) =>
    logger.error('a scan was started several times and never finished, so it is given up', { ...given });
  const checked: { scan: ScanState | null } = { scan: null };
  const onChecked = (scan: ScanState | null): void => {
    checked.scan = scan;
  };
  const request = await requestScan({ registers, clock, newId, onScanGivenUp, onChecked }, policy);
  if (request !== null) {
    await runtime.scanRequests.send({ runId: request.runId });
    logger.info('scan requested', { runId: request.runId, again: request.again });
  }
  const age = scanAge(checked.scan, policy.policy, clock.now());
  if (age !== null) metrics.add('ScanAge', age);
  return request?.runId ?? null;
}

export const handler = makeHandler(() => composeFromEnvironment('tick'));
