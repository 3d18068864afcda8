import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { EventBus } from '../../ports/bus.ts';
import type { DeadLetters } from '../../ports/queue.ts';
import type { Deps } from '../context.ts';
import { PolicyWatch } from '../coordination/policy-in-force.ts';
import { RunStore } from '../coordination/run-store.ts';
import { recordDeadLetters } from '../ledger/dead-letter-entries.ts';
import { dailyDigest, nextDigestAt } from '../ledger/digest.ts';
import { pruneOld } from '../ledger/retention.ts';
import { recordStops } from '../ledger/run-stops.ts';
import { publishUnpublished } from '../notifications/outbox-publisher.ts';
import type { Alerts } from '../notifications/webhook-alerts.ts';
import { settleControls } from '../operator/apply-controls.ts';
import { announceExemptions, nextNoticeAt } from '../operator/exemption-notices.ts';
import { advanceRollout } from '../rollout/rollout-controller.ts';
import { loggedThrough } from '../transparency/chain-places.ts';
import type { Checkpointing } from '../transparency/checkpointing.ts';
import { TransparencyLog } from '../transparency/transparency-log.ts';
import { queueDue } from '../work-queue/requeue-due.ts';
import type { MaintenanceTask } from './run-tasks.ts';
import { MAX_REST_MS } from './task-rests.ts';

/** How often a process runs its tasks. */
export interface Pace {
  /** Interval of the check of the scan schedule and of each task outside the queue group, ms. */
  readonly tickMs: number;
  /** Interval of the tasks that fill the queue, ms. */
  readonly dueMs: number;
  /** How long one run of the transparency log may append entries, ms, except for the last run of a process; default: as long as the run lasts. */
  readonly logMs?: number;
}

/** Suited to a local file. Adding to the transparency log needs the processor and not the network, so it may use 5% of the process's thread. */
export const LOCAL_PACE: Pace = { tickMs: 5_000, dueMs: 1_000, logMs: 250 };

type MaintenanceDeps = Pick<
  Deps,
  'ledger' | 'records' | 'registers' | 'snapshots' | 'queue' | 'clock' | 'newId' | 'actor' | 'logger'
>;

/** Functions, because the policy of a Lambda may be unreadable: then the tasks that do not need it still run. */
export interface MaintenanceSource {
  readonly deps: MaintenanceDeps;
  policy(): Promise<CompiledPolicy>;
  /** `null`: no event bus is configured. */
  bus(): Promise<EventBus | null>;
  /** `null`: the policy names no webhook. */
  alerts(): Promise<Alerts | null>;
  /** Key, archive and witnesses for checkpoints of the transparency log. */
  checkpointing(): Promise<Checkpointing>;
  readonly deadLetters: DeadLetters;
  /** How far the list of unpublished entries lags behind the audit log at most, ms. */
  readonly outboxLagMs: number;
}

type QueueSource = Pick<MaintenanceSource, 'policy'> & { readonly deps: Omit<MaintenanceDeps, 'logger'> };

const tasksOf =
  (group: MaintenanceTask['group'], everyMs: number) =>
  (name: string, run: MaintenanceTask['run']): MaintenanceTask => ({ name, group, everyMs, run });

/** The tasks that fill the queue. @param planHash the only plan whose changes this process may make; `null`: any */
export function queueTasks(
  { deps, policy }: QueueSource,
  { dueMs }: Pace,
  planHash: string | null = null,
): readonly MaintenanceTask[] {
  const task = tasksOf('queue', dueMs);
  const inForce = policyIfInForce(deps, policy);
  return [
    task('operator controls', async ({ until }) => ({ announced: await settleControls(deps, until) })),
    task('exemption notices', async () => {
      const current = await inForce();
      if (current === null) return {};
      const now = deps.clock.now();
      const announced = await announceExemptions(deps, current);
      return { announced, restUntil: nextNoticeAt(current.policy.exemptions, now) ?? now + MAX_REST_MS };
    }),
    task('rollout', async () => {
      const current = await inForce();
      if (current !== null) await advanceRollout(deps, current);
      return {};
    }),
    task('requeue due', async ({ until }) => {
      const current = await inForce();
      if (current === null) return {};
      const runs = new RunStore(deps.registers);
      return { keysDue: await queueDue(deps, runs, current.hash, { boundTo: planHash, until }) };
    }),
  ];
}

/** The policy; `null` while another one is in force, so that a process with an outdated policy enqueues and announces nothing. */
function policyIfInForce(
  deps: Pick<MaintenanceDeps, 'registers' | 'clock'>,
  policy: QueueSource['policy'],
): () => Promise<CompiledPolicy | null> {
  const watch = new PolicyWatch(deps);
  return async () => {
    const current = await policy();
    return (await watch.isInForce(current.hash)) ? current : null;
  };
}

const TRANSPARENCY_LOG = 'transparency log';

/** Whether the task maintains the transparency log and signs its checkpoints. */
export function isTransparencyLog({ name }: MaintenanceTask): boolean {
  return name === TRANSPARENCY_LOG;
}

/** All recurring work. The daemon and the tick function run all of it. */
export function maintenanceTasks(source: MaintenanceSource, pace: Pace = LOCAL_PACE): readonly MaintenanceTask[] {
  return [...queueTasks(source, pace), ...notifyTasks(source, pace), ...storeTasks(source, pace)];
}

function notifyTasks({ deps, bus, alerts, outboxLagMs }: MaintenanceSource, { tickMs }: Pace) {
  const task = tasksOf('notify', tickMs);
  return [
    task('publish', async ({ until, last }) => {
      const to = await bus();
      if (to === null) return {};
      const first = await publishUnpublished({ ...deps, bus: to }, { until });
      if (!last || outboxLagMs === 0) return first;
      await deps.clock.sleep(outboxLagMs);
      const second = await publishUnpublished({ ...deps, bus: to }, { until: until + outboxLagMs });
      return { published: first.published + second.published, refused: second.refused };
    }),
    task('webhook alerts', async ({ last }) => {
      const step = await (await alerts())?.step(last);
      return { alerted: step?.kind === 'delivered' ? step.entries : 0 };
    }),
  ];
}

function storeTasks(
  { deps, policy, checkpointing, deadLetters, outboxLagMs }: MaintenanceSource,
  { tickMs, logMs }: Pace,
) {
  const { clock } = deps;
  const task = tasksOf('store', tickMs);
  const log = new TransparencyLog(deps, outboxLagMs);
  let logging: Promise<unknown> = Promise.resolve();
  const ofLog = logMs === undefined ? {} : { appendMs: logMs };
  return [
    task('dead letters', async () => {
      const deadLettersRecorded = await recordDeadLetters(deps, deadLetters);
      // Only letters that the queue itself has moved are found here, after hours of deliveries; the alarm watches the queue.
      return { deadLettersRecorded, restUntil: deadLettersRecorded === 0 ? clock.now() + MAX_REST_MS : null };
    }),
    task('run stops', async () => {
      // The process that stops a run records the stop itself. This task does it if that process has ended.
      return { restUntil: (await recordStops(deps)) === 0 ? clock.now() + MAX_REST_MS : null };
    }),
    task('digest', async () => {
      const now = clock.now();
      const { entry, done } = await dailyDigest(deps);
      return { digest: entry?.detail?.digest?.root ?? null, restUntil: done ? nextDigestAt(now) : null };
    }),
    task(TRANSPARENCY_LOG, async (limits) => {
      const running = log.run(checkpointing, { ...limits, ...ofLog });
      logging = running.catch(() => undefined);
      // Searching for new entries reads an index with many parts, so a function does it every five minutes.
      return { restUntil: (await running).idle ? clock.now() + MAX_REST_MS : null };
    }),
    task('retention', async ({ until, last }) => {
      const { retentionMs } = (await policy()).policy;
      // Entries are removed only once the log has them. Otherwise the next search, an hour later, would remove them.
      await logging;
      let pruned = 0;
      for (;;) {
        const piece = await pruneOld(deps, retentionMs, (chain) => loggedThrough(deps.registers, chain));
        pruned += piece.entries;
        if (!piece.more || !last || clock.now() >= until) return { pruned, restUntil: piece.lookAt };
      }
    }),
  ];
}
