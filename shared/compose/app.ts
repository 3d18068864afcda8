import { createAwsCloud } from '../adapters/aws/cloud.ts';
import { memoryRegisters } from '../adapters/embedded/memory-registers.ts';
import type { EmbeddedStore } from '../adapters/embedded/store.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { makeNewId } from '../adapters/system/ids.ts';
import { systemRandom } from '../adapters/system/random.ts';
import { DEFAULT_SETTINGS, type Deps, type Settings } from '../app/deps.ts';
import { type CallCounts, createLimiter } from '../app/limiter.ts';
import { createRetrying, type Retrying } from '../app/retrying.ts';
import type { CompiledPolicy } from '../domain/policy/index.ts';
import type { Caller } from '../domain/types.ts';
import type { Clock, Logger, Random } from '../ports/system.ts';
import { withCaller } from './known-caller.ts';
import { openStore } from './store.ts';

export interface AppOptions {
  readonly dataDir: string;
  readonly policy: CompiledPolicy;
  readonly logger: Logger;
  /** A dry run: the store is only read, and pacing is kept in memory. */
  readonly readOnly: boolean;
  readonly settings?: Partial<Settings>;
  readonly clock?: Clock;
  readonly random?: Random;
  /** See `EmbeddedStoreOptions.maxPages`: for tests of a full disk. */
  readonly maxPages?: number;
}

/** A process's whole object graph. */
export interface App {
  readonly deps: Deps;
  readonly settings: Settings;
  readonly retrying: Retrying;
  readonly store: EmbeddedStore;
  readonly caller: Caller;
  /** Calls this process has made and had throttled. */
  readonly calls: CallCounts;
  close(): Promise<void>;
}

/** How much time's worth of slots a process reserves at once, ms: a local file is cheap to write, so react soon. */
const RESERVE_MS = 100;

/** How long the retries of the first question to AWS may go on, ms: an endpoint out of reach is to be told of in seconds. */
const IDENTIFY_BUDGET_MS = 5_000;

/**
 * The only place where ports meet adapters, embedded runtime. Asks once who the caller is, so that every entry names its actor.
 * @throws StoreError if the data directory can't be used; CloudError if the caller cannot be identified.
 */
export async function composeApp(options: AppOptions): Promise<App> {
  const { policy, logger, readOnly, dataDir } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const settings = { ...DEFAULT_SETTINGS, ...options.settings };
  const newId = makeNewId(clock);
  const { maxPages } = options;
  const store = await openStore({ dataDir, clock, newId, readOnly, ...(maxPages !== undefined && { maxPages }) });
  const registers = readOnly ? memoryRegisters() : store.registers;
  const { callsPerSecond: ceiling } = policy.policy.limits;
  const gate = createLimiter({ registers: readOnly ? registers : store.pacing, clock, ceiling, reserveMs: RESERVE_MS });
  const { memberRole, externalId } = policy.policy.organization;
  const cloud = createAwsCloud({ gate, clock, memberRole, externalId, logger });
  const close = async (): Promise<void> => {
    cloud.close();
    await store.close();
  };
  const retrying = createRetrying(clock, random, settings.retryBudgetMs);
  try {
    const asking = createRetrying(clock, random, Math.min(IDENTIFY_BUDGET_MS, settings.retryBudgetMs));
    const caller = await asking(() => cloud.identify());
    const { ledger, records, queue, facts } = store;
    const stores = { ledger, records, queue, registers, facts };
    const deps: Deps = { ...stores, cloud: withCaller(cloud, caller), clock, random, newId, logger, actor: caller.arn };
    return { deps, settings, retrying, store, caller, calls: gate.counts, close };
  } catch (error) {
    await close();
    throw error;
  }
}
