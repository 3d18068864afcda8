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
import type { AwsStoreEnv } from '../config/aws-env.ts';
import type { Caller } from '../domain/enrollment/model.ts';
import type { CompiledPolicy } from '../domain/policy/index.ts';
import type { Registers } from '../ports/registers.ts';
import type { Clock, Logger, Monotonic, Random } from '../ports/system.ts';
import type { AwsStoreOptions } from './aws-store.ts';
import { ownMaxAccounts } from './bounds.ts';
import { withCaller } from './cached-identity.ts';
import { type OpenStore, openStore } from './embedded-store.ts';
import { limiterTimes } from './limiter-times.ts';
import { ownNetwork } from './network.ts';

export interface AppOptions {
  /** Where the embedded store is; of no account with `aws`. */
  readonly dataDir: string;
  /** The aws runtime's stores instead of the embedded one. */
  readonly aws?: AwsStoreEnv | null;
  /** How far the clock may be off AWS's, ms, with `aws` (default 30 s). */
  readonly maxClockSkewMs?: number;
  /** From when it aborts no further call begins and messages go back (`shared/app/support/graceful-stop.ts`); for a daemon. */
  readonly stop?: AbortSignal;
  readonly policy: CompiledPolicy;
  readonly logger: Logger;
  /** A dry run: the store is only read, and pacing is kept in memory. */
  readonly readOnly: boolean;
  readonly settings?: Partial<Settings>;
  readonly clock?: Clock;
  /** If a test passes its own `clock` but not this, that clock is taken as correct and is not compared with the store's. */
  readonly monotonic?: Monotonic;
  readonly random?: Random;
  /** See `EmbeddedStoreOptions.maxPages`: for tests of a full disk. */
  readonly maxPages?: number;
}

/** A process's whole object graph. */
export interface App {
  readonly deps: Deps;
  readonly settings: Settings;
  readonly retrying: Retrying;
  readonly store: OpenStore;
  readonly caller: Caller;
  /** Calls this process has made and had throttled. */
  readonly calls: CallCounts;
  close(): Promise<void>;
}

/** How much time's worth of slots a process reserves at once, ms: a local file is cheap to write, so react soon. */
const RESERVE_MS = 100;
/** A write to a table is slower and dearer: so much time's worth of slots at once is 25 at 10 calls a second. */
const REMOTE_RESERVE_MS = 2_500;
/**
 * Long poll of the queue, s: a daemon that is told to stop waits for it to end, because a message that a broken poll had been given
 * would be hidden from everybody for its visibility; a run looks between two polls whether anything is due.
 */
const DAEMON_POLL_S = 4;
const RUN_POLL_S = 1;

/** How long the retries of the first question to AWS may go on, ms: an endpoint out of reach is to be told of in seconds. */
const IDENTIFY_BUDGET_MS = 5_000;

/**
 * The only place where ports meet adapters, outside of functions. Asks once who the caller is, so that every entry names its actor.
 * @throws StoreError if the store can't be used; CloudError if the caller cannot be identified; OtherOrganizationError if the
 *   store belongs to another organization than the caller's.
 */
export async function composeApp(options: AppOptions): Promise<App> {
  const { policy, logger, readOnly, dataDir } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const settings = { ...DEFAULT_SETTINGS, maxAccounts: ownMaxAccounts(), ...options.settings };
  const newId = makeNewId(clock);
  const network = ownNetwork();
  const { maxPages, aws = null, stop, maxClockSkewMs } = options;
  const store = await (aws === null
    ? openStore({ dataDir, clock, newId, readOnly, ...(maxPages !== undefined && { maxPages }) })
    : openAws(aws, {
        ...{ clock, newId, random, receiveWaitSeconds: stop === undefined ? RUN_POLL_S : DAEMON_POLL_S },
        ...(maxClockSkewMs !== undefined && { maxClockSkewMs }),
      }));
  // A dry run sees what operators and scans have left, and writes nothing; only its pacing needs a place, in memory.
  const registers = readOnly ? unwritable(store.registers) : store.registers;
  const { callsPerSecond: ceiling } = policy.policy.limits;
  const reserveMs = aws === null || readOnly ? RESERVE_MS : REMOTE_RESERVE_MS;
  const pacing = readOnly ? memoryRegisters() : (store.pacing ?? registers);
  const times = limiterTimes(options, store.time);
  const limiter = createLimiter({ registers: pacing, clock, ...times, ceiling, reserveMs });
  const gate = stop === undefined ? limiter : stoppableGate(limiter, stop);
  const { memberRole, externalId } = policy.policy.organization;
  const cloud = createAwsCloud({
    ...{ gate, clock, memberRole, externalId, logger, network, maxAccounts: settings.maxAccounts },
  });
  const close = async (): Promise<void> => {
    cloud.close();
    await store.close();
  };
  const patient = createRetrying(clock, random, settings.retryBudgetMs);
  const retrying = stop === undefined ? patient : stoppableRetrying(patient, stop);
  try {
    const asking = createRetrying(clock, random, Math.min(IDENTIFY_BUDGET_MS, settings.retryBudgetMs));
    const caller = await asking(() => cloud.identify());
    const { ledger, records, snapshots } = store;
    if (readOnly) await requireOrganization({ registers, snapshots }, caller.organizationId);
    else await bindOrganization({ registers, snapshots }, caller, clock.now());
    const queue = stop === undefined ? store.queue : stoppableQueue(store.queue, stop);
    const stores = { ledger, records, queue, registers, snapshots };
    const deps: Deps = { ...stores, cloud: withCaller(cloud, caller), clock, random, newId, logger, actor: caller.arn };
    return { deps, settings, retrying, store, caller, calls: gate.counts, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Loaded only where it is asked for: the clients of DynamoDB and SQS take a while. */
async function openAws(env: AwsStoreEnv, parts: Omit<AwsStoreOptions, 'env'>): Promise<OpenStore> {
  const { openAwsStore } = await import('./aws-store.ts');
  return openAwsStore({ env, ...parts });
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
