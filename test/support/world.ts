import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import { type RunningSandbox, type StartOptions, startSandbox } from '../../services/sandbox/start.ts';
import type { EmbeddedStore } from '../../shared/adapters/embedded/store.ts';
import type { Progress, RunContext, Settings, Stores } from '../../shared/app/context.ts';
import { settleControls } from '../../shared/app/operator/apply-controls.ts';
import { announceExemptions } from '../../shared/app/operator/exemption-notices.ts';
import type { Plan } from '../../shared/app/plan/plan.ts';
import { createWork } from '../../shared/app/reconciler/worker-context.ts';
import { WorkerPool } from '../../shared/app/reconciler/worker-pool.ts';
import { advanceRollout } from '../../shared/app/rollout/rollout-controller.ts';
import { type ApplyOptions, apply } from '../../shared/app/runtime/apply.ts';
import type { ApplyResult } from '../../shared/app/runtime/conclude-run.ts';
import { plan } from '../../shared/app/scan/scan.ts';
import { queueDue } from '../../shared/app/work-queue/requeue-due.ts';
import { createRuntime, type Runtime } from '../../shared/compose/runtime.ts';
import { embeddedStore } from '../../shared/compose/stores/embedded.ts';
import { openStore } from '../../shared/compose/stores/open-embedded.ts';
import type { AccountRecord } from '../../shared/domain/account/record.ts';
import type { Logger } from '../../shared/ports/system.ts';
import { listenAt, type WireLog } from './wire-log.ts';
import { type TimeScale, timeScale, type WorldClock, worldClock } from './world-clock.ts';
import { compiled, type PolicyParts, policyText } from './world-policy.ts';

export interface WorldOptions {
  readonly sandbox?: Omit<StartOptions, 'port' | 'clock'>;
  readonly policy?: PolicyParts;
  /** Milliseconds of world time per real millisecond. Default 10. */
  readonly speed?: number;
}

export interface AppParts {
  readonly policy?: PolicyParts;
  readonly readOnly?: boolean;
  readonly settings?: Partial<Settings>;
  /** The account of the app's credentials. Default: the management account. */
  readonly as?: string;
  readonly endpoint?: string;
  readonly maxPages?: number;
}

export interface RunParts extends Partial<Pick<ApplyOptions, 'waitMs' | 'stop' | 'onPlan' | 'onProgress'>> {
  readonly planHash?: string;
  /** Time advances by itself while the run only waits. Default true. */
  readonly hurry?: boolean;
}

export interface Run extends ApplyResult {
  /** The number of progress reports of each kind; `worked` by outcome. */
  readonly progress: Readonly<Record<string, number>>;
}

/** A simulated organization, a data directory, and apps that use both. */
export class World {
  readonly running: RunningSandbox;
  readonly clock: WorldClock;
  readonly time: TimeScale;
  readonly dataDir: string;
  readonly wire: WireLog;
  readonly policyParts: PolicyParts;
  readonly #apps = new Set<Runtime>();

  constructor(
    running: RunningSandbox,
    { time, clock }: { readonly time: TimeScale; readonly clock: WorldClock },
    dataDir: string,
    policyParts: PolicyParts,
  ) {
    this.running = running;
    this.time = time;
    this.clock = clock;
    this.dataDir = dataDir;
    this.policyParts = policyParts;
    this.wire = listenAt(running, dataDir);
  }

  get sandbox(): RunningSandbox['sandbox'] {
    return this.running.sandbox;
  }

  get managementId(): string {
    return this.running.info.managementAccountId;
  }

  policyText(parts: PolicyParts = {}): string {
    return policyText({ ...this.policyParts, ...parts });
  }

  /** An app as in a process of its own. It gets credentials and endpoint through the environment, as the SDK reads them. */
  async app(parts: AppParts = {}): Promise<Runtime> {
    const { readOnly = false, settings = {}, maxPages } = parts;
    setEnvironment(parts.endpoint ?? this.running.endpoint, parts.as ?? this.managementId);
    const policy = compiled(this.policyText(parts.policy), this.clock.now());
    this.wire.policy = policy;
    const store = embeddedStore(this.dataDir, maxPages === undefined ? {} : { maxPages });
    const app = await createRuntime(store, { policy, logger: this.logger, readOnly, settings, clock: this.clock });
    this.#apps.add(app);
    return app;
  }

  /** Warnings and errors that apps logged. */
  readonly logged: { readonly level: string; readonly message: string; readonly fields: unknown }[] = [];
  readonly logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (message, fields) => void this.logged.push({ level: 'warn', message, fields }),
    error: (message, fields) => void this.logged.push({ level: 'error', message, fields }),
  };

  /** One run of a new app, which is closed afterwards. */
  async run(parts: AppParts & RunParts = {}): Promise<Run> {
    const app = await this.app(parts);
    try {
      return await this.apply(app, parts);
    } finally {
      await this.stop(app);
    }
  }

  async apply(app: Runtime, parts: RunParts = {}): Promise<Run> {
    const { waitMs = 60_000, stop = new AbortController().signal, hurry = true, planHash = null, onPlan } = parts;
    const progress: Record<string, number> = {};
    const onProgress = (event: Progress): void => {
      const kind = event.kind === 'worked' ? `worked ${event.outcome}` : event.kind;
      progress[kind] = (progress[kind] ?? 0) + 1;
      parts.onProgress?.(event);
      if (!hurry) return;
      if (event.kind === 'waitingForLease') this.clock.advance(10_000);
      if (event.kind === 'waiting') this.clock.advanceTo(Math.max(event.until, this.clock.now() + 5_000));
    };
    const context = { ...this.context(app), planHash };
    const options = { waitMs, stop, onProgress, ...(onPlan && { onPlan }) };
    const result = await apply(app.deps, app.settings, app.retrying, context, options);
    return { ...result, progress };
  }

  /** Applies operator controls and announces exemptions, as each round of maintenance does. @returns the number announced */
  async announce(app: Runtime): Promise<number> {
    const settled = await settleControls(app.deps);
    return settled + (await announceExemptions(app.deps, this.context(app).policy));
  }

  /**
   * Does the daemon's work between two scans: enqueues due keys and works until no message is visible.
   * @returns the number of due keys
   */
  async work(app: Runtime): Promise<number> {
    const { policy } = this.context(app);
    const work = await createWork(app.deps, app.settings, app.retrying, policy);
    const pool = new WorkerPool(work, () => undefined);
    await advanceRollout(app.deps, policy);
    const due = await queueDue(app.deps, work.runs, policy.hash);
    while ((await pool.take()) || pool.busy) await pool.untilFree();
    await pool.drain();
    return due;
  }

  /** A dry run. */
  async plan(parts: AppParts = {}): Promise<Plan> {
    const app = await this.app({ readOnly: true, ...parts });
    try {
      return await plan(app.deps, app.settings, app.retrying, this.context(app), () => undefined);
    } finally {
      await this.stop(app);
    }
  }

  context(app: Runtime): RunContext {
    if (this.wire.policy === null) throw new Error('no app was started');
    return { runId: app.deps.newId(), policy: this.wire.policy, planHash: null };
  }

  async stop(app: Runtime): Promise<void> {
    this.#apps.delete(app);
    await app.close();
  }

  truth(): AccountTruth[] {
    return this.sandbox.accounts();
  }

  truthOf(accountId: string): AccountTruth {
    const [found] = this.sandbox.accounts(accountId);
    if (found === undefined) throw new Error(`the sandbox has no account ${accountId}`);
    return found;
  }

  /** Open accounts other than the management account and the delegated administrator that fit. */
  members(fits: (account: AccountTruth) => boolean = () => true): AccountTruth[] {
    const { delegatedAdministratorId } = this.running.info;
    return this.truth().filter((account) => {
      const special = account.management || account.accountId === delegatedAdministratorId;
      return !special && account.state === 'ACTIVE' && fits(account);
    });
  }

  /** The first matching member. Fails the test if no member matches. */
  member(fits: (account: AccountTruth) => boolean = () => true): AccountTruth {
    const [found] = this.members(fits);
    if (found === undefined) throw new Error('the sandbox has no such account');
    return found;
  }

  /** The number of calls of an operation, optionally by one caller. */
  calls(operation: string, accountId?: string): number {
    return this.sandbox
      .calls()
      .filter((call) => call.operation === operation && (accountId === undefined || call.accountId === accountId))
      .reduce((sum, { count }) => sum + count, 0);
  }

  /** Reads the store like a command without AWS. */
  async look<T>(read: (store: EmbeddedStore) => Promise<T>): Promise<T> {
    const store = await openStore({ dataDir: this.dataDir, clock: this.clock, readOnly: true });
    try {
      return await read(store);
    } finally {
      await store.close();
    }
  }

  records(): Promise<ReadonlyMap<string, AccountRecord>> {
    return this.look(readRecords);
  }

  /** The files of the data directory with size and hash. */
  files(): string[] {
    return readdirSync(this.dataDir).map((name) => {
      const content = readFileSync(join(this.dataDir, name));
      return `${name} ${content.length} ${createHash('sha256').update(content).digest('hex')}`;
    });
  }

  async close(): Promise<void> {
    for (const app of this.#apps) await app.close();
    this.wire.close();
    await this.running.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

export async function readRecords({ records }: Pick<Stores, 'records'>): Promise<ReadonlyMap<string, AccountRecord>> {
  const stored = new Map<string, AccountRecord>();
  for await (const page of records.all()) for (const record of page) stored.set(record.accountId, record);
  return stored;
}

/** The SDK's settings in the environment of this process. They are set before each start of an app. */
function setEnvironment(endpoint: string, accountId: string): void {
  Object.assign(process.env, sdkSettings(endpoint, accountId));
}

export function sdkSettings(endpoint: string, accountId: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: accountId,
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** While AWS applies another configuration, a worker pauses this long before it tries again, ms. */
const BUSY_PAUSE_MS = 30_000;

/** Starts a world that ends with the test. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const time = timeScale(options.speed ?? 10);
  const clock = worldClock(time, BUSY_PAUSE_MS);
  const running = await startSandbox({ ...options.sandbox, port: 0, clock });
  const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-world-'));
  const world = new World(running, { time, clock }, dataDir, options.policy ?? {});
  onTestFinished(() => world.close());
  return world;
}
