import pLimit from 'p-limit';
import { readerRole } from '../adapters/aws/cloud/assume-role.ts';
import { type EventBridgeBus, openEventBridge } from '../adapters/aws/eventbridge/bus.ts';
import { eventBridgeScanRequests } from '../adapters/aws/eventbridge/scan-requests.ts';
import { lambdaLogger, type ScopedLogger } from '../adapters/aws/lambda/logger.ts';
import { lambdaMetrics } from '../adapters/aws/lambda/metrics.ts';
import { policySource } from '../adapters/aws/lambda/policy-source.ts';
import { type AwsStores, type AwsStoresOptions, openAwsStores } from '../adapters/aws/store.ts';
import { systemClock, systemMonotonic } from '../adapters/system/clock.ts';
import { makeNewId } from '../adapters/system/ids.ts';
import { systemRandom } from '../adapters/system/random.ts';
import type { Deps, Settings } from '../app/context.ts';
import type { Alerts } from '../app/notifications/webhook-alerts.ts';
import { createWork, type WorkContext } from '../app/reconciler/worker-context.ts';
import type { Retrying } from '../app/support/retry.ts';
import { tracedLogger } from '../app/support/traced-logger.ts';
import { type AwsEnv, readAwsEnv } from '../config/aws-env.ts';
import { environment } from '../config/environment.ts';
import { readTracing, type TracingSettings } from '../config/tracing-env.ts';
import { KINDS } from '../domain/enrollment/kinds/index.ts';
import type { CompiledPolicy } from '../domain/policy/index.ts';
import type { EventBus } from '../ports/bus.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { ScanRequests } from '../ports/scan-requests.ts';
import type { Clock, Monotonic, NewId, Random } from '../ports/system.ts';
import { TABLE_RESERVE_MS } from './limiter-times.ts';
import { ownNetwork } from './network.ts';
import { alertsOf } from './notification-targets.ts';
import { type PolicyEnv, PolicyKeeper } from './policy-cache.ts';
import { connect, ownSettings } from './runtime.ts';
import { sqsSettings } from './stores/open-aws.ts';
import { openTracer } from './tracing.ts';

export type { ScopedLogger } from '../adapters/aws/lambda/logger.ts';

export interface AwsOptions {
  /** The function's name, in its log lines and metrics. */
  readonly service: string;
  readonly env: AwsEnv;
  /** The variables that the policy may refer to as `${VAR}`. */
  readonly policyEnv: PolicyEnv;
  /** Where traces are sent; default: nowhere. */
  readonly tracing?: TracingSettings | null;
  readonly settings?: Partial<Settings>;
  readonly clock?: Clock;
  readonly monotonic?: Monotonic;
  readonly random?: Random;
  readonly logger?: ScopedLogger;
  readonly metrics?: Metrics;
  /** Overrides of the SDK's settings for table and queues. */
  readonly stores?: Pick<AwsStoresOptions, 'dynamodb' | 'sqs' | 'deadLetterWaitSeconds'>;
}

/** The parts of a function that depend on the policy. They are made again when the policy changes. */
export interface PolicyApp {
  readonly policy: CompiledPolicy;
  readonly deps: Deps;
  readonly settings: Settings;
  readonly retrying: Retrying;
  /** The state that the function's workers share; made at the first use. */
  work(): Promise<WorkContext>;
}

/** Everything that a Lambda function needs. One runtime lives as long as the function's container. */
export interface AwsRuntime {
  readonly service: string;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: Random;
  readonly logger: ScopedLogger;
  readonly metrics: Metrics;
  readonly settings: Settings;
  readonly stores: AwsStores;
  readonly scanRequests: ScanRequests;
  /** The deployment's event bus, name or ARN. */
  readonly eventBus: string;
  /** The policy's event bus, or the deployment's if the policy names none. @throws as `policy` */
  bus(): Promise<EventBus>;
  /** Sends alerts to the policy's webhook; `null`: the policy has none. @throws as `policy` */
  alerts(): Promise<Alerts | null>;
  /** The current policy. @throws PolicyUnreadableError, PolicyInvalidError */
  policy(): Promise<CompiledPolicy>;
  /**
   * The parts that depend on the current policy. Call it once per invocation.
   * @param fresh read the policy now; otherwise it may be half a minute old
   * @throws as `policy`; CloudError if the caller cannot be identified; OtherOrganizationError if the table belongs to another organization
   */
  app(fresh?: boolean): Promise<PolicyApp>;
  /** Writes the metrics, including the calls and throttles since the last flush, and sends the spans. Lambda may freeze the process after it. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** The function that only reads member accounts, so it assumes their read-only role. */
const READS_ONLY = 'scanner';

/** Composes a function's runtime. Opens no connection yet. */
export async function composeAws(options: AwsOptions): Promise<AwsRuntime> {
  const { env, service } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const settings = ownSettings(options.settings);
  const newId = makeNewId(clock);
  const log = options.logger ?? lambdaLogger({ service, stage: env.stage, level: env.logLevel });
  const tracer = await openTracer(options.tracing ?? null, log);
  const logger = tracedLogger(log, tracer);
  const metrics = options.metrics ?? lambdaMetrics({ service, stage: env.stage, monitoring: env.monitoring });
  const { table, queueUrl, dlqUrl } = env;
  const network = ownNetwork();
  const stores = await openAwsStores({
    table,
    queueUrl,
    dlqUrl,
    clock,
    newId,
    random,
    network,
    monotonic: systemMonotonic,
    // The deployment created table and queues, so they are not checked.
    check: false,
    ...sqsSettings(env),
    ...options.stores,
  });
  const scanRequests = eventBridgeScanRequests(env.eventBus, { clock, random, network });
  const source = policySource(env.policy, env.taskRoot, { clock, random, network });
  const keeper = new PolicyKeeper(source, clock, options.policyEnv, logger);
  const tally = new CallTally(metrics);
  let bus: { readonly name: string; readonly opened: EventBridgeBus } | null = null;
  let current: (PolicyApp & { close(): Promise<void> }) | null = null;
  // Invocations that run at the same time share one app.
  const oneAtATime = pLimit(1);

  const build = async (policy: CompiledPolicy): Promise<PolicyApp & { close(): Promise<void> }> => {
    const { memberRole: actingRole } = policy.policy.organization;
    const runtime = await connect(stores, {
      policy,
      logger: log,
      tracer,
      settings,
      network,
      newId,
      random,
      reserveMs: TABLE_RESERVE_MS,
      ...(options.clock !== undefined && { clock: options.clock }),
      ...(options.monotonic !== undefined && { monotonic: options.monotonic }),
      // Starts a second faster without the comparison of clocks. Lambda synchronizes the clock, and the table's later answers are still compared with it.
      mayWait: false,
      memberRole: service === READS_ONLY ? readerRole(actingRole) : actingRole,
    });
    const { deps, retrying, calls, close } = runtime;
    tally.follow(calls);
    let work: Promise<WorkContext> | null = null;
    return {
      policy,
      deps,
      settings,
      retrying,
      close,
      work: () => (work ??= createWork(deps, settings, retrying, policy)),
    };
  };

  return {
    service,
    clock,
    newId,
    random,
    logger,
    metrics,
    settings,
    stores,
    scanRequests,
    eventBus: env.eventBus,
    policy: () => keeper.policy(),
    async bus() {
      const { notify } = (await keeper.policy()).policy;
      const name = notify?.eventBus ?? env.eventBus;
      if (bus?.name === name) return bus.opened;
      bus?.opened.close();
      bus = { name, opened: openEventBridge({ bus: name, clock, random, network }) };
      return bus.opened;
    },
    async alerts() {
      return alertsOf(await keeper.policy(), { ...stores, clock, newId, random, logger });
    },
    app: (fresh = false) =>
      oneAtATime(async () => {
        const policy = await keeper.policy(fresh);
        if (current !== null && current.policy.hash === policy.hash) return current;
        // The previous app is not closed, because another invocation may still use it. Its idle connections close by themselves.
        current = await build(policy);
        return current;
      }),
    async flush() {
      tally.report();
      metrics.flush();
      await tracer.flush();
    },
    async close() {
      await current?.close();
      scanRequests.close();
      bus?.opened.close();
      source.close();
      await stores.close();
    },
  };
}

/** Composes from the process's environment. @throws ConfigError naming each variable that is missing or wrong */
export async function composeFromEnvironment(service: string): Promise<AwsRuntime> {
  // Only the tick sends to the webhook, so only the tick gets its URL and secret.
  const env = environment();
  const tracing = readTracing(env);
  return composeAws({ service, env: readAwsEnv(env), tracing, policyEnv: service === 'tick' ? env : null });
}

const MUTATING = KINDS.flatMap(({ service, actions }) => actions.map(({ operation }) => `${service}:${operation}`));

type Tally = Readonly<Record<string, { readonly count: number; readonly throttled: number }>>;

const NOTHING_REPORTED = { count: 0, throttled: 0, changes: 0 };

/** Adds to the metrics what the limiter has counted since the last report. */
class CallTally {
  readonly #metrics: Metrics;
  #counts: Tally = {};
  #reported = NOTHING_REPORTED;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Changes to the counts of another limiter. */
  follow(counts: Tally): void {
    this.report();
    this.#counts = counts;
    this.#reported = NOTHING_REPORTED;
  }

  report(): void {
    const all = Object.values(this.#counts);
    const count = all.reduce((sum, each) => sum + each.count, 0);
    const throttled = all.reduce((sum, each) => sum + each.throttled, 0);
    const mutating = MUTATING.flatMap((name) => this.#counts[name] ?? []);
    const changes = mutating.reduce((sum, each) => sum + each.count - each.throttled, 0);
    if (count > this.#reported.count) this.#metrics.add('Calls', count - this.#reported.count);
    if (changes > this.#reported.changes) this.#metrics.add('ChangesMade', changes - this.#reported.changes);
    this.#metrics.add('Throttles', throttled - this.#reported.throttled);
    this.#reported = { count, throttled, changes };
  }
}
