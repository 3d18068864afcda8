import { RunStore } from '../../shared/app/coordination/run-store.ts';
import { recordDeadLetters } from '../../shared/app/ledger/dead-letter-entries.ts';
import { writeDigest } from '../../shared/app/ledger/digest.ts';
import { pruneOld } from '../../shared/app/ledger/retention.ts';
import { publishUnpublished } from '../../shared/app/notifications/outbox-publisher.ts';
import { advanceRollout } from '../../shared/app/rollout/rollout-controller.ts';
import { operatorTasks } from '../../shared/app/runtime/maintenance.ts';
import { type GivenUpScan, requestScan, scanAge } from '../../shared/app/schedule/scan-schedule.ts';
import { queueDue } from '../../shared/app/work-queue/requeue-due.ts';
import { type AwsRuntime, composeFromEnvironment } from '../../shared/compose/lambda-runtime.ts';
import { type Compose, type LambdaContext, lazily } from '../../shared/compose/lazy-runtime.ts';

/** Publishing stops this long before the function's end, ms. */
const RESERVE_MS = 10_000;

/** What one tick did. */
export interface TickResult {
  /** The run that a scan was asked for. */
  readonly scanRequested: string | null;
  readonly keysDue: number;
  readonly published: number;
  readonly refused: number;
  readonly deadLettersRecorded: number;
  /** Suspensions, halts and exemptions that the ledger was told of: set, ended, or soon to end. */
  readonly announced: number;
  /** Entries that the webhook was told of. */
  readonly alerted: number;
  /** The root of the day's digest, if this tick wrote it. */
  readonly digest: string | null;
  /** Entries that the retention has removed. */
  readonly pruned: number;
}

/**
 * Once a minute (EventBridge Scheduler): is a scan due, what is due, what is unpublished, what did the queue's redrive catch, what is the
 * webhook to be told, is a digest of the ledger due, is something in it older than the retention. Each
 * is done whether or not the others can be.
 * @throws AggregateError of what could not be done.
 */
export function makeHandler(compose: Compose) {
  const open = lazily(compose);
  return async (_event: unknown, context: LambdaContext): Promise<TickResult> => {
    const runtime = await open();
    return runtime.logger.within({ requestId: context.awsRequestId }, async () => {
      try {
        return await tick(runtime, context);
      } finally {
        runtime.flush();
      }
    });
  };
}

async function tick(runtime: AwsRuntime, context: LambdaContext): Promise<TickResult> {
  const { stores, clock, newId, logger, metrics } = runtime;
  const actor = 'rollcall-tick';
  const scan = async () => {
    const policy = await runtime.policy();
    const onScanGivenUp = (given: GivenUpScan) =>
      logger.error('a scan was begun several times and never ended, so it is given up', { ...given });
    const request = await requestScan({ registers: stores.registers, clock, newId, onScanGivenUp }, policy);
    if (request !== null) {
      await runtime.scanRequests.send({ runId: request.runId });
      logger.info('scan requested', { runId: request.runId, again: request.again });
    }
    const age = await scanAge({ registers: stores.registers, clock }, policy);
    if (age !== null) metrics.add('ScanAge', age);
    return request?.runId ?? null;
  };
  const due = async () => {
    const policy = await runtime.policy();
    await advanceRollout({ ...stores, clock, newId, actor }, policy);
    return queueDue({ ...stores, clock }, new RunStore(stores.registers), policy.hash);
  };
  const timed = async () => operatorTasks({ ...stores, clock, newId, actor }, await runtime.policy());
  const publish = async () => {
    const until = clock.now() + context.getRemainingTimeInMillis() - RESERVE_MS;
    return publishUnpublished({ ...stores, clock, newId, logger, bus: await runtime.bus() }, { until });
  };
  const alert = async () => {
    const alerts = await runtime.alerts();
    const step = await alerts?.step();
    return step?.kind === 'told' ? step.entries : 0;
  };
  const ledgerDeps = { ...stores, clock, newId, actor };
  const digest = async () => (await writeDigest(ledgerDeps))?.detail?.digest?.root ?? null;
  const prune = async () => (await pruneOld(ledgerDeps, (await runtime.policy()).policy.retentionMs)).entries;
  const bury = () => recordDeadLetters({ ...stores, clock, newId, actor }, stores.deadLetters);

  const parts = [scan(), due(), publish(), bury(), alert(), timed(), digest(), prune()] as const;
  const [scanned, queued, published, buried, alerted, told, digested, pruned] = await Promise.allSettled(parts);
  const failures = [scanned, queued, published, buried, alerted, told, digested, pruned].flatMap((part) =>
    part.status === 'rejected' ? [part.reason] : [],
  );
  const result: TickResult = {
    scanRequested: scanned.status === 'fulfilled' ? scanned.value : null,
    keysDue: queued.status === 'fulfilled' ? queued.value : 0,
    published: published.status === 'fulfilled' ? published.value.published : 0,
    refused: published.status === 'fulfilled' ? published.value.refused : 0,
    deadLettersRecorded: buried.status === 'fulfilled' ? buried.value : 0,
    announced: told.status === 'fulfilled' ? told.value : 0,
    alerted: alerted.status === 'fulfilled' ? alerted.value : 0,
    digest: digested.status === 'fulfilled' ? digested.value : null,
    pruned: pruned.status === 'fulfilled' ? pruned.value : 0,
  };
  metrics.add('KeysDue', result.keysDue);
  metrics.add('EntriesPublished', result.published);
  metrics.add('EntriesRefused', result.refused);
  if (result.deadLettersRecorded > 0) metrics.add('DeadLetters', result.deadLettersRecorded);
  for (const error of failures) logger.error('a part of the tick failed', { error });
  if (failures.length > 0) throw new AggregateError(failures, [...new Set(failures.map(String))].join('; '));
  return result;
}

export const handler = makeHandler(() => composeFromEnvironment('tick'));
