import { createAwsCloud } from '../adapters/aws/cloud/cloud.ts';
import { memoryRegisters } from '../adapters/embedded/memory-registers.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { makeNewId } from '../adapters/system/ids.ts';
import { systemRandom } from '../adapters/system/random.ts';
import { DEFAULT_SETTINGS, type Deps, type Settings } from '../app/context.ts';
import { bindOrganization, requireOrganization } from '../app/coordination/organization-binding.ts';
import { type CallCounts, createLimiter } from '../app/rate-limiter/rate-limiter.ts';
import { stoppableGate, stoppableQueue, stoppableRetrying } from '../app/support/graceful-stop.ts';
import { createRetrying, type Retrying } from '../app/support/retry.ts';
import { tracedLogger } from '../app/support/traced-logger.ts';
import type { Caller } from '../domain/enrollment/model.ts';
import type { Network } from '../domain/network.ts';
import { type CompiledPolicy, callCeiling } from '../domain/policy/index.ts';
import type { Registers } from '../ports/registers.ts';
import type { Clock, Logger, Monotonic, NewId, Random } from '../ports/system.ts';
import { NO_TRACER, type Tracer } from '../ports/tracer.ts';
import { ownMaxAccounts } from './bounds.ts';
import { limiterTimes } from './limiter-times.ts';
import { ownNetwork } from './network.ts';
import type { OpenStore, StoreProfile } from './stores/profile.ts';

export interface RuntimeOptions {
  readonly policy: CompiledPolicy;
  readonly logger: Logger;
  /** Default: nothing is traced. */
  readonly tracer?: Tracer;
  /** A dry run: the store is only read, and the rate limiter keeps its state in memory. Default `false`. */
  readonly readOnly?: boolean;
  /** Stops a daemon: once this signal aborts, no further call to AWS begins, and messages return to the queue. */
  readonly stop?: AbortSignal;
  readonly settings?: Partial<Settings>;
  readonly clock?: Clock;
  /** Measures how far `clock` differs from the store's clock. A `clock` that is given without it is not compared. */
  readonly monotonic?: Monotonic;
  readonly random?: Random;
  readonly newId?: NewId;
}

interface ConnectOptions extends Omit<RuntimeOptions, 'settings'> {
  readonly settings: Settings;
  readonly network: Network;
  /** For how long, ms, the rate limiter reserves calls in one write. */
  readonly reserveMs: number;
  /** The role to assume in member accounts; default: the policy's. */
  readonly memberRole?: string;
  /** Whether the limiter may wait to compare clocks (`LimiterOptions.mayWait`). */
  readonly mayWait?: boolean;
  /** How long the retries of the first call to AWS may take, ms. */
  readonly identifyMs?: number;
}

/** The object graph of a process. */
export interface Runtime {
  readonly deps: Deps;
  readonly settings: Settings;
  readonly retrying: Retrying;
  readonly store: OpenStore;
  readonly caller: Caller;
  /** Calls that this process has made and had throttled. */
  readonly calls: CallCounts;
  close(): Promise<void>;
}

/** For how long, ms, the limiter of a dry run reserves calls in one write. It is in memory, so a write costs nothing. */
const MEMORY_RESERVE_MS = 100;

/** How long the first call to AWS is retried, ms. Short, so that an unreachable endpoint is reported within seconds. */
const IDENTIFY_MS = 5_000;

/**
 * Opens the store and connects to AWS, for the daemon and the CLI.
 * @throws StoreError; CloudError if the caller cannot be identified; OtherOrganizationError if the store belongs to another organization
 */
export async function createRuntime(profile: StoreProfile, options: RuntimeOptions): Promise<Runtime> {
  const { clock = systemClock, random = systemRandom, readOnly = false, stop } = options;
  const newId = options.newId ?? makeNewId(clock);
  // Invalid settings are reported before anything is created on disk.
  const network = ownNetwork();
  const settings = ownSettings(options.settings);
  const store = await profile.open({ clock, newId, random, readOnly, create: true, daemon: stop !== undefined });
  const reserveMs = readOnly ? MEMORY_RESERVE_MS : profile.reserveMs;
  const identifyMs = Math.min(IDENTIFY_MS, settings.retryBudgetMs);
  try {
    const runtime = await connect(store, { ...options, settings, network, newId, reserveMs, identifyMs });
    const close = async (): Promise<void> => {
      await runtime.close();
      await store.close();
    };
    return { ...runtime, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Connects an open store to AWS under a policy. A Lambda function calls this again for each new policy. `close` leaves the store open.
 * @throws as {@link createRuntime}
 */
export async function connect(store: OpenStore, options: ConnectOptions): Promise<Runtime> {
  const { policy, settings, network, readOnly = false, stop, reserveMs, mayWait, tracer = NO_TRACER } = options;
  const logger = tracedLogger(options.logger, tracer);
  const { clock = systemClock, random = systemRandom, newId = makeNewId(clock) } = options;
  const ceiling = callCeiling(policy.policy.limits);
  const registers = readOnly ? unwritable(store.registers) : store.registers;
  const pacing = readOnly ? memoryRegisters() : (store.pacing ?? registers);
  const times = limiterTimes(options, store.time);
  const waiting = mayWait === undefined ? {} : { mayWait };
  const limiter = createLimiter({ registers: pacing, clock, ...times, ...waiting, ceiling, reserveMs });
  const gate = stop === undefined ? limiter : stoppableGate(limiter, stop);
  const { memberRole, externalId } = policy.policy.organization;
  const cloud = createAwsCloud({
    gate,
    clock,
    externalId,
    logger,
    tracer,
    network,
    maxAccounts: settings.maxAccounts,
    memberRole: options.memberRole ?? memberRole,
  });
  const patient = createRetrying(clock, random, settings.retryBudgetMs, tracer);
  const retrying = stop === undefined ? patient : stoppableRetrying(patient, stop);
  try {
    const identifying = createRetrying(clock, random, options.identifyMs ?? settings.retryBudgetMs);
    const caller = await identifying(() => cloud.identify());
    const { ledger, records, snapshots } = store;
    if (readOnly) await requireOrganization({ registers, snapshots }, caller.organizationId);
    else await bindOrganization({ registers, snapshots }, caller, clock.now());
    const queue = stop === undefined ? store.queue : stoppableQueue(store.queue, stop);
    const stores = { ledger, records, queue, registers, snapshots };
    // The caller's identity never changes, so it is read only once.
    const known = { ...cloud, identify: async () => caller };
    const deps: Deps = { ...stores, cloud: known, clock, random, newId, logger, tracer, actor: caller.arn };
    return { deps, settings, retrying, store, caller, calls: gate.counts, close: async () => cloud.close() };
  } catch (error) {
    cloud.close();
    throw error;
  }
}

/** The settings of this process. @throws ConfigError */
export function ownSettings(changed: Partial<Settings> = {}): Settings {
  return { ...DEFAULT_SETTINGS, maxAccounts: ownMaxAccounts(), ...changed };
}

function unwritable(registers: Registers): Registers {
  const refuse = (): Promise<never> => Promise.reject(new Error('a dry run writes nothing'));
  return {
    read: (name) => registers.read(name),
    list: (prefix) => registers.list(prefix),
    write: refuse,
    remove: refuse,
  };
}
