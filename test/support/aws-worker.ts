import { systemClock } from '../../shared/adapters/system/clock.ts';
import { serve } from '../../shared/app/runtime/daemon.ts';
import { maintenanceTasks } from '../../shared/app/runtime/maintenance.ts';
import { openMaintenance } from '../../shared/compose/notification-targets.ts';
import { createRuntime } from '../../shared/compose/runtime.ts';
import { awsStore } from '../../shared/compose/stores/aws.ts';
import { awsWorkerParts, SHORT_TIMES } from './aws-worker-parts.ts';
import { compiled } from './world-policy.ts';

/*
 * `rollcall serve --store aws` with shorter times, so that a test need not wait for a minute. Its only argument is JSON (`AwsWorkerParts`). Prints `ready`.
 * On SIGTERM it prints one JSON line with its results and ends.
 */
const { policyText, aheadMs } = awsWorkerParts.parse(JSON.parse(process.argv[2] ?? ''));
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
const termination = new AbortController();
process.on('SIGTERM', () => termination.abort());
const stop = termination.signal;
const say = (level: string) => (message: string, fields?: unknown) =>
  void process.stderr.write(`${level} ${message} ${JSON.stringify(fields ?? {})}\n`);
const logger = { debug: () => undefined, info: say('info'), warn: say('warn'), error: say('error') };
const policy = compiled(policyText, clock.now());
// Without the clock check, like a process whose clock becomes wrong later.
const maxClockSkewMs = Number.POSITIVE_INFINITY;
const store = awsStore(process.env, { maxClockSkewMs });
const app = await createRuntime(store, { stop, policy, logger, clock, settings: SHORT_TIMES });
const maintenance = await openMaintenance(app, policy, store);
const pace = { tickMs: 3_000, dueMs: 2_000 };
const tasks = maintenanceTasks(maintenance, pace);
const done: Record<string, number> = {};
process.stdout.write('ready\n');
await serve(app.deps, app.settings, app.retrying, policy, {
  ...{ stop, tasks, pace },
  onProgress: (event) => {
    const kind = event.kind === 'worked' ? `worked ${event.outcome}` : event.kind;
    done[kind] = (done[kind] ?? 0) + 1;
  },
  onScanStarted: () => undefined,
  onScan: (_runId, plan) => void process.stderr.write(`scan: ${plan.due.length} due\n`),
  onWaiting: (scan) => void process.stderr.write(`waiting ${JSON.stringify(scan)}\n`),
  onError: (what, error) => say('error')(`${what} broke off`, { message: String(error) }),
});
maintenance.close();
await app.close();
process.stdout.write(`${JSON.stringify(done)}\n`);
